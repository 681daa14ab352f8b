"""What the server of reading processes imports before it forks them; nothing here starts a thread."""

from __future__ import annotations

import os

# One core a process: libraries that ask at import must not start threads, for they would not survive the fork.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import ragvl.indexers.readers.mupdf  # after the environment
import ragvl.indexers.readers.pdfium
import ragvl.indexers.worker  # noqa: F401
