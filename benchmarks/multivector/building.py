"""Segments of many pages and their exact scores, made once and kept in a folder."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ragvl.config import TierConfig
from ragvl.indexers.multivector.codes import OwnedPage, encode_page
from ragvl.indexers.multivector.segment import MultiVectorSegment
from ragvl.indexers.multivector.writer import SegmentWriter
from ragvl.protocols import PageVectors

from .pages import Collection

__all__ = ["Shelf", "open_segment", "write_segment"]

_PAGES_A_CALL = 16

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shelf:
    """
    The first `pages` pages of a collection, in a folder.

    Page ids are page numbers plus one; the document of all is 1. Everything is made when it is first asked for, which takes
    about 20 ms of processor time a page.
    """

    collection: Collection
    pages: int
    folder: Path

    def segment(self, tiers: TierConfig) -> MultiVectorSegment:
        """The pages in these tiers."""
        path = self.folder / f"{self.pages}x{tiers.coarse_vectors}x{tiers.fine_vectors}.seg"
        if not path.exists():
            self._make(path, tiers)
        return open_segment(path)

    def exact_scores(self, tiers: TierConfig) -> Scores:
        """Float32 MaxSim of each question with each page, (questions, pages)."""
        if not self._exact.exists():
            self._make(self.folder / f"{self.pages}x{tiers.coarse_vectors}x{tiers.fine_vectors}.seg", tiers)
        scores: Scores = np.load(self._exact)
        return scores

    @property
    def _exact(self) -> Path:
        return self.folder / f"{self.pages}-exact.npy"

    def _make(self, path: Path, tiers: TierConfig) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        wanted = not self._exact.exists()
        questions = self.collection.questions()
        scores = np.empty((len(questions), self.pages), dtype=np.float32)
        shared = (self.collection, tiers, questions if wanted else [])

        def pages() -> Iterator[OwnedPage]:
            # Forked, so that the states are shared and not sent.
            context, cores = multiprocessing.get_context("fork"), len(os.sched_getaffinity(0))
            with context.Pool(cores, _Worker.share, shared) as pool:
                for number, (page, found) in enumerate(
                    pool.imap(_Worker.page, range(self.pages), _PAGES_A_CALL)
                ):
                    scores[:, number] = found
                    yield page

        write_segment(path, pages())
        if wanted:
            np.save(self._exact, scores)


def write_segment(path: Path, pages: Iterator[OwnedPage]) -> None:
    """Write a segment, and its digest beside it."""
    writer, part = SegmentWriter(), path.with_suffix(".part")
    with part.open("wb") as file:
        for chunk in writer.chunks(pages):
            file.write(chunk)
    path.with_suffix(".digest").write_text(writer.digest, "ascii")
    part.replace(path)


def open_segment(path: Path) -> MultiVectorSegment:
    """Open what `write_segment` wrote."""
    with FileIO(path) as file:
        return MultiVectorSegment.open(file, path.name, path.with_suffix(".digest").read_text("ascii"))


class _Worker:
    """What a process that makes pages has of its parent."""

    collection: Collection
    tiers: TierConfig
    questions: Scores
    starts: NDArray[np.int64]

    @classmethod
    def share(cls, collection: Collection, tiers: TierConfig, questions: list[Scores]) -> None:
        """Set up this process; without questions, pages are not scored."""
        cls.collection, cls.tiers = collection, tiers
        cls.questions = np.concatenate(questions) if questions else np.empty((0, 0), dtype=np.float32)
        cls.starts = np.cumsum([0, *(len(question) for question in questions)])[:-1]

    @classmethod
    def page(cls, number: int) -> tuple[OwnedPage, Scores]:
        """A page and its exact scores."""
        vectors = cls.collection.page(number)
        nowhere = np.zeros((len(vectors), 4), dtype=np.float32)
        bag = PageVectors(vectors, np.ones(len(vectors), dtype=np.uint8), nowhere)
        scores = np.array([np.nan], dtype=np.float32)
        if len(cls.questions):
            scores = np.add.reduceat((cls.questions @ vectors.T).max(axis=1), cls.starts)
        return OwnedPage(number + 1, 1, encode_page(bag, 1, 1, cls.tiers)), scores
