"""Index a folder with LlamaIndex, persisted; run by benchmarks/indexing.py in the peer's environment."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform
from llama_index_parts import embedding, faiss_index, read_pages, split


def index(job: dict[str, Any]) -> dict[str, Any]:
    """
    Read, split, embed and persist `documents` into `index`.

    Returns:
        pages, nodes as `units`; `index_s`, without imports and without loading the model; `searchable_s`, from the start
        of the process until the index answers: LlamaIndex builds it as a whole.
    """
    model = embedding(job["model"], job["batch"])
    started = time.perf_counter()
    pages = read_pages(job["documents"])
    read_s = time.perf_counter() - started
    nodes = split(pages, job["chunk_tokens"])
    built = faiss_index(nodes, model)
    searchable_s = time.time() - job["started"]
    built.storage_context.persist(job["index"])
    index_s = time.perf_counter() - started
    return {
        "pages": len(pages),
        "units": len(nodes),
        "failed": [],
        "index_s": index_s,
        "searchable_s": searchable_s,
        "timings_s": {"read": read_s},
    }


if __name__ == "__main__":
    perform(index)
