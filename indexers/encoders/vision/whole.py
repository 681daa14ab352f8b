"""Models whose files lack weights are refused: transformers fills the gaps with random numbers and only warns."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from ragvl.errors import ModelFileError

__all__ = ["whole_weights"]

_MISSING = re.compile(r"^(\S+)\s*\|\s*MISSING", re.MULTILINE)
_UNUSED = (
    "pooler."  # BERT's: many encoders are published without, and sentence-transformers does not compute it
)
_NAMED = 3


class _Report(logging.Handler):
    """Takes down which weights transformers did not find."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.missing: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        names = _MISSING.findall(record.getMessage())
        self.missing += [name for name in names if _UNUSED not in name]


@contextmanager
def whole_weights(name: str) -> Iterator[None]:
    """
    Load a model in the block.

    Args:
        name: of the model, for the message.

    Raises:
        ModelFileError: its files lack weights.
    """
    report, logger = _Report(), logging.getLogger("transformers")
    logger.addHandler(report)
    try:
        yield
    finally:
        logger.removeHandler(report)
    if report.missing:
        named = ", ".join(report.missing[:_NAMED]) + (", ..." if len(report.missing) > _NAMED else "")
        raise ModelFileError(
            f"the files of the model {name} lack {len(report.missing)} of its weights ({named}), which would be random "
            "numbers; download it again, or name a model that is whole"
        )
