"""What the tests of reading share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ragvl.config import OcrConfig, PassageConfig, ReadingConfig
from ragvl.indexers.readers.media import media_type_of
from ragvl.indexers.workers import DocumentRead, ReadingPool, ReadRequest


@pytest.fixture(scope="session")
def without_ocr() -> ReadingConfig:
    """One worker, short deadlines, no OCR."""
    return ReadingConfig(
        workers=1, document_timeout_s=20, page_timeout_s=20, ocr=OcrConfig(pages=False, figures=False)
    )


class ReadOne:
    """Reads single files in one pool of workers."""

    def __init__(self, pool: ReadingPool) -> None:
        self._pool = pool

    def __call__(self, path: Path, password: str | None = None) -> DocumentRead:
        """Read one file."""
        request = ReadRequest(1, path, media_type_of(path), password)
        return next(iter(list(self._pool.read([request]))))


@pytest.fixture(scope="session")
def pool(without_ocr: ReadingConfig) -> Iterator[ReadingPool]:
    """A pool that lives as long as the tests."""
    with ReadingPool(without_ocr, PassageConfig()) as made:
        yield made


@pytest.fixture(scope="session")
def read_one(pool: ReadingPool) -> ReadOne:
    """Read a single file in a worker."""
    return ReadOne(pool)
