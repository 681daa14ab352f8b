"""Token states of a real encoder over an index's passages and over questions, made once and kept in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dev_set import read_questions
from numpy.typing import NDArray

__all__ = ["Bags", "States", "token_states"]

_BATCH = 32
_PCA_SAMPLE = 100_000  # token states


@dataclass(frozen=True, slots=True)
class Bags:
    """
    Bags of token states, one after another.

    Attributes:
        vectors: (tokens, dimension) float16, as the encoder's last layer leaves them.
        ends: (n,) int64, where each bag ends.
    """

    vectors: NDArray[np.float16]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> NDArray[np.float16]:
        return self.vectors[(self.ends[number - 1] if number else 0) : self.ends[number]]


@dataclass(frozen=True, slots=True)
class States:
    """
    What was encoded.

    Attributes:
        passages, questions: a bag each.
        owners: (passages, 2) int64, page id and document id of each passage.
    """

    passages: Bags
    owners: NDArray[np.int64]
    questions: Bags

    def projection(self, dimension: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """
        The mean and the (states, dimension) principal directions of a sample of the passages' states.

        It stands in for the linear layer that a late interaction model ends with.
        """
        total = len(self.passages.vectors)
        rows = np.random.default_rng(seed).choice(total, min(_PCA_SAMPLE, total), replace=False)
        sample = self.passages.vectors[np.sort(rows)].astype(np.float32)
        mean = sample.mean(axis=0)
        directions = np.linalg.svd(np.cov(sample - mean, rowvar=False))[0][:, :dimension]
        return mean, np.ascontiguousarray(directions, dtype=np.float32)


def token_states(model: Path, index: Path, data: Path, cache: Path) -> States:
    """Read the token states kept in `cache`; they are made when missing, which takes minutes."""
    if not (cache / "questions-ends.npy").exists():
        cache.mkdir(parents=True, exist_ok=True)
        _make(model, index, data, cache)
    owners = np.load(cache / "owners.npy")
    return States(_bags(cache, "passages"), owners, _bags(cache, "questions"))


def _make(model: Path, index: Path, data: Path, cache: Path) -> None:
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(model), device="cpu")
    owners, texts = zip(*_passages(index), strict=True)
    _save(cache, "passages", encoder, texts)
    np.save(cache / "owners.npy", np.array(owners, dtype=np.int64))
    _save(cache, "questions", encoder, [question.text for question in read_questions(data)])


def _passages(index: Path) -> Iterator[tuple[tuple[int, int], str]]:
    from ragvl.indexers.store.database import fetch
    from ragvl.indexers.store.reader import IndexReader

    sql = (
        'SELECT g.id, g.document_id, p.heading, substr(g.text, p.start + 1, p."end" - p.start) '
        "FROM passages p JOIN pages g ON g.id = p.page_id ORDER BY p.id"
    )
    reader = IndexReader(index)
    with reader.snapshot() as snapshot:
        for page_id, document_id, heading, text in fetch(snapshot.connection, sql):
            yield (page_id, document_id), f"{heading}\n{text}" if heading else text
    reader.close()


def _save(cache: Path, name: str, encoder: Any, texts: Sequence[str]) -> None:
    """Keep the states of the texts' own tokens; those that mark beginning and end say little and are dropped."""
    bags = []
    for start in range(0, len(texts), 1024):
        found = encoder.encode(
            list(texts[start : start + 1024]), output_value="token_embeddings", batch_size=_BATCH
        )
        bags += [bag[1:-1].to("cpu").numpy().astype(np.float16) for bag in found]
    np.save(cache / f"{name}.npy", np.concatenate(bags))
    np.save(cache / f"{name}-ends.npy", np.cumsum([len(bag) for bag in bags], dtype=np.int64))


def _bags(cache: Path, name: str) -> Bags:
    return Bags(np.load(cache / f"{name}.npy", mmap_mode="r"), np.load(cache / f"{name}-ends.npy"))
