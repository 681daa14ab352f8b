"""
Tests compute on one thread.

What they compute is tiny. Several threads that wait for each other over it take ten times as long where other programs run,
and CI machines are seldom idle. The variable is read when torch, numpy and FAISS are first imported.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
