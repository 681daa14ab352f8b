"""Late interaction with LanceDB's multivector columns; run by benchmarks/maxsim_peers.py."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import lancedb
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent))

from maxsim_store import Bags, folder_bytes, run

_BATCH = 500


class Table:
    """All pages compared with each query, without an index."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._folder = Path(job["folder"]) / "lancedb"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._vectors = pa.list_(pa.list_(pa.float32(), job["dimension"]))
        schema = pa.schema([("id", pa.int64()), ("vectors", self._vectors)])
        self._table = lancedb.connect(str(self._folder)).create_table("pages", schema=schema)

    def add(self, first_id: int, bags: Bags) -> None:
        """Add in batches."""
        for start in range(0, len(bags), _BATCH):
            some = bags[start : start + _BATCH]
            ids = pa.array(range(first_id + start, first_id + start + len(some)), pa.int64())
            vectors = pa.array([bag.tolist() for bag in some], self._vectors)
            self._table.add(pa.table({"id": ids, "vectors": vectors}))
        self._table.optimize()

    def delete(self, page_ids: list[int]) -> None:
        """By id."""
        self._table.delete(f"id IN ({', '.join(map(str, page_ids))})")

    def search(self, query: Any, k: int) -> list[int]:
        """One query of the library."""
        search = self._table.search(query, vector_column_name="vectors").select(["id"]).limit(k)
        found: list[int] = search.distance_type("cosine").to_arrow()["id"].to_pylist()
        return found

    def size_bytes(self) -> int:
        """Of the table's files."""
        return folder_bytes(self._folder)


if __name__ == "__main__":
    run(Table)
