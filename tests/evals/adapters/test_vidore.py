"""ragvl in ViDoRe's pipeline framework: called as its runner calls it, and the files that its board takes."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytrec_eval
from PIL import Image

from ragvl.evals.adapters import vidore
from ragvl.evals.adapters.vidore_description import describe_ragvl, write_description
from ragvl.evals.adapters.vidore_results import metrics_document, write_metrics
from ragvl.evals.systems.bm25 import Bm25System
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.types import CorpusPage, EvalQuery, EvalSet, IndexingFigures, QueryResult

TEXTS = {
    "1": "The crane lifts forty tonnes over the harbour wall.",
    "2": "Maintenance of the crane is due every third winter.",
    "9": "Rye bread rises slowly in a cold kitchen.",
    "10": None,
}
QUERIES = {
    "0": ("How much can the crane lift?", "english"),
    "1": ("Maintenance in winter", "english"),
    "2": ("xylophone", "french"),
}
QRELS = {"0": {"1": 1, "2": 2}, "1": {"2": 2, "9": 1}, "2": {"9": 1}}
METRICS = (
    *(f"ndcg_cut_{k}" for k in (1, 5, 10, 20, 100)),
    *(f"recall_{k}" for k in (1, 5, 10, 20, 50, 100)),
    *(f"P_{k}" for k in (1, 5, 10, 20)),
    *("map", "map_cut_1", "map_cut_10", "map_cut_100", "recip_rank"),
)
TIMING = {  # of the files that the board publishes
    "total_retrieval_time_milliseconds",
    "indexing_time_milliseconds",
    "search_time_milliseconds",
    "num_queries",
    "num_corpus",
    "indexing_throughput_ms_per_doc",
    "search_throughput_ms_per_query",
}


class BasePipeline(ABC):
    """The part of the framework's base class that decides what its runner loads."""

    @abstractmethod
    def search(self, query_ids: Any, queries: Any) -> Any:
        """Find pages."""


@pytest.fixture
def framework(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The framework is there, as it is in the process of its command line."""
    for name in ("vidore_benchmark", "vidore_benchmark.pipeline_evaluation"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    module = ModuleType("vidore_benchmark.pipeline_evaluation.base_pipeline")
    module.BasePipeline = BasePipeline  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    yield
    sys.modules.pop("custom_pipeline", None)


def load_pipeline(path: str, class_name: str, **arguments: Any) -> Any:
    """Load a pipeline from a file as the command line does: any but a subclass is a mistake."""
    spec = importlib.util.spec_from_file_location("custom_pipeline", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["custom_pipeline"] = module
    spec.loader.exec_module(module)
    found = getattr(module, class_name)
    assert issubclass(found, BasePipeline)
    return found(**arguments)


def run(pipeline: Any) -> dict[str, Any]:
    """The runner's steps: index, search, fill up, score with pytrec_eval, take means overall and by language."""
    images = [Image.new("L", (20, 20), shade) for shade in range(len(TEXTS))]
    started = time.time()
    pipeline.index(
        corpus_ids=list(TEXTS),
        corpus_images=images,
        corpus_texts=list(TEXTS.values()),
        dataset_name="vidore/vidore_v3_hr",
    )
    indexed = time.time()
    result = pipeline.search(query_ids=list(QUERIES), queries=[text for text, _ in QUERIES.values()])
    searched = time.time()
    found, infos = result if isinstance(result, tuple) else (result, None)
    assert isinstance(found, dict)
    for query in QUERIES:
        found.setdefault(query, {})
    scores = pytrec_eval.RelevanceEvaluator(QRELS, set(METRICS)).evaluate(found)
    languages = dict.fromkeys(language for _, language in QUERIES.values())
    by_language = {}
    for language in languages:
        of_it = [scores[query] for query in QUERIES if QUERIES[query][1] == language]
        by_language[language] = {**means(of_it), "num_queries": len(of_it)}
    timing = dict.fromkeys(TIMING, 0.0) | {"search_time_milliseconds": (searched - indexed) * 1000}
    timing["indexing_time_milliseconds"] = (indexed - started) * 1000
    overall = means(list(scores.values()))
    return {"overall": overall, "by_language": by_language, "timing": timing, "infos": infos}


def means(scores: list[dict[str, float]]) -> dict[str, float]:
    """Of every metric."""
    return {name: sum(score[name] for score in scores) / len(scores) for name in METRICS}


def document(tmp_path: Path, language: str = "") -> dict[str, Any]:
    """The board's file made from an evaluation of ragvl's own, on the same data."""
    codes = {"english": "en", "french": "fr"}
    corpus = EvalSet(
        name="vidore_v3_hr",
        board="",
        revision="1",
        main_metric="ndcg@10",
        documents=(),
        pages=tuple(CorpusPage(page, page, 1, text=text or "") for page, text in TEXTS.items()),
        queries=tuple(
            EvalQuery(query, text, language=codes[name]) for query, (text, name) in QUERIES.items()
        ),
        relevance=QRELS,
    )
    system = Bm25System(SystemOptions(tmp_path / "own"))
    figures = system.index(corpus)
    results = [
        QueryResult(query.id, system.search(query, 100), 0.25) for query in corpus.queries if query.id != "2"
    ]
    return dict(metrics_document(corpus, results, figures, language=language))


def test_the_runner_loads_it_and_scores_it(framework: None, tmp_path: Path) -> None:
    """Loaded from its file as a subclass, and scored like ragvl's own evaluation, language by language."""
    system = Bm25System(SystemOptions(tmp_path / "work"))
    pipeline = load_pipeline(vidore.__file__, "RagvlPipeline", work=str(tmp_path), system=system)
    theirs = run(pipeline)
    ours = document(tmp_path)["aggregated_metrics"]
    for part in ("overall", "by_language"):
        assert json.loads(json.dumps(theirs[part])) == _approximately(ours[part])
    assert 0 < theirs["overall"]["ndcg_cut_10"] < 1
    assert theirs["by_language"]["french"]["ndcg_cut_10"] == 0
    assert json.loads(json.dumps(theirs["infos"]))["pages_indexed"] == 3
    assert theirs["infos"].keys() == ours["infos"].keys()


def _approximately(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _approximately(value) if isinstance(value, dict) else pytest.approx(value, abs=1e-12)
        for key, value in values.items()
    }


def test_it_is_ragvl_from_json_arguments(framework: None, tmp_path: Path) -> None:
    """As the command line passes them; of the two readings that a corpus has, the text is asked for."""
    arguments = {"work": str(tmp_path), "read": "text", "settings": {"reading": {"workers": 1}}, "k": 2}
    pipeline = load_pipeline(vidore.__file__, "RagvlPipeline", **json.loads(json.dumps(arguments)))
    results = run(pipeline)
    assert results["by_language"]["english"]["recall_5"] > 0
    found, _ = pipeline.search(["0"], ["crane"])
    assert 0 < len(found["0"]) <= 2
    assert all(isinstance(score, float) for score in found["0"].values())


def test_without_the_framework_it_has_the_same_two_methods(tmp_path: Path) -> None:
    """It can be used, though not loaded by a framework that is not there."""
    pipeline = vidore.RagvlPipeline(system=Bm25System(SystemOptions(tmp_path)))
    assert not issubclass(vidore.RagvlPipeline, BasePipeline)
    with pytest.raises(RuntimeError, match="index a corpus first"):
        pipeline.search(["0"], ["crane"])
    pipeline.index(["a"], [Image.new("RGB", (8, 8))], ["A crane."])
    assert pipeline.search(["0", "1"], ["crane", "oven"])[0].keys() == {"0", "1"}


def test_images_stay_open_and_tell_corpora_apart(tmp_path: Path) -> None:
    """Corpora without text are told apart by their pixels."""
    seen = []

    class Watching(Bm25System):
        def index(self, corpus: EvalSet) -> IndexingFigures:
            seen.append(corpus)
            return IndexingFigures(len(corpus.pages), 0.0, 0, 0)

    pipeline = vidore.RagvlPipeline(system=Watching(SystemOptions(tmp_path)))
    for shade in (1, 2, 2):
        image = Image.new("L", (8, 8), shade)
        pipeline.index(["a"], [image], [None], "vidore/vidore_v3_hr")
        opened = seen[-1].pages[0].image()
        assert (opened.mode, opened.size) == ("RGB", (8, 8))
        opened.close()
        assert image.getpixel((0, 0)) == shade
    assert [corpus.name for corpus in seen] == ["vidore_v3_hr"] * 3
    assert seen[0].revision != seen[1].revision
    assert seen[1].revision == seen[2].revision


def test_the_file_of_metrics_is_laid_out_as_published_ones(tmp_path: Path) -> None:
    """Key by key as the board's published file of captain-text on the same corpus."""
    made = document(tmp_path, "en")
    path = write_metrics(tmp_path, "ragvl", made)
    assert path == tmp_path / "results" / "metrics" / "ragvl" / "vidore_v3_hr.json"
    read = json.loads(path.read_text("utf-8"))
    assert list(read) == [
        "dataset",
        "split",
        "language",
        "pipeline_type",
        "module_path",
        "class_name",
        "pipeline_args",
        "aggregated_metrics",
    ]
    assert (read["dataset"], read["split"], read["language"]) == ("vidore/vidore_v3_hr", "test", "english")
    assert (read["pipeline_type"], read["class_name"]) == (None, "RagvlPipeline")
    aggregated = read["aggregated_metrics"]
    assert list(aggregated) == ["overall", "by_language", "timing", "infos"]
    assert aggregated["overall"].keys() == set(METRICS)
    assert aggregated["by_language"].keys() == {"english"}
    assert aggregated["by_language"]["english"] == {**aggregated["overall"], "num_queries": 2}
    assert aggregated["timing"].keys() == TIMING
    assert aggregated["timing"]["num_corpus"] == 4
    assert aggregated["timing"]["search_time_milliseconds"] == pytest.approx(500)
    assert aggregated["timing"]["search_throughput_ms_per_query"] == pytest.approx(250)
    assert all(isinstance(value, float) for value in aggregated["overall"].values())


def test_a_query_that_was_not_asked_scores_nothing(tmp_path: Path) -> None:
    """The framework scores it 0 as well."""
    everything = document(tmp_path)["aggregated_metrics"]
    assert everything["by_language"]["french"]["num_queries"] == 1
    english = document(tmp_path, "en")["aggregated_metrics"]
    assert everything["overall"]["ndcg_cut_10"] == pytest.approx(english["overall"]["ndcg_cut_10"] * 2 / 3)
    with pytest.raises(ValueError, match="in language 'de' is judged"):
        document(tmp_path, "de")


def test_the_description_is_laid_out_as_published_ones(tmp_path: Path) -> None:
    """It tells what the pipeline is made of; edges lead from node to node."""
    path = write_description(tmp_path, describe_ragvl("ragvl", settings={"passages": {"target_words": 90}}))
    assert path == tmp_path / "results" / "pipeline_descriptions" / "ragvl" / "description.json"
    read = json.loads(path.read_text("utf-8"))
    assert list(read) == [
        "pipeline_name",
        "pipeline_alias",
        "description",
        "module_path",
        "class_name",
        "hardware_information",
        "nodes",
        "edges",
    ]
    assert read["pipeline_alias"] == "ragvl (embedded)"
    assert read["hardware_information"].keys() == {"GPU_type", "num_gpus", "num_cpu_cores", "RAM"}
    for node in read["nodes"]:
        assert node.keys() == {"id", "component_type", "model_name", "modalities", "description"}
    assert "granite-embedding-30m-english" in {node["model_name"] for node in read["nodes"]}
    assert "about 90 words" in read["nodes"][0]["description"]
    ids = {node["id"] for node in read["nodes"]}
    assert len(read["edges"]) == 4
    assert all({edge["source"], edge["target"]} <= ids for edge in read["edges"])


def test_a_pipeline_that_reads_text_says_so() -> None:
    """No OCR takes part then."""
    seen = describe_ragvl(
        "ragvl-visual", "visual", {"retrieval": {"rerank": {"model": "org/reranker", "kind": "both"}}}
    )
    assert [node.model_name for node in seen.nodes][3:] == [
        "ModernVBERT/colmodernvbert",
        "convex combination of normalised scores",
        "org/reranker",
    ]
    ids = {node.id for node in seen.nodes}
    assert {target for node in seen.nodes for target in node.feeds} <= ids
    ingestion = describe_ragvl("ragvl-text", read="text").nodes[0]
    assert ingestion.model_name == "none"
    assert ingestion.modalities == ("text",)
