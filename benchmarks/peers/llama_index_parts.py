"""LlamaIndex as its documentation puts it together: reader, splitter, embedding, FAISS, BM25, rank fusion."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
from llama_index.core import Document, Settings, SimpleDirectoryReader, StorageContext, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import BaseNode, NodeWithScore
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.readers.file import PyMuPDFReader
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index.vector_stores.faiss import FaissVectorStore

# bm25s writes a debug message for every index; the console must not be timed with the searches.
logging.disable(logging.INFO)

__all__ = [
    "Retrievers",
    "embedding",
    "faiss_index",
    "page_of",
    "ranked_pages",
    "read_pages",
    "retrievers",
    "split",
]

_DIMENSION = 384
Retrievers = dict[str, Any]


def embedding(model: str, batch: int = 10) -> HuggingFaceEmbedding:
    """Load the encoder in float32; LlamaIndex embeds ten texts at a time unless told otherwise."""
    return HuggingFaceEmbedding(model_name=model, device="cpu", embed_batch_size=batch)


def read_pages(folder: str) -> list[Document]:
    """Read the PDF files of a folder with PyMuPDF, one document a page."""
    reader = SimpleDirectoryReader(folder, file_extractor={".pdf": PyMuPDFReader()}, required_exts=[".pdf"])
    documents: list[Document] = reader.load_data()
    return documents


def split(documents: Sequence[Document], chunk_tokens: int) -> list[BaseNode]:
    """Cut pages into nodes; LlamaIndex's default is 1,024 tokens with an overlap of 200."""
    splitter = SentenceSplitter(chunk_size=chunk_tokens, chunk_overlap=min(200, chunk_tokens // 5))
    nodes: list[BaseNode] = splitter.get_nodes_from_documents(list(documents))
    return nodes


def faiss_index(nodes: Sequence[BaseNode], model: HuggingFaceEmbedding) -> VectorStoreIndex:
    """Put nodes into an exact FAISS index; nodes that have a vector keep it."""
    store = FaissVectorStore(faiss_index=faiss.IndexFlatIP(_DIMENSION))
    storage = StorageContext.from_defaults(vector_store=store)
    return VectorStoreIndex(list(nodes), storage_context=storage, embed_model=model)


def retrievers(index: VectorStoreIndex, nodes: Sequence[BaseNode], depth: int) -> Retrievers:
    """
    Build the retrievers over an index: vectors, BM25, and both fused by reciprocal rank.

    Args:
        depth: nodes that each returns at most.
    """
    Settings.llm = MockLLM()  # the fusion wants one, though it writes no queries here
    depth = min(depth, len(nodes))
    vectors = index.as_retriever(similarity_top_k=depth)
    words = BM25Retriever.from_defaults(nodes=list(nodes), similarity_top_k=depth)
    hybrid = QueryFusionRetriever(
        [vectors, words], similarity_top_k=depth, num_queries=1, mode="reciprocal_rerank", use_async=False
    )
    return {"vectors": vectors, "BM25": words, "hybrid": hybrid}


def page_of(metadata: dict[str, Any]) -> tuple[str, int]:
    """The file name and page number, from 1, that a node comes from."""
    return Path(metadata["file_path"]).name, int(metadata.get("page_label") or metadata["source"])


def ranked_pages(found: Sequence[NodeWithScore], k: int) -> list[tuple[str, int]]:
    """Pages in the order of their best nodes."""
    return list(dict.fromkeys(page_of(hit.node.metadata) for hit in found))[:k]
