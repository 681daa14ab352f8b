"""What the baselines share, seen through the cheapest of them, and BM25 itself."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ragvl.errors import ConfigError, MissingExtraError
from ragvl.evals.systems.baseline import best_pages
from ragvl.evals.systems.bm25 import Bm25System
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.systems.page_texts import page_texts
from ragvl.evals.types import CorpusPage, EvalDocument, EvalQuery, EvalSet, System

Options = Callable[..., SystemOptions]


def query(text: str) -> EvalQuery:
    """A query about nothing else."""
    return EvalQuery("q", text)


def test_bm25_finds_the_page_by_its_words(corpus: EvalSet, options: Options) -> None:
    """The page with both words comes first, pages with one of them follow, others are not found."""
    system: System = Bm25System(options())
    system.index(corpus)
    assert list(system.search(query("crane maintenance"), 10)) == ["cranes-2", "cranes-1"]
    assert system.search(query("crane maintenance"), 1).keys() == {"cranes-2"}


def test_bm25_matches_stems_and_passes_stop_words_over(corpus: EvalSet, options: Options) -> None:
    """English by default; without a language, words match as they are written."""
    english, plain = Bm25System(options()), Bm25System(options(language=""))
    english.index(corpus)
    plain.index(corpus)
    assert list(english.search(query("lifting"), 10)) == ["cranes-1"]
    assert plain.search(query("lifting"), 10) == {}
    assert english.search(query("the of is"), 10) == {}
    assert "bread-2" in plain.search(query("the"), 10)


def test_a_document_alone_is_searched(corpus: EvalSet, options: Options) -> None:
    """Scores stay those of the whole corpus; a document that is not in the corpus has no pages."""
    system = Bm25System(options())
    system.index(corpus)
    everywhere = system.search(query("crane in a kitchen"), 10)
    assert everywhere.keys() == {"cranes-1", "cranes-2", "bread-1"}
    assert system.search(query("crane in a kitchen"), 10, "bread") == {"bread-1": everywhere["bread-1"]}
    assert system.search(query("crane"), 10, "ships") == {}


def test_figures_count_pages_and_name_those_without_text(corpus: EvalSet, options: Options) -> None:
    """The empty page is not in the index."""
    figures = Bm25System(options()).index(corpus)
    assert figures.pages == 4
    assert figures.failed == ("cranes-3: no text",)
    assert figures.seconds > 0
    assert figures.bytes > 1000
    assert figures.peak_memory_bytes > 1_000_000


def test_an_index_is_made_once(corpus: EvalSet, options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later process finds it, with the same figures; another corpus or setting has an index of its own."""
    made = Bm25System(options()).index(corpus)

    def fail(*_: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(Bm25System, "_build", fail)
    later = Bm25System(options())
    assert later.index(corpus) == made
    assert list(later.search(query("oven"), 10)) == ["bread-2"]
    with pytest.raises(AssertionError, match="built again"):
        later.index(replace(corpus, revision="2"))
    with pytest.raises(AssertionError, match="built again"):
        Bm25System(options(k1=2.0)).index(corpus)


def test_what_a_stopped_run_left_is_made_anew(
    corpus: EvalSet, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an index is not taken for one."""
    build = Bm25System._build

    def stop(self: Bm25System, corpus: EvalSet, folder: Path) -> tuple[str, ...]:
        build(self, corpus, folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(Bm25System, "_build", stop)
    with pytest.raises(KeyboardInterrupt):
        Bm25System(options()).index(corpus)
    monkeypatch.setattr(Bm25System, "_build", build)
    system = Bm25System(options())
    assert system.index(corpus).pages == 4
    assert list(system.search(query("oven"), 10)) == ["bread-2"]


def test_a_baseline_only_searches(corpus: EvalSet, options: Options) -> None:
    """It says so, and asks for an index where there is none."""
    system = Bm25System(options())
    assert not system.answers
    with pytest.raises(NotImplementedError, match="bm25 only searches"):
        system.answer(query("Why?"))
    with pytest.raises(RuntimeError, match="call index first"):
        system.search(query("crane"), 10)
    system.index(corpus)
    system.close()
    with pytest.raises(RuntimeError, match="call index first"):
        system.search(query("crane"), 10)


def test_a_corpus_without_text_is_refused(options: Options) -> None:
    """Rather than scored as if nothing had been found."""
    pages = (CorpusPage("a", "a", 1), CorpusPage("b", "b", 1, text="  "))
    with pytest.raises(ValueError, match="no page of 'images' has words"):
        Bm25System(options()).index(EvalSet("images", "", "1", "", (), pages, (), {}))


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    """With the nearest setting that there is."""
    with pytest.raises(ConfigError, match="unknown setting 'langauge' of bm25; did you mean 'language'"):
        Bm25System(SystemOptions(tmp_path, settings={"langauge": "fr"}))
    with pytest.raises(ConfigError, match="setting 'k1' of bm25"):
        Bm25System(SystemOptions(tmp_path, settings={"k1": "much"}))
    with pytest.raises(ConfigError, match="no word stems for 'xx'"):
        Bm25System(SystemOptions(tmp_path, settings={"language": "xx"}))
    with pytest.raises(ConfigError, match="takes no profile"):
        Bm25System(SystemOptions(tmp_path, profile="gpu"))
    with pytest.raises(ConfigError, match="takes no index"):
        Bm25System(SystemOptions(tmp_path, index=tmp_path))
    with pytest.raises(ConfigError, match="not 'images'"):
        Bm25System(SystemOptions(tmp_path, read="images"))


def test_a_missing_package_is_named(
    corpus: EvalSet, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(MissingExtraError, match=r'pip install "ragvl\[baselines\]"'):
        Bm25System(options()).index(corpus)


def test_a_description_can_be_written_down(options: Options) -> None:
    """Settings and versions, as JSON."""
    said = json.loads(json.dumps(Bm25System(options()).describe()))
    assert said["settings"] == {"language": "en", "k1": 1.5, "b": 0.75}
    assert {"bm25s", "PyStemmer", "pymupdf"} <= said["packages"].keys()


def test_bm25s_keeps_its_debug_messages(
    corpus: EvalSet, options: Options, caplog: pytest.LogCaptureFixture
) -> None:
    """It sets its logger to write one for every index."""
    with caplog.at_level(logging.NOTSET):
        Bm25System(options()).index(corpus)
    assert not [record for record in caplog.records if record.name.startswith("bm25s")]


def test_equal_scores_are_cut_as_trec_eval_orders_them() -> None:
    """By id from the last to the first; what float32 does not tell apart is equal."""
    scores = {"d1": 1.0, "d10": 1.0, "d2": 1.0, "best": 2.0, "near": 1.0 + 1e-9}
    assert list(best_pages(scores, 4)) == ["best", "near", "d2", "d10"]
    assert best_pages(scores, 0) == {}


def test_text_comes_from_layers_and_from_the_dataset(corpus: EvalSet, tmp_path: Path) -> None:
    """The dataset's own text where a file has none; a file that cannot be read is named."""
    damaged = tmp_path / "damaged.pdf"
    damaged.write_bytes(b"%PDF-1.7 nothing more")
    extra = (CorpusPage("own", "own", 1, text="# Own"), CorpusPage("broken", "damaged", 1))
    mixed = replace(
        corpus,
        documents=(*corpus.documents, EvalDocument("damaged", damaged)),
        pages=(*(replace(page, text="spare") for page in corpus.pages), *extra),
    )
    found, failed = page_texts(mixed)
    texts = {one.page: one.text for one in found}
    assert texts["cranes-1"].startswith("The crane lifts")
    assert texts["cranes-3"] == "spare"
    assert texts["own"] == "# Own"
    assert len(failed) == 1
    assert failed[0].startswith("broken: damaged.pdf cannot be read")
    assert {one.text for one in page_texts(mixed, "text")[0]} == {"spare", "# Own"}
    assert [one.page for one in page_texts(mixed, "files")[0]] == [
        "cranes-1",
        "cranes-2",
        "bread-1",
        "bread-2",
    ]
