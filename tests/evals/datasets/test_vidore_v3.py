"""ViDoRe v3 in its own form and in mteb's, and NanoViDoRe v3."""

from __future__ import annotations

from pathlib import Path

import datasets
import pytest

from ragvl.evals.datasets import DatasetError, load_set
from ragvl.evals.types import AnnotatedBox
from tests.evals.datasets.copies import PICTURE, TEXT, TEXTS, WHOLE, Tables, picture, write_copy

BOXES = datasets.List({"annotator": WHOLE, "x1": WHOLE, "x2": WHOLE, "y1": WHOLE, "y2": WHOLE})
QUERY_TYPES = {
    "query_id": WHOLE, "query": TEXT, "language": TEXT, "query_types": TEXTS, "query_format": TEXT,
    "content_type": TEXTS, "raw_answers": TEXTS, "query_generator": TEXT, "query_generation_pipeline": TEXT,
    "source_type": TEXT, "query_type_for_generation": TEXT, "answer": TEXT,
}  # fmt: skip


def _box(annotator: int, x1: int, y1: int, x2: int, y2: int) -> dict[str, int]:
    return {"annotator": annotator, "x1": x1, "x2": x2, "y1": y1, "y2": y2}


def _native() -> Tables:
    queries = {name: ["x", "y", "z"] for name in QUERY_TYPES} | {
        "query_id": [0, 1, 2],
        "query": ["how many people work?", "combien travaillent ?", "list them"],
        "language": ["english", "french", "english"],
        "query_types": [["numerical"], ["numerical"], []],
        "query_format": ["question", "question", "instruction"],
        "content_type": [["Text", "Table"], ["Text"], []],
        "raw_answers": [["12", "twelve"], ["douze"], []],
        "query_generation_pipeline": [None, None, None],
        "answer": ["twelve", "douze", None],
    }
    corpus = {
        "corpus_id": [0, 1, 2],
        "image": [picture(), picture(mode="L"), picture()],
        "doc_id": ["report", "report", "slides"],
        "markdown": ["first", "| a | b |", ""],
        "page_number_in_doc": [0, 1, 0],
    }
    qrels = {
        "query_id": [0, 0, 1],
        "corpus_id": [1, 0, 1],
        "score": [2, 1, 1],
        "content_type": [["Table"], ["Text"], ["Table"]],
        "bounding_boxes": [[_box(0, 1, 2, 3, 4), _box(2, 5, 6, 1, 2)], [], [_box(1, 0, 0, 2, 2)]],
    }
    whole = {"doc_id": TEXT, "markdown": TEXT, "page_number_in_doc": WHOLE}
    return {
        "corpus": (corpus, {"corpus_id": WHOLE, "image": PICTURE, **whole}),
        "queries": (queries, QUERY_TYPES),
        "qrels": (
            qrels,
            {
                "query_id": WHOLE,
                "corpus_id": WHOLE,
                "score": WHOLE,
                "content_type": TEXTS,
                "bounding_boxes": BOXES,
            },
        ),
        "documents_metadata": ({"doc_id": ["report"]}, {"doc_id": TEXT}),
    }


def test_pages_have_document_number_and_text(tmp_path: Path) -> None:
    """The data counts pages from 0, ragvl from 1."""
    loaded = load_set("vidore_v3_hr", folder=write_copy(tmp_path / "copy", _native()))
    places = [(page.id, page.document, page.number, page.text) for page in loaded.pages]
    assert places == [("0", "report", 1, "first"), ("1", "report", 2, "| a | b |"), ("2", "slides", 1, "")]
    opener = loaded.pages[1].image
    assert opener is not None
    assert opener().mode == "RGB"
    assert (loaded.main_metric, loaded.name, loaded.answer_rule) == ("ndcg@10", "vidore_v3_hr", "")


def test_grades_answers_and_groups_are_kept(tmp_path: Path) -> None:
    """Grades 1 and 2; the merged answer first, then the annotators' others; a null or empty one is none."""
    loaded = load_set("vidore_v3_hr", folder=write_copy(tmp_path / "copy", _native()), language="en")
    first, last = loaded.queries
    assert loaded.relevance == {"0": {"1": 2, "0": 1}}
    assert first.answers == ("twelve", "12")
    assert last.answers == ()
    assert first.groups == {
        "query type": ("numerical",),
        "query format": ("question",),
        "content type": ("Text", "Table"),
    }
    assert last.groups == {"query format": ("instruction",)}


def test_boxes_are_of_every_annotator_with_ordered_corners(tmp_path: Path) -> None:
    """One drawn from the lower right comes out the right way round; a page without boxes has no entry."""
    loaded = load_set("vidore_v3_hr", folder=write_copy(tmp_path / "copy", _native()))
    assert loaded.boxes == {
        ("0", "1"): (AnnotatedBox("0", 1, 2, 3, 4), AnnotatedBox("2", 1, 2, 5, 6)),
        ("1", "1"): (AnnotatedBox("1", 0, 0, 2, 2),),
    }


def test_boxes_stored_as_an_object_of_lists_are_the_same(tmp_path: Path) -> None:
    """Older versions of the `datasets` library store a list of objects so."""
    tables = _native()
    columns, types = tables["qrels"]
    names = ("annotator", "x1", "x2", "y1", "y2")
    drawn = [{name: [box[name] for box in boxes] for name in names} for boxes in columns["bounding_boxes"]]
    old = {name: datasets.List(WHOLE) for name in names}
    tables = {**tables, "qrels": ({**columns, "bounding_boxes": drawn}, {**types, "bounding_boxes": old})}
    new = load_set("vidore_v3_hr", folder=write_copy(tmp_path / "new", _native()))
    assert load_set("vidore_v3_hr", folder=write_copy(tmp_path / "old", tables)).boxes == new.boxes


def test_the_board_says_which_languages(tmp_path: Path) -> None:
    """English alone and all six are two different boards."""
    copy = write_copy(tmp_path / "copy", _native())
    assert load_set("vidore_v3_hr", folder=copy, language="en").board == (
        "ViDoRe v3, English queries; this is 1 of its 8 public datasets"
    )
    whole = load_set("vidore_v3_hr", folder=copy)
    assert whole.board == "ViDoRe v3, all 6 query languages; this is 1 of its 8 public datasets"
    assert [query.language for query in whole.queries] == ["en", "fr", "en"]


def _mteb(ids: dict[str, list[str]], text: bool = False) -> Tables:
    tables: dict[str, tuple[dict[str, list[object]], dict[str, object]]] = {}
    for language, names in ids.items():
        corpus = {"image": [picture(), picture()], "id": ["corpus-test-0", "corpus-test-1"]}
        texts = {"text": ["page one", None]} if text else {}
        tables[f"{language}-corpus"] = (
            {**corpus, **texts},
            {"image": PICTURE, "id": TEXT, **dict.fromkeys(texts, TEXT)},
        )
        tables[f"{language}-queries"] = (
            {
                "language": [language] * len(names),
                "text": [f"{language} {name}" for name in names],
                "id": names,
            },
            {"language": TEXT, "text": TEXT, "id": TEXT},
        )
        tables[f"{language}-qrels"] = (
            {"query-id": names, "corpus-id": ["corpus-test-1"] * len(names), "score": [2] * len(names)},
            {"query-id": TEXT, "corpus-id": TEXT, "score": WHOLE},
        )
    return tables


SIX = ("english", "french", "spanish", "german", "italian", "portuguese")


def test_the_form_of_mteb_needs_one_corpus_only(tmp_path: Path) -> None:
    """A copy that holds one language loads; ids stay as they are; the board names the private sets."""
    copy = write_copy(tmp_path / "copy", _mteb({"french": ["query-test-3"]}))
    loaded = load_set("vidore_v3_hr_mteb", folder=copy, language="fr")
    assert [(query.id, query.language, query.text) for query in loaded.queries] == [
        ("query-test-3", "fr", "french query-test-3")
    ]
    assert loaded.relevance == {"query-test-3": {"corpus-test-1": 2}}
    assert loaded.board.startswith(
        "ViDoRe v3 as mteb scores it, French queries; this is 1 of 8 public datasets"
    )
    assert "2 of them private" in loaded.board


def test_all_languages_are_read_under_ids_of_their_own(tmp_path: Path) -> None:
    """Ids stay when they differ between languages, and carry the language when they do not."""
    apart = {language: [f"query-test-{number}"] for number, language in enumerate(SIX)}
    loaded = load_set("vidore_v3_hr_mteb", folder=write_copy(tmp_path / "apart", _mteb(apart)))
    assert [query.id for query in loaded.queries] == [f"query-test-{number}" for number in range(6)]
    same = {language: ["query-test-0"] for language in SIX}
    loaded = load_set("vidore_v3_hr_mteb", folder=write_copy(tmp_path / "same", _mteb(same)))
    assert [query.id for query in loaded.queries][:2] == ["en:query-test-0", "fr:query-test-0"]
    assert loaded.relevance["pt:query-test-0"] == {"corpus-test-1": 2}
    assert len(loaded.relevance) == 6


def test_version_3_1_has_recognised_text(tmp_path: Path) -> None:
    """Beside the image; a page without text has none."""
    copy = write_copy(tmp_path / "copy", _mteb({"english": ["query-test-0"]}, text=True))
    loaded = load_set("vidore_v3_hr_ocr", folder=copy, language="en")
    assert [page.text for page in loaded.pages] == ["page one", ""]
    assert all(page.image for page in loaded.pages)
    assert "v3.1" in loaded.board


def _nano(layout: str) -> Tables:
    parts = {
        "corpus": ({"_id": ["7", "8"], "image": [picture(), picture()]}, {"_id": TEXT, "image": PICTURE}),
        "queries": ({"_id": ["q"], "text": ["which?"]}, {"_id": TEXT, "text": TEXT}),
        "qrels": ({"query-id": ["q"], "corpus-id": ["8"]}, {"query-id": TEXT, "corpus-id": TEXT}),
    }
    return {layout.format(table=name): each for name, each in parts.items()}


@pytest.mark.parametrize(
    "layout", ["{table}/NanoComputerScience", "computer_science-{table}", "ComputerScience/{table}"]
)
def test_nano_sets_are_found_in_any_usual_layout(tmp_path: Path, layout: str) -> None:
    """One split a subset, one table a subset, or tables named by subset; without grades every page is a 1."""
    copy = write_copy(tmp_path / "copy", _nano(layout))
    loaded = load_set("nano_vidore_v3_computer_science", folder=copy)
    assert [page.id for page in loaded.pages] == ["7", "8"]
    assert [(query.id, query.text) for query in loaded.queries] == [("q", "which?")]
    assert loaded.relevance == {"q": {"8": 1}}
    with pytest.raises(DatasetError, match="nothing for 'hr'; tables there: "):
        load_set("nano_vidore_v3_hr", folder=copy)
