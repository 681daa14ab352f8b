"""
Late interaction with a Qdrant Edge shard in this process; run by benchmarks/maxsim_peers.py.

Without a graph: building one over bags of 600 vectors took 29 s for 60 pages, so every search compares with all pages.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import qdrant_edge as qdrant

sys.path.insert(0, str(Path(__file__).parent))

from maxsim_store import Bags, folder_bytes, run

_BATCH = 100


class Shard:
    """`setting`: "exact", or how often as many pages the binary codes leave as are wanted."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._setting = job["setting"]
        self._folder = Path(job["folder"]) / f"qdrant-{self._setting}"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        comparator = qdrant.MultiVectorConfig(qdrant.MultiVectorComparator.MaxSim)
        binary = None if self._setting == "exact" else qdrant.BinaryQuantizationConfig(always_ram=True)
        vectors = qdrant.EdgeVectorParams(
            size=job["dimension"],
            distance=qdrant.Distance.Dot,
            on_disk=True,
            multivector_config=comparator,
            quantization_config=binary,
            hnsw_config=qdrant.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=1_000_000_000),
        )
        self._shard = qdrant.EdgeShard.create(str(self._folder), qdrant.EdgeConfig(vectors=vectors))

    def add(self, first_id: int, bags: Bags) -> None:
        """Upsert in batches, then run the optimisers as the library would."""
        for start in range(0, len(bags), _BATCH):
            points = [
                qdrant.Point(first_id + start + place, bag.tolist(), {})
                for place, bag in enumerate(bags[start : start + _BATCH])
            ]
            self._shard.update(qdrant.UpdateOperation.upsert_points(points))
        self._shard.optimize()
        self._shard.flush()

    def delete(self, page_ids: list[int]) -> None:
        """By id."""
        self._shard.update(qdrant.UpdateOperation.delete_points(list(page_ids)))
        self._shard.flush()

    def search(self, query: Any, k: int) -> list[int]:
        """One query of the library."""
        if self._setting == "exact":
            params = qdrant.SearchParams(exact=True)
        else:
            rescored = qdrant.QuantizationSearchParams(rescore=True, oversampling=float(self._setting))
            params = qdrant.SearchParams(quantization=rescored)
        request = qdrant.QueryRequest(limit=k, query=qdrant.Query.Nearest(query.tolist()), params=params)
        return [int(point.id) for point in self._shard.query(request)]

    def size_bytes(self) -> int:
        """Of the shard's files."""
        return folder_bytes(self._folder)


if __name__ == "__main__":
    run(Shard)
