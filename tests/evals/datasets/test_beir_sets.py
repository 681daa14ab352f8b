"""ViDoRe v1 and v2, and REAL-MM-RAG: corpus, queries and judgements in Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest

from ragvl.evals.datasets import DatasetError, load_set
from tests.evals.datasets.copies import PICTURE, TEXT, WHOLE, Tables, picture, write_copy

QUERY = {"query-id": WHOLE, "query": TEXT}
QREL = {"query-id": WHOLE, "corpus-id": WHOLE, "score": WHOLE}


def _corpus(ids: list[int], mode: str = "RGB") -> tuple[dict[str, list[Any]], dict[str, Any]]:
    pictures = [picture(mode=mode) for _ in ids]
    return {"corpus-id": ids, "image": pictures}, {"corpus-id": WHOLE, "image": PICTURE}


def _v1(score: Any = WHOLE, scores: tuple[float, ...] = (1, 1, 1)) -> Tables:
    qrels = {"query-id": [1, 1, 2], "corpus-id": [10, 11, 11], "score": list(scores)}
    return {
        "corpus": _corpus([10, 11, 12], mode="LA"),
        "queries": ({"query-id": [1, 2, 3], "query": ["how many?", "who?", "why?"]}, QUERY),
        "qrels": (qrels, {**QREL, "score": score}),
    }


def test_v1_has_the_ids_of_mteb(tmp_path: Path) -> None:
    """Ids are prefixed as mteb does; a query that nobody judged has no entry; the metric and board are v1's."""
    loaded = load_set("vidore_v1_arxivqa", folder=write_copy(tmp_path / "copy", _v1()))
    assert [page.id for page in loaded.pages] == ["corpus-test-10", "corpus-test-11", "corpus-test-12"]
    assert [query.id for query in loaded.queries] == ["query-test-1", "query-test-2", "query-test-3"]
    assert loaded.relevance == {
        "query-test-1": {"corpus-test-10": 1, "corpus-test-11": 1},
        "query-test-2": {"corpus-test-11": 1},
    }
    assert (loaded.main_metric, loaded.documents, loaded.queries[0].language) == ("ndcg@5", (), "en")
    assert "1 of its 10 sets" in loaded.board


def test_ids_of_the_data_can_be_asked_for(tmp_path: Path) -> None:
    """Then they are the data's, as text."""
    loaded = load_set("vidore_v1_tabfquad", folder=write_copy(tmp_path / "copy", _v1()), source_ids=True)
    assert [page.id for page in loaded.pages] == ["10", "11", "12"]
    assert loaded.relevance["1"] == {"10": 1, "11": 1}
    assert loaded.queries[0].language == "fr"


def test_pictures_open_late_and_are_rgb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decoded while loading; a grey picture with transparency opens as RGB."""
    decoded: list[object] = []
    decode = datasets.Image.decode_example
    monkeypatch.setattr(
        datasets.Image, "decode_example", lambda *args, **kwargs: decoded.append(1) or decode(*args, **kwargs)
    )
    loaded = load_set("vidore_v1_arxivqa", folder=write_copy(tmp_path / "copy", _v1()))
    assert not decoded
    opener = loaded.pages[1].image
    assert opener is not None
    opened = opener()
    assert (opened.mode, opened.size, len(decoded)) == ("RGB", (6, 8), 1)


def test_an_image_is_a_document_of_one_page(tmp_path: Path) -> None:
    """The corpus does not say which document a page is of."""
    page = load_set("vidore_v1_arxivqa", folder=write_copy(tmp_path / "copy", _v1())).pages[0]
    assert (page.document, page.number, page.text, page.size_pt) == ("corpus-test-10", 1, "", None)


def test_scores_may_be_decimal_numbers(tmp_path: Path) -> None:
    """Some v1 sets store 1.0; a half is refused, not rounded."""
    decimal = datasets.Value("float64")
    copy = write_copy(tmp_path / "whole", _v1(decimal, (1.0, 2.0, 1.0)))
    assert load_set("vidore_v1_arxivqa", folder=copy).relevance["query-test-1"]["corpus-test-11"] == 2
    copy = write_copy(tmp_path / "half", _v1(decimal, (1.0, 0.5, 1.0)))
    with pytest.raises(DatasetError, match=r"score 0\.5 of query 1 is no whole number"):
        load_set("vidore_v1_arxivqa", folder=copy)


def test_judged_pages_outside_the_corpus_are_noted(tmp_path: Path) -> None:
    """They stay relevant, as in trec_eval, and the set says so."""
    tables = {**_v1(), "corpus": _corpus([10])}
    loaded = load_set("vidore_v1_arxivqa", folder=write_copy(tmp_path / "copy", tables))
    assert loaded.relevance["query-test-2"] == {"corpus-test-11": 1}
    assert loaded.notes == ("2 judged pages are not in the corpus; they count as missed, as in trec_eval.",)


def test_an_id_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Scores are joined on ids."""
    copy = write_copy(tmp_path / "copy", {**_v1(), "corpus": _corpus([10, 11, 10])})
    with pytest.raises(DatasetError, match="'corpus-test-10' is there more than once"):
        load_set("vidore_v1_arxivqa", folder=copy)


def _v2() -> Tables:
    return {
        "corpus": _corpus([0, 1]),
        "queries": (
            {
                "query-id": [0, 1],
                "query": ["which share?", "quelle part ?"],
                "language": ["english", "french"],
            },
            {**QUERY, "language": TEXT},
        ),
        "qrels": ({"query-id": [0, 1, 1], "corpus-id": [1, 1, 0], "score": [1, 1, 2]}, QREL),
    }


def test_v2_keeps_the_language_that_is_asked_for(tmp_path: Path) -> None:
    """French queries only, with their judgements only, under a board that says so."""
    copy = write_copy(tmp_path / "copy", _v2())
    french = load_set("vidore_v2_esg_reports", folder=copy, language="fr")
    assert [(query.id, query.language) for query in french.queries] == [("query-test-1", "fr")]
    assert french.relevance == {"query-test-1": {"corpus-test-1": 1, "corpus-test-0": 2}}
    assert "French queries" in french.board
    assert "1 of its 4 sets" in french.board
    assert "7 variants" in french.board
    whole = load_set("vidore_v2_esg_reports", folder=copy)
    assert [query.language for query in whole.queries] == ["en", "fr"]
    assert "all 4 query languages" in whole.board


def test_a_language_that_a_set_lacks_is_refused(tmp_path: Path) -> None:
    """The error names those that there are."""
    copy = write_copy(tmp_path / "copy", _v2())
    with pytest.raises(DatasetError, match=r"no queries in 'it'; there: en, fr, es, de"):
        load_set("vidore_v2_esg_reports", folder=copy, language="it")
    with pytest.raises(DatasetError, match="vidore_v2_esg_reports_human_labeled has no choice of language"):
        load_set("vidore_v2_esg_reports_human_labeled", folder=copy, language="fr")


def _real() -> Tables:
    wordings = {"query": ["as asked"]} | {
        f"rephrase_level_{level}": [f"level {level}"] for level in (1, 2, 3)
    }
    return {
        "corpus": _corpus([4]),
        "queries": ({"query-id": [7], **wordings}, {**QUERY, **dict.fromkeys(wordings, TEXT)}),
        "qrels": ({"query-id": [7], "corpus-id": [4], "score": [1]}, QREL),
    }


@pytest.mark.parametrize(
    ("level", "wording", "scored"), [(None, "level 3", True), (1, "level 1", False), (0, "as asked", False)]
)
def test_the_wording_can_be_chosen(tmp_path: Path, level: int | None, wording: str, scored: bool) -> None:
    """Level 3 unless another is asked for; only that one is on a board."""
    copy = write_copy(tmp_path / "copy", _real())
    loaded = load_set("real_mm_rag_finreport", folder=copy, rephrase_level=level)
    assert [(query.id, query.text) for query in loaded.queries] == [("7", wording)]
    assert loaded.relevance == {"7": {"4": 1}}
    assert ("which mteb scores" in loaded.board) is scored


def test_a_level_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """Before anything is read; and other sets have no levels."""
    with pytest.raises(DatasetError, match=r"must be from 0 \(as first asked\) to 3, not 4"):
        load_set("real_mm_rag_finreport", folder=tmp_path, rephrase_level=4)
    with pytest.raises(
        DatasetError, match="vidore_v1_docvqa has no choice of rephrase_level; it has: source_ids"
    ):
        load_set("vidore_v1_docvqa", folder=tmp_path, rephrase_level=1)
