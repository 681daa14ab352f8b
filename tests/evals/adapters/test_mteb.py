"""ragvl inside mteb: its numbers are those of ragvl's own evaluation of the same data."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import mteb
import pytest
from datasets import Dataset
from mteb.abstasks import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models import SearchProtocol
from PIL import Image, ImageDraw, ImageFont

from ragvl import __version__
from ragvl.errors import ConfigError, MissingExtraError
from ragvl.evals.adapters.mteb import RagvlSearch, SystemSearch
from ragvl.evals.metrics import mean_scores, score_run
from ragvl.evals.systems.bm25 import Bm25System
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.systems.ragvl import RagvlSystem
from ragvl.evals.types import CorpusPage, EvalQuery, EvalSet, IndexingFigures

TEXTS = {
    "p1": "The crane lifts forty tonnes over the harbour wall.",
    "p2": "Maintenance of the crane is due every third winter.",
    "p3": "Rye bread rises slowly in a cold kitchen.",
    "p10": "The oven of the bakery burns beech wood.",
}
QUERIES = {
    "q1": "How much can the crane lift?",
    "q2": "When is maintenance of the oven due?",
    "q3": "bread",
    "q4": "xylophone",
}
RELEVANCE = {"q1": {"p1": 1, "p2": 2}, "q2": {"p2": 2, "p10": 1}, "q3": {"p3": 1}, "q4": {"p10": 1}}
ONE_WORKER = {"reading": {"workers": 1}}
MEASURES = {  # mteb's names to ours
    "ndcg_at_1": "ndcg@1",
    "ndcg_at_5": "ndcg@5",
    "ndcg_at_10": "ndcg@10",
    "map_at_10": "map@10",
    "recall_at_1": "recall@1",
    "recall_at_100": "recall@100",
    "precision_at_5": "p@5",
    "mrr_at_10": "mrr@10",
}


class LocalTask(AbsTaskRetrieval):
    """A task of mteb whose data are here."""

    def __init__(self, corpus: Dataset, top_ranked: Mapping[str, list[str]] | None = None) -> None:
        kinds = sorted(set(corpus.column_names) & {"text", "image"})
        self.metadata = TaskMetadata(
            type="Any2AnyRetrieval" if "image" in kinds else "Retrieval",
            name="RagvlLocal" + "".join(kind.title() for kind in kinds),
            description="Four pages.",
            reference=None,
            dataset={"path": "local/pages", "revision": "NA"},
            category={"text": "t2t", "image": "t2i", "image text": "t2it"}[" ".join(kinds)],
            modalities=["text", "image"] if "image" in kinds else ["text"],
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="ndcg_at_10",
            date=("2026-01-01", "2026-01-01"),
            domains=[],
            task_subtypes=[],
            license="cc-by-4.0",
            annotations_creators="derived",
            dialect=[],
            sample_creation="created",
            bibtex_citation="",
        )
        super().__init__()
        queries = Dataset.from_dict({"id": list(QUERIES), "text": list(QUERIES.values())})
        split = {"corpus": corpus, "queries": queries, "relevant_docs": RELEVANCE, "top_ranked": top_ranked}
        self.dataset = {"default": {"test": split}}
        self.data_loaded = True


def evaluate(model: SystemSearch, task: LocalTask) -> dict[str, Any]:
    """What mteb makes of it."""
    results = mteb.evaluate(model, task, cache=None, co2_tracker=False, show_progress_bar=False)
    return dict(results.task_results[0].scores["test"][0])


def drawn(text: str) -> Image.Image:
    """A page as an image, as large as a small scan, with an alpha channel."""
    image = Image.new("RGBA", (900, 240), "white")
    font = ImageFont.load_default(size=30)
    ImageDraw.Draw(image).text((30, 90), text, fill="black", font=font)
    return image


def own_evaluation(folder: Path, pages: tuple[CorpusPage, ...]) -> dict[str, float]:
    """What ragvl's evaluation makes of the same data, in a folder of its own."""
    queries = tuple(EvalQuery(query, text) for query, text in QUERIES.items())
    corpus = EvalSet("same-data", "", "1", "ndcg@10", (), pages, queries, RELEVANCE)
    system = RagvlSystem(SystemOptions(folder, settings=ONE_WORKER))
    system.index(corpus)
    run = {query.id: system.search(query, 1000) for query in corpus.queries}
    system.close()
    return mean_scores(score_run(RELEVANCE, run, MEASURES.values()))


def assert_same(theirs: Mapping[str, Any], ours: Mapping[str, float]) -> None:
    """mteb rounds to five places."""
    assert {name: theirs[name] for name in MEASURES} == {
        name: pytest.approx(ours[measure], abs=6e-6) for name, measure in MEASURES.items()
    }
    assert theirs["main_score"] == theirs["ndcg_at_10"]


def test_texts_score_as_in_ragvls_own_evaluation(tmp_path: Path) -> None:
    """Every measure that both know."""
    corpus = Dataset.from_dict({"id": list(TEXTS), "text": list(TEXTS.values())})
    model = RagvlSearch(tmp_path / "mteb", settings=ONE_WORKER)
    theirs = evaluate(model, LocalTask(corpus))
    pages = tuple(CorpusPage(page, page, 1, text=text) for page, text in TEXTS.items())
    ours = own_evaluation(tmp_path / "own", pages)
    assert_same(theirs, ours)
    assert 0.5 < ours["ndcg@10"] < 1
    assert model.figures is not None
    assert model.figures.pages == 4


def test_images_score_as_in_ragvls_own_evaluation(tmp_path: Path) -> None:
    """Pages that are images are read from them, although there is text as well."""
    images = {page: drawn(text) for page, text in TEXTS.items()}
    columns = {"id": list(images), "image": list(images.values()), "text": ["nothing"] * 4}
    theirs = evaluate(
        RagvlSearch(tmp_path / "mteb", settings=ONE_WORKER), LocalTask(Dataset.from_dict(columns))
    )
    pages = tuple(
        CorpusPage(page, page, 1, partial(images[page].convert, "RGB"), "nothing") for page in TEXTS
    )
    ours = own_evaluation(tmp_path / "own", pages)
    assert_same(theirs, ours)
    assert ours["ndcg@10"] > 0.5


def test_a_query_that_finds_nothing_counts(tmp_path: Path) -> None:
    """mteb leaves out queries that a system hands nothing back for; this one counts as 0."""
    corpus = Dataset.from_dict({"id": list(TEXTS), "text": list(TEXTS.values())})
    model = SystemSearch(Bm25System(SystemOptions(tmp_path)))
    theirs = evaluate(model, LocalTask(corpus))
    system = Bm25System(SystemOptions(tmp_path))
    pages = tuple(CorpusPage(page, page, 1, text=text) for page, text in TEXTS.items())
    system.index(EvalSet("same-data", "", "1", "", (), pages, (), {}))
    run = {query: system.search(EvalQuery(query, text), 1000) for query, text in QUERIES.items()}
    assert run["q4"] == {}
    assert_same(theirs, mean_scores(score_run(RELEVANCE, run, MEASURES.values())))


def test_reranking_tasks_find_candidates_only(tmp_path: Path) -> None:
    """What a task ranked before bounds what can be found."""
    corpus = Dataset.from_dict({"id": list(TEXTS), "text": list(TEXTS.values())})
    task = LocalTask(corpus, {query: ["p2"] for query in QUERIES})
    model = SystemSearch(Bm25System(SystemOptions(tmp_path)))
    assert evaluate(model, task)["recall_at_100"] == pytest.approx((0.5 + 0.5 + 0 + 0) / 4)


def test_titles_instructions_and_conversations_are_read(tmp_path: Path) -> None:
    """As mteb's own models read them."""
    model = SystemSearch(Bm25System(SystemOptions(tmp_path)))
    corpus = Dataset.from_dict({"id": ["a", "b"], "title": ["Harbour", ""], "text": ["A wall.", "An oven."]})
    model.index(corpus, task_metadata=LocalTask(corpus).metadata, hf_split="test")
    plain = Dataset.from_dict(
        {"id": ["1", "2"], "text": ["harbour", "x"], "instruction": [None, "Find an oven"]}
    )
    found = model.search(plain, top_k=10)
    assert {query: list(pages) for query, pages in found.items()} == {"1": ["a"], "2": ["b"]}
    turns = [[{"role": "user", "content": "An oven"}, {"role": "assistant", "content": "Which?"}]]
    assert list(model.search(Dataset.from_dict({"id": ["3"], "text": turns}), top_k=10)["3"]) == ["b"]
    with pytest.raises(ValueError, match="queries are texts here, and these are id, image"):
        model.search(Dataset.from_dict({"id": ["4"], "image": [drawn("An oven")]}), top_k=10)


def test_another_corpus_of_the_same_name_is_indexed_anew(tmp_path: Path) -> None:
    """Local data have no commit that tells versions apart; their content does."""
    model = SystemSearch(Bm25System(SystemOptions(tmp_path)))
    for word in ("oven", "crane"):
        corpus = Dataset.from_dict({"id": ["a"], "text": [f"One {word}."]})
        model.index(corpus, task_metadata=LocalTask(corpus).metadata, hf_split="test")
    asked = Dataset.from_dict({"id": ["1", "2"], "text": ["oven", "crane"]})
    assert [list(pages) for pages in model.search(asked, top_k=5).values()] == [[], ["a"]]


def test_subsets_with_the_same_corpus_share_an_index(tmp_path: Path) -> None:
    """The languages of a task differ in their queries; other images of the same names are another corpus."""
    revisions = []

    class Watching(Bm25System):
        def index(self, corpus: EvalSet) -> IndexingFigures:
            revisions.append((corpus.name, corpus.revision))
            return IndexingFigures(len(corpus.pages), 0.0, 0, 0)

    model = SystemSearch(Watching(SystemOptions(tmp_path)))
    for text, subset in (("one", "english"), ("one", "french"), ("two", "english")):
        corpus = Dataset.from_dict({"id": ["a"], "image": [drawn(text)]})
        model.index(corpus, task_metadata=LocalTask(corpus).metadata, hf_split="test", hf_subset=subset)
    assert revisions[0] == revisions[1]
    assert revisions[1] != revisions[2]


def test_its_metadata_say_what_is_known(tmp_path: Path) -> None:
    """A whole system, whose parts have no one size; what was set other than usual keeps results apart."""
    model = RagvlSearch(tmp_path)
    assert isinstance(model, SearchProtocol)
    meta = model.mteb_model_meta
    assert (meta.name, meta.revision) == ("ragvl/ragvl", __version__)
    assert meta.modalities == ["text", "image"]
    assert meta.model_type == ["hybrid"]
    assert meta.n_parameters is None
    assert meta.training_datasets is None
    assert meta.experiment_name is None
    changed = RagvlSearch(tmp_path, settings=ONE_WORKER, read="text").mteb_model_meta
    assert changed.experiment_name
    assert SystemSearch(Bm25System(SystemOptions(tmp_path))).mteb_model_meta.modalities == ["text"]
    with pytest.raises(ConfigError):
        RagvlSearch(tmp_path, settings={"raeding": {}})


def test_without_mteb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module itself can be imported without it."""
    monkeypatch.setitem(sys.modules, "mteb.models.model_meta", None)
    with pytest.raises(MissingExtraError, match=r'pip install "ragvl\[mteb\]"'):
        _ = RagvlSearch(tmp_path).mteb_model_meta
