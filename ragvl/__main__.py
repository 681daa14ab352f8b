"""`python -m ragvl` is `ragvl`."""

from __future__ import annotations

import sys

from ragvl.cli import main

if __name__ == "__main__":
    sys.exit(main())
