"""LlamaIndex's hybrid retriever, put together as its documentation does."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ragvl.evals.systems.baseline import Settings, TextBaseline, parse_settings
from ragvl.evals.systems.bm25 import load_bm25s
from ragvl.evals.systems.dense import loading, model_fingerprint
from ragvl.evals.systems.optional import require
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.types import CorpusPage, EvalSet

__all__ = ["LlamaIndexSettings", "LlamaIndexSystem"]

_NODES_PER_PAGE = 6  # a node is a piece of a page: so many are asked for to find one page
_PAGE, _DOCUMENT = "eval_page", "eval_document"
_OWN_KEYS = [_PAGE, _DOCUMENT]


class LlamaIndexSettings(Settings):
    """
    Which encoder, and how pages are cut; the defaults are LlamaIndex's.

    Attributes:
        model: a folder, or a name that sentence-transformers can download.
        chunk_tokens, overlap_tokens: of its sentence splitter, tokens of its own tokenizer.
        batch: nodes encoded at a time.
        device: "cpu", "cuda"; None leaves it to LlamaIndex.
    """

    model: str
    chunk_tokens: int = Field(1024, ge=32)
    overlap_tokens: int = Field(200, ge=0)
    batch: int = Field(10, ge=1)
    device: str | None = None


class LlamaIndexSystem(TextBaseline):
    """
    PyMuPDF reader, sentence splitter, exact FAISS index and BM25, fused by reciprocal rank.

    FAISS stores take no filter, so that a search of one document has an index of that document alone.
    Nothing is asked of a language model.
    """

    kind = "llama-index"
    packages = (
        "llama-index-core",
        "llama-index-embeddings-huggingface",
        "llama-index-readers-file",
        "llama-index-retrievers-bm25",
        "llama-index-vector-stores-faiss",
        "bm25s",
        "faiss-cpu",
        "sentence-transformers",
        "torch",
    )

    def __init__(self, options: SystemOptions) -> None:
        """
        Take the options.

        Raises:
            ConfigError: unknown settings, or no model.
        """
        super().__init__(options)
        self._settings = parse_settings(LlamaIndexSettings, options.settings, self.kind)
        self._model: Any = None
        self._fingerprint = ""
        self._index: Any = None
        self._retrievers: dict[tuple[str, int], Any] = {}

    @property
    def name(self) -> str:
        """Name the model too."""
        return f"{self.kind} {Path(self._settings.model).name}"

    def close(self) -> None:
        """Let go of the index; what is on disk stays."""
        super().close()
        self._index = None
        self._retrievers.clear()

    def _configuration(self) -> Mapping[str, object]:
        self._prepare()
        settings = self._settings.model_dump(exclude={"batch", "device"})
        return {"settings": settings, "model": self._fingerprint}

    def _prepare(self) -> None:
        if self._model is not None:
            return
        load_bm25s()
        with _root_logger_kept():
            for module in (
                "embeddings.huggingface",
                "readers.file",
                "retrievers.bm25",
                "vector_stores.faiss",
            ):
                require(f"llama_index.{module}", "baselines")
        huggingface = require("llama_index.embeddings.huggingface", "baselines")
        with loading(self._settings.model):
            self._model = huggingface.HuggingFaceEmbedding(
                model_name=self._settings.model,
                device=self._settings.device,
                embed_batch_size=self._settings.batch,
            )
        self._fingerprint = model_fingerprint(self._settings.model, self._model._model)

    def _build(self, corpus: EvalSet, folder: Path) -> tuple[str, ...]:
        documents, failed = self._documents(corpus)
        splitter = require("llama_index.core.node_parser", "baselines").SentenceSplitter(
            chunk_size=self._settings.chunk_tokens,
            chunk_overlap=min(self._settings.overlap_tokens, self._settings.chunk_tokens // 5),
        )
        nodes = splitter.get_nodes_from_documents(documents)
        if not nodes:
            raise ValueError(f"llama-index reads text, and no page of {corpus.name!r} has any")
        index = self._vector_index(nodes)
        index.storage_context.persist(str(folder))
        self._words(nodes, 1).persist(str(folder / "bm25"), show_progress=False)
        return failed

    def _open(self, folder: Path) -> None:
        self._prepare()
        core = require("llama_index.core", "baselines")
        faiss = require("llama_index.vector_stores.faiss", "baselines")
        store = faiss.FaissVectorStore.from_persist_dir(str(folder))
        storage = core.StorageContext.from_defaults(vector_store=store, persist_dir=str(folder))
        self._index = core.load_index_from_storage(storage, embed_model=self._model)
        self._retrievers.clear()

    def _scores(self, query: str, k: int, document: str) -> Mapping[str, float]:
        key = (document, k)
        if key not in self._retrievers:
            self._retrievers[key] = self._hybrid(k, document)
        if self._retrievers[key] is None:
            return {}
        scores: dict[str, float] = {}
        for found in self._retrievers[key].retrieve(query):  # best first
            scores.setdefault(found.node.metadata[_PAGE], float(found.score))
        return in_this_order(scores)

    def _hybrid(self, k: int, document: str) -> Any:
        """The retriever of one document, or of all; None for a document without text."""
        index, nodes = self._index, list(self._index.docstore.docs.values())
        if document:
            nodes = self._with_vectors(node for node in nodes if node.metadata[_DOCUMENT] == document)
            if not nodes:
                return None
            index = self._vector_index(nodes)
        depth = min(len(nodes), k * _NODES_PER_PAGE)
        return require("llama_index.core.retrievers", "baselines").QueryFusionRetriever(
            [index.as_retriever(similarity_top_k=depth), self._words(nodes, depth)],
            llm=require("llama_index.core.llms", "baselines").MockLLM(),  # it wants one, and asks it nothing
            similarity_top_k=depth,
            num_queries=1,
            mode="reciprocal_rerank",
            use_async=False,
        )

    def _vector_index(self, nodes: Sequence[Any]) -> Any:
        """An exact FAISS index; nodes that have a vector keep it."""
        core = require("llama_index.core", "baselines")
        stores = require("llama_index.vector_stores.faiss", "baselines")
        dimension = len(self._model.get_query_embedding("x"))
        flat = require("faiss", "baselines").IndexFlatIP(dimension)
        storage = core.StorageContext.from_defaults(vector_store=stores.FaissVectorStore(faiss_index=flat))
        return core.VectorStoreIndex(list(nodes), storage_context=storage, embed_model=self._model)

    def _words(self, nodes: Sequence[Any], depth: int) -> Any:
        """BM25 over nodes."""
        bm25 = require("llama_index.retrievers.bm25", "baselines")
        return bm25.BM25Retriever.from_defaults(nodes=list(nodes), similarity_top_k=depth)

    def _with_vectors(self, nodes: Any) -> list[Any]:
        """Nodes with the vectors that the index of the whole corpus holds of them."""
        places = {node: int(place) for place, node in self._index.index_struct.nodes_dict.items()}
        flat = self._index.vector_store.client
        found = []
        for node in nodes:
            node.embedding = flat.reconstruct(places[node.node_id]).tolist()
            found.append(node)
        return found

    def _documents(self, corpus: EvalSet) -> tuple[list[Any], tuple[str, ...]]:
        """
        One document of LlamaIndex a page; and the pages left out, with reasons.

        A page of a file goes in as its reader makes it, with text or without: LlamaIndex also finds it by its path.
        """
        read, problems = ({}, {}) if self._read == "text" else self._read_files(corpus)
        core = require("llama_index.core", "baselines")
        found, failed = [], []
        for page in corpus.pages:
            document = read.get((page.document, page.number))
            own = page.text.strip() if self._read != "files" else ""
            if own and (document is None or not document.text.strip()):
                document = core.Document(text=page.text)
            if document is None:
                failed.append(f"{page.id}: {problems.get(page.document) or 'no text'}")
            else:
                found.append(_marked(document, page))
        return found, tuple(failed)

    def _read_files(self, corpus: EvalSet) -> tuple[dict[tuple[str, int], Any], dict[str, str]]:
        """Pages by document and number, as LlamaIndex's reader makes them; and what is wrong with documents."""
        reader = require("llama_index.readers.file", "baselines").PyMuPDFReader()
        core = require("llama_index.core", "baselines")
        wanted = {page.document for page in corpus.pages}
        pages: dict[tuple[str, int], Any] = {}
        problems: dict[str, str] = {}
        for document in corpus.documents:
            if document.id not in wanted:
                continue
            try:
                with warnings.catch_warnings():
                    # The reader imports PyMuPDF by its old name.
                    warnings.filterwarnings("ignore", "The `fitz` API", FutureWarning)
                    read = core.SimpleDirectoryReader(
                        input_files=[document.path],
                        file_extractor={document.path.suffix: reader},
                        raise_on_error=True,
                    ).load_data()
            except Exception as error:  # noqa: BLE001 - the directory reader raises nothing more particular
                problems[document.id] = f"{document.path.name} cannot be read: {error}"
                continue
            pages |= {(document.id, int(page.metadata["source"])): page for page in read}
        return pages, problems


def _marked(document: Any, page: CorpusPage) -> Any:
    """Note the page on the document, for us and not for the encoder."""
    document.metadata |= {_PAGE: page.id, _DOCUMENT: page.document}
    document.excluded_embed_metadata_keys = [*document.excluded_embed_metadata_keys, *_OWN_KEYS]
    document.excluded_llm_metadata_keys = [*document.excluded_llm_metadata_keys, *_OWN_KEYS]
    return document


def in_this_order(scores: Mapping[str, float]) -> dict[str, float]:
    """
    Lower scores by as little as makes them fall from one to the next, as float32.

    Fusion by rank gives many equal scores, which metrics would order by id rather than as the retriever does.
    """
    falling: dict[str, float] = {}
    last = np.float32(np.inf)
    for page, score in scores.items():
        last = min(np.float32(score), np.nextafter(last, np.float32(-np.inf)))
        falling[page] = float(last)
    return falling


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """One of LlamaIndex's readers sets the root logger up when it is imported; undo that."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
