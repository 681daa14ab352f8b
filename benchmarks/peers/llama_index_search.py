"""Ask LlamaIndex questions and note the pages found; run by benchmarks/retrieval.py in the peer's environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform
from llama_index.core.schema import BaseNode, MetadataMode, TextNode
from llama_index_parts import (
    Retrievers,
    embedding,
    faiss_index,
    page_of,
    ranked_pages,
    read_pages,
    retrievers,
    split,
)

_DEPTH = 60  # nodes: more than ten pages' worth


def search(job: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """
    Ask every question of all documents, and of its own: FAISS stores take no filter, so each has an index of its own.

    Returns:
        As `sides/ragvl_search.py`, by retriever.
    """
    model = embedding(job["model"])
    nodes = _nodes(job, model)
    own = {
        name: [node for node in nodes if page_of(node.metadata)[0] == name]
        for name in {question["document"] for question in job["questions"]}
    }
    everything = retrievers(faiss_index(nodes, model), nodes, _DEPTH)
    by_document = {
        name: retrievers(faiss_index(of_one, model), of_one, _DEPTH) for name, of_one in own.items() if of_one
    }
    return {
        name: [
            {
                "all": _ask(everything, name, question["text"], job["k"]),
                "own": _ask(by_document.get(question["document"]), name, question["text"], job["k"]),
            }
            for question in job["questions"]
        ]
        for name in everything
    }


def _ask(over: Retrievers | None, name: str, text: str, k: int) -> list[tuple[str, int]]:
    """Pages found; none in a document without any text."""
    return ranked_pages(over[name].retrieve(text), k) if over else []


def _nodes(job: dict[str, Any], model: Any) -> list[BaseNode]:
    """Nodes with their vectors; kept in the file that `cache` names, if it does."""
    cache = Path(job["cache"]) if job["cache"] else None
    if cache and cache.exists():
        return [TextNode.from_json(line) for line in cache.read_text("utf-8").splitlines()]
    nodes = split(read_pages(job["documents"]), job["chunk_tokens"])
    texts = [node.get_content(metadata_mode=MetadataMode.EMBED) for node in nodes]
    for node, vector in zip(nodes, model.get_text_embedding_batch(texts), strict=True):
        node.embedding = vector
    if cache:
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text("".join(json.dumps(node.to_dict()) + "\n" for node in nodes), "utf-8")
    return nodes


if __name__ == "__main__":
    perform(search)
