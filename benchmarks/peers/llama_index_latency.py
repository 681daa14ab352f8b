"""Time every search of LlamaIndex's hybrid retriever, in memory and warm; run by benchmarks/latency.py."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.retrievers import VectorIndexRetriever
from llama_index.core.schema import BaseNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index_parts import embedding, faiss_index, ranked_pages, retrievers, split
from stopwatch import Stopwatch


def ask(job: dict[str, Any]) -> dict[str, Any]:
    """
    Build the index from pages and vectors, then ask `questions`, one at a time, after `warm_up`.

    Returns:
        As `sides/ragvl_latency.py`, and `nodes`.
    """
    model = embedding(job["model"])
    started = time.perf_counter()
    nodes = _nodes(job)
    index: VectorStoreIndex = faiss_index(nodes, model)
    hybrid = retrievers(index, nodes, job["depth"])["hybrid"]
    open_s = time.perf_counter() - started
    watch = Stopwatch()
    watch.watch(HuggingFaceEmbedding, "_get_query_embedding", "query encoding")
    watch.watch(BM25Retriever, "_retrieve", "lexical")
    watch.watch(VectorIndexRetriever, "_retrieve", "vectors")
    for question in job["warm_up"]:
        hybrid.retrieve(question)
    searches = []
    for question in job["questions"]:
        watch.reset()
        started, cpu_s = time.perf_counter(), time.process_time()
        ranked_pages(hybrid.retrieve(question), job["k"])
        total_s = time.perf_counter() - started
        cpu_s = time.process_time() - cpu_s
        spent = dict(watch.spent_s)
        spent["vectors"] -= spent["query encoding"]  # the retriever encodes the query itself
        searches.append({"total": total_s, "cpu": cpu_s, **spent, "rest": total_s - sum(spent.values())})
    return {"open_s": open_s, "searches": searches, "nodes": len(nodes)}


def _nodes(job: dict[str, Any]) -> list[BaseNode]:
    """Pages split as LlamaIndex does by default; every node of a page gets the page's vector."""
    vectors = np.load(job["vectors"])
    by_place: dict[str, Any] = {}
    documents = []
    with Path(job["pages"]).open(encoding="utf-8") as lines:
        for place, line in enumerate(lines):
            page = json.loads(line)
            metadata = {"file_path": page["file_path"], "source": page["source"]}
            documents.append(Document(id_=str(place), text=page["text"], metadata=metadata))
            by_place[str(place)] = vectors[place]
    nodes = split(documents, job["chunk_tokens"])
    for node in nodes:
        node.embedding = by_place[str(node.ref_doc_id)].tolist()
    return nodes


if __name__ == "__main__":
    perform(ask)
