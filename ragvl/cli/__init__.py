"""The command line; `main` is what the `ragvl` command runs."""

from ragvl.cli.app import main

__all__ = ["main"]
