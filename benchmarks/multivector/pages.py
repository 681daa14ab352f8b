"""
Pages made of real token states, as many as wanted.

States are projected to fewer dimensions on their principal directions (a late interaction model ends with such a layer,
trained) and brought to unit length. The first pages are those of the index: a page is the states of its passages. Each further
page takes, of a document drawn by its number of passages, as many passages as one of its pages has, drawn without
repetition; to every vector a random one of 0.3 of its length is added before it is brought back to unit length (cosine
0.96), so that pages with a passage in common do not tie. Page number and seed decide all of it, so that pages need not be kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .states import States

__all__ = ["Collection", "perturbed", "unit"]

_NOISE = 0.3

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Collection:
    """Pages and questions in `dimension` dimensions; with `centred` off, the mean of all states is left in them."""

    states: States
    dimension: int = 128
    seed: int = 0
    centred: bool = True
    _pages: list[NDArray[np.int64]] = field(init=False)  # passages of each page of the index
    _documents: list[NDArray[np.int64]] = field(init=False)  # pages of each document
    _projection: tuple[Vectors, Vectors] = field(init=False)

    def __post_init__(self) -> None:
        owners = self.states.owners
        page_ids, pages = np.unique(owners[:, 0], return_inverse=True)
        passages = [np.flatnonzero(pages == page) for page in range(len(page_ids))]
        documents = np.array([owners[of[0], 1] for of in passages])
        object.__setattr__(self, "_pages", passages)
        object.__setattr__(
            self, "_documents", [np.flatnonzero(documents == which) for which in np.unique(documents)]
        )
        mean, directions = self.states.projection(self.dimension)
        object.__setattr__(self, "_projection", (mean if self.centred else 0 * mean, directions))

    @property
    def real_pages(self) -> int:
        """Pages of the index; those with a higher number are made."""
        return len(self._pages)

    def questions(self) -> list[Vectors]:
        """The vectors of each question."""
        return [self._project(self.states.questions[number]) for number in range(len(self.states.questions))]

    def page(self, number: int) -> Vectors:
        """The vectors of a page."""
        if number < self.real_pages:
            return self._project(self._states(self._pages[number]))
        rng = np.random.default_rng((self.seed, number))
        sizes = np.array([sum(len(self._pages[page]) for page in pages) for pages in self._documents])
        pages = self._documents[rng.choice(len(sizes), p=sizes / sizes.sum())]
        pool = np.concatenate([self._pages[page] for page in pages])
        count = len(self._pages[rng.choice(pages)])
        return perturbed(self._project(self._states(rng.choice(pool, count, replace=False))), rng, _NOISE)

    def _states(self, passages: NDArray[np.int64]) -> NDArray[np.float16]:
        return np.concatenate([self.states.passages[passage] for passage in passages.tolist()])

    def _project(self, states: NDArray[np.float16]) -> Vectors:
        mean, directions = self._projection
        return unit((states.astype(np.float32) - mean) @ directions)


def perturbed(vectors: Vectors, rng: np.random.Generator, noise: float) -> Vectors:
    """Add to each unit vector a random one of `noise` of its length; at unit length again."""
    added = rng.standard_normal(vectors.shape, dtype=np.float32)
    return unit(vectors + added * np.float32(noise / np.sqrt(vectors.shape[1])))


def unit(vectors: Vectors) -> Vectors:
    """Bring vectors to unit length."""
    found: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return found
