"""The encoder baselines: sentence-transformers with FAISS, and LlamaIndex's hybrid retriever."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragvl.errors import ConfigError, MissingExtraError, ModelFileError
from ragvl.evals.systems.baseline import best_pages
from ragvl.evals.systems.dense import DenseSystem
from ragvl.evals.systems.llama_index import LlamaIndexSystem, in_this_order
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.types import CorpusPage, EvalQuery, EvalSet, System

Options = Callable[..., SystemOptions]


def query(text: str) -> EvalQuery:
    """A query about nothing else."""
    return EvalQuery("q", text)


def copy_with_similarity(model: Path, folder: Path, similarity: str) -> Path:
    """The model, made for another comparison."""
    shutil.copytree(model, folder)
    settings = folder / "config_sentence_transformers.json"
    changed = {**json.loads(settings.read_text("utf-8")), "similarity_fn_name": similarity}
    settings.write_text(json.dumps(changed), "utf-8")
    return folder


def test_dense_scores_a_page_by_its_best_piece(
    tiny_encoder: Path, options: Options, no_network: list[Any]
) -> None:
    """As a comparison of the query with every piece on its own does, whatever the order of pages."""
    from sentence_transformers import SentenceTransformer

    words = [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ]
    texts = {"long": " ".join(words), "short": "beech wood", "other": "winter kitchen"}
    pages = tuple(CorpusPage(name, name, 1, text=text) for name, text in texts.items())
    system = DenseSystem(options(model=str(tiny_encoder), chunk_tokens=8, overlap=0.5))
    figures = system.index(EvalSet("words", "", "1", "", (), pages, (), {}))
    assert figures.pages == 3
    encoder = SentenceTransformer(str(tiny_encoder), device="cpu")
    # Most of these words are no word of the tokenizer's, and are one token each; pieces overlap by half.
    tokens = encoder.tokenizer(texts["long"], add_special_tokens=False, return_offsets_mapping=True)
    spans = tokens["offset_mapping"]
    pieces = [
        texts["long"][spans[at][0] : spans[min(at + 8, len(spans)) - 1][1]] for at in range(0, len(spans), 4)
    ]
    asked = encoder.encode(["nine ten"], normalize_embeddings=True)[0]
    best = (encoder.encode(pieces, normalize_embeddings=True) @ asked).max()
    found = system.search(query("nine ten"), 10)
    assert found.keys() == texts.keys()
    assert found["long"] == pytest.approx(float(best), abs=1e-5)


def test_dense_finds_k_pages_though_one_has_many_pieces(tiny_encoder: Path, options: Options) -> None:
    """The pieces of one page do not crowd the others out."""
    pages = (
        CorpusPage("many", "a", 1, text="crane " * 400),
        CorpusPage("one", "b", 1, text="rye bread"),
        CorpusPage("two", "b", 2, text="cold kitchen"),
    )
    system = DenseSystem(options(model=str(tiny_encoder), chunk_tokens=8))
    system.index(EvalSet("pieces", "", "1", "", (), pages, (), {}))
    assert len(system.search(query("crane"), 3)) == 3
    assert len(system.search(query("crane"), 1)) == 1


@pytest.mark.parametrize("system_class", [DenseSystem, LlamaIndexSystem])
def test_both_find_pages_in_files(
    system_class: Any, corpus: EvalSet, tiny_encoder: Path, options: Options, no_network: list[Any]
) -> None:
    """The page that says what is asked comes first; a document alone is searched; what was made is found again."""
    system: System = system_class(options(model=str(tiny_encoder)))
    figures = system.index(corpus)
    assert figures.pages == 5 - len(figures.failed)
    assert figures.bytes > 0
    text = "The oven of the bakery burns beech wood."
    found = system.search(query(text), 3)
    assert len(found) == 3
    assert max(found, key=lambda page: found[page]) == "bread-2"
    assert (
        {"cranes-1", "cranes-2"}
        <= system.search(query(text), 10, "cranes").keys()
        <= {
            "cranes-1",
            "cranes-2",
            "cranes-3",
        }
    )
    assert system.search(query(text), 10, "ships") == {}
    later = system_class(options(model=str(tiny_encoder)))
    assert later.index(corpus) == figures
    assert later.search(query(text), 3) == found
    assert json.loads(json.dumps(system.describe())) == json.loads(json.dumps(later.describe()))
    assert str(later.describe()["model"]).isalnum()
    assert system.name.endswith(" tiny")
    with pytest.raises(NotImplementedError):
        system.answer(query(text))
    system.close()
    later.close()


def test_llama_index_names_files_it_cannot_read(
    corpus: EvalSet, tiny_encoder: Path, options: Options, no_network: list[Any]
) -> None:
    """Their pages fall back to the dataset's own text, where there is some."""
    corpus.documents[1].path.write_bytes(b"%PDF-1.7 nothing more")
    pages = tuple(replace(page, text="spare" if page.id == "bread-1" else "") for page in corpus.pages)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    system = LlamaIndexSystem(options(model=str(tiny_encoder)))
    figures = system.index(replace(corpus, pages=pages))
    assert (root.handlers, root.level) == before
    assert figures.pages == 4
    assert len(figures.failed) == 1
    assert figures.failed[0].startswith("bread-2: bread.pdf cannot be read")
    assert system.search(query("spare"), 10, "bread").keys() == {"bread-1"}


def test_the_same_page_twice_is_found_twice(tiny_encoder: Path, options: Options) -> None:
    """LlamaIndex tells nodes apart by their content; pages that hold the same text stay two."""
    pages = tuple(CorpusPage(name, name, 1, text="The same words.") for name in ("a", "b"))
    system = LlamaIndexSystem(options(model=str(tiny_encoder)))
    system.index(EvalSet("twins", "", "1", "", (), pages, (), {}))
    assert system.search(query("words"), 10).keys() == {"a", "b"}


def test_equal_scores_keep_the_order_of_the_retriever() -> None:
    """Fusion by rank gives many; the least that lowers them is enough."""
    falling = in_this_order({"a": 0.5, "z": 0.5, "m": 0.5, "b": 0.25})
    assert best_pages(falling, 4) == falling
    assert list(falling) == ["a", "z", "m", "b"]
    assert falling["m"] == pytest.approx(0.5, abs=1e-6)
    assert falling["b"] == 0.25


def test_llama_index_finds_what_its_own_parts_find(
    corpus: EvalSet, tiny_encoder: Path, options: Options
) -> None:
    """The same pages in the same order as the parts put together by hand, pages without text among them."""
    import faiss
    from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.readers.file import PyMuPDFReader
    from llama_index.retrievers.bm25 import BM25Retriever
    from llama_index.vector_stores.faiss import FaissVectorStore

    system = LlamaIndexSystem(options(model=str(tiny_encoder)))
    assert system.index(corpus).failed == ()
    files = [str(document.path) for document in corpus.documents]
    pages = SimpleDirectoryReader(input_files=files, file_extractor={".pdf": PyMuPDFReader()}).load_data()
    nodes = SentenceSplitter(chunk_size=1024, chunk_overlap=200).get_nodes_from_documents(pages)
    storage = StorageContext.from_defaults(vector_store=FaissVectorStore(faiss.IndexFlatIP(32)))
    encoder = HuggingFaceEmbedding(model_name=str(tiny_encoder), device="cpu")
    vectors = VectorStoreIndex(nodes, storage_context=storage, embed_model=encoder)
    parts = [
        vectors.as_retriever(similarity_top_k=5),
        BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=5),
    ]
    retriever = QueryFusionRetriever(
        parts, llm=MockLLM(), similarity_top_k=5, num_queries=1, mode="reciprocal_rerank", use_async=False
    )
    for text in ("crane", "bread in winter", "beech wood"):
        metadata = [hit.node.metadata for hit in retriever.retrieve(text)]
        theirs = [f"{Path(one['file_path']).stem}-{one['source']}" for one in metadata]
        assert list(system.search(query(text), 5)) == theirs


def test_wrong_models_are_refused(
    tiny_encoder: Path, tmp_path: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without a model, no model at all, and one that compares by distance."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match="dense needs the setting 'model'"):
        DenseSystem(options())
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelFileError, match="Give a folder that holds one"):
        DenseSystem(options(model=str(empty))).describe()
    far = copy_with_similarity(tiny_encoder, tmp_path / "far", "euclidean")
    with pytest.raises(ConfigError, match="compares by euclidean"):
        DenseSystem(options(model=str(far))).describe()


def test_missing_packages_are_named(
    tiny_encoder: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that installs them."""
    monkeypatch.setitem(sys.modules, "llama_index.vector_stores.faiss", None)
    with pytest.raises(MissingExtraError, match=r'pip install "ragvl\[baselines\]"'):
        LlamaIndexSystem(options(model=str(tiny_encoder))).describe()
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r'pip install "ragvl\[baselines\]"'):
        DenseSystem(options(model=str(tiny_encoder))).describe()


def test_a_model_for_dot_products_keeps_its_lengths(
    tiny_encoder: Path, tmp_path: Path, options: Options
) -> None:
    """Vectors are made unit length for cosine only."""
    dot = copy_with_similarity(tiny_encoder, tmp_path / "dot", "dot")
    pages = (CorpusPage("a", "a", 1, text="rye bread"),)
    system = DenseSystem(options(model=str(dot)))
    system.index(EvalSet("dot", "", "1", "", (), pages, (), {}))
    vector = system._model.encode(["rye bread"])[0]
    assert system.search(query("rye bread"), 1)["a"] == pytest.approx(float(np.dot(vector, vector)), rel=1e-5)
    assert float(np.linalg.norm(vector)) != pytest.approx(1.0, abs=1e-3)
