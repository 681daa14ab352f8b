"""Hand the pages of a ragvl index to a peer that cannot read it; run by benchmarks/latency.py."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform

from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.reader import IndexReader


def export(job: dict[str, Any]) -> int:
    """
    Write `pages`, one JSON object a line (file_path, source, text), and `vectors`, (n, 384) float32: a page's is the mean
    of its passages', at unit length.
    """
    reader = IndexReader(Path(job["index"]))
    with reader.snapshot() as snapshot, Path(job["pages"]).open("w", encoding="utf-8") as lines:
        table = snapshot.vectors.table
        means: dict[int, Any] = {}
        for page_id, vector in zip(
            table.owners[:, 1].tolist(), table._index.reconstruct_n(0, len(table)), strict=True
        ):
            means[page_id] = means[page_id] + vector if page_id in means else vector
        sql = (
            "SELECT p.id, f.name, p.number, p.text FROM pages p "
            "JOIN files f ON f.document_id = p.document_id ORDER BY p.id"
        )
        vectors = []
        for page_id, name, number, text in fetch(snapshot.connection, sql):
            if page_id in means:
                vectors.append(means[page_id] / np.linalg.norm(means[page_id]))
                lines.write(json.dumps({"file_path": name, "source": str(number), "text": text}) + "\n")
    np.save(job["vectors"], np.stack(vectors).astype(np.float32))
    reader.close()
    return len(vectors)


if __name__ == "__main__":
    perform(export)
