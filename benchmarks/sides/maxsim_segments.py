"""ragvl's multi-vector segments, as `maxsim_peers.py` uses a store: durable files, without the rest of the index."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "peers"))

from maxsim_store import Bags, run
from multivector.building import open_segment, write_segment

from ragvl.config import TierConfig
from ragvl.indexers.multivector.codes import OwnedPage, encode_page
from ragvl.indexers.multivector.segment import MultiVectorSegment
from ragvl.indexers.multivector.table import MultiVectorTable
from ragvl.protocols import PageVectors


class Segments:
    """`setting`: [coarse vectors, candidates of tier 1, of tier 2]."""

    def __init__(self, job: dict[str, Any]) -> None:
        coarse, left_by_coarse, left_by_fine = job["setting"]
        self._tiers = TierConfig(
            coarse_vectors=coarse, coarse_candidates=left_by_coarse, fine_candidates=left_by_fine
        )
        self._folder = Path(job["folder"]) / f"ragvl-{coarse}-{left_by_coarse}"
        self._folder.mkdir(parents=True)
        self._segments: list[MultiVectorSegment] = []
        self._dead: list[int] = []
        self._load()

    def add(self, first_id: int, bags: Bags) -> None:
        """Pool and code the pages, write a segment, flush it to the disk."""
        path = self._folder / f"{first_id}.seg"
        write_segment(path, (self._page(page_id, bag) for page_id, bag in enumerate(bags, first_id)))
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        self._segments.append(open_segment(path))
        self._load()

    def delete(self, page_ids: list[int]) -> None:
        """Tombstones, written as the store would write them."""
        self._dead += page_ids
        with (self._folder / "dead").open("w") as file:
            file.write(str(self._dead))
            file.flush()
            os.fsync(file.fileno())
        self._load()

    def search(self, query: Any, k: int) -> list[int]:
        """All three tiers."""
        return [page.page_id for page in self._table.search(query, k, self._alive)]

    def size_bytes(self) -> int:
        """Of the segments."""
        return sum(path.stat().st_size for path in self._folder.glob("*.seg"))

    def _load(self) -> None:
        self._table = MultiVectorTable(self._segments, self._tiers)
        self._alive = ~np.isin(self._table.owners[:, 0], self._dead)

    def _page(self, page_id: int, bag: Any) -> OwnedPage:
        nowhere = np.zeros((len(bag), 4), dtype=np.float32)
        vectors = PageVectors(bag, np.zeros(len(bag), dtype=np.uint8), nowhere)
        return OwnedPage(page_id, 1, encode_page(vectors, 1, 1, self._tiers))


if __name__ == "__main__":
    run(Segments)
