"""Log messages of ragvl on stderr, one line each."""

from __future__ import annotations

import logging
import sys
import traceback

from ragvl.cli.terminal import one_line, plain

__all__ = ["send_logs_to_stderr"]


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # `sys.stderr` is looked up each time: a live progress display takes its place while it runs.
        sys.stderr.write(f"{record.levelname.lower()}: {one_line(record.getMessage())}\n")
        if record.exc_info and record.exc_info[1]:
            sys.stderr.write(plain("".join(traceback.format_exception(record.exc_info[1]))))


def send_logs_to_stderr(debug: bool) -> None:
    """Show warnings of ragvl, with `debug` everything; called again, it replaces what it set before."""
    logger = logging.getLogger("ragvl")
    for handler in [handler for handler in logger.handlers if isinstance(handler, _Lines)]:
        logger.removeHandler(handler)
    logger.addHandler(_Lines())
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
