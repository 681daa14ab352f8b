"""What is wrong with a dataset."""

from __future__ import annotations

from ragvl.errors import RagvlError

__all__ = ["DatasetError"]


class DatasetError(RagvlError):
    """A dataset is unknown, not there, or not of the form that it should have; the message says what to do."""
