"""
Every error that ragvl raises on purpose; each message says what, where and what to do.

    RagvlError
    ├── ConfigError               a setting is unknown or out of range
    ├── MissingExtraError         an optional dependency is not installed
    ├── ModelFileError            a model file is absent, damaged or of another format
    ├── DeviceMemoryError         a model does not fit into the memory of the device
    ├── GeneratorError            an answer could not be generated
    ├── ReadError                 one document could not be read (becomes its status)
    └── IndexStoreError           the index on disk
        ├── IndexNotFoundError    no index where one was looked for
        ├── IndexMismatchError    made with other settings or by a newer ragvl
        ├── IndexLockedError      another process is writing
        ├── IndexDamagedError     a checksum does not match
        └── IndexWriteError       the disk is full or failing

Wrong arguments stay `ValueError` and `TypeError`.
"""

from __future__ import annotations

from ragvl.types import DocumentStatus


class RagvlError(Exception):
    """Base of every error that ragvl raises on purpose."""


class ConfigError(RagvlError):
    """A setting is unknown or out of range."""


class MissingExtraError(RagvlError):
    """An optional dependency is not installed; the message holds the command that adds it."""


class ModelFileError(RagvlError):
    """A model file is absent, damaged or of another format."""


class DeviceMemoryError(RagvlError):
    """A model does not fit into the memory of the device."""


class GeneratorError(RagvlError):
    """An answer could not be generated."""


class ReadError(RagvlError):
    """One document could not be read; `status` says in which way."""

    def __init__(self, status: DocumentStatus, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}"


class IndexStoreError(RagvlError):
    """The index on disk cannot be used as asked."""


class IndexNotFoundError(IndexStoreError):
    """No index where one was looked for."""


class IndexMismatchError(IndexStoreError):
    """The index was made with other settings, or by a newer ragvl."""


class IndexLockedError(IndexStoreError):
    """Another process is writing to the index."""


class IndexDamagedError(IndexStoreError):
    """A checksum of the index does not match."""


class IndexWriteError(IndexStoreError):
    """The disk is full or failing; the last committed state is intact."""
