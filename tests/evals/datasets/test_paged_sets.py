"""Sets of PDF documents with questions that name pages: MMLongBench-Doc, FinanceBench, ViDoSeek; and DocVQA."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ragvl.evals.datasets import DatasetError, load_set
from ragvl.testing import write_documents
from tests.evals.datasets.copies import PICTURE, TEXT, TEXTS, WHOLE, picture, write_copy

PUBLIC = (
    ("report.pdf", "Which year?", "2015", "[2]", "['Chart', 'Table']", "Int"),
    ("report.pdf", "Who leads?", "Not answerable", "[1]", "[]", "None"),
    ("report.pdf", "Which colours?", "['red', 'blue']", "[0, 1]", "['Figure']", "List"),
    ("slides.pdf", "What share?", "5%", "[9]", "['Chart']", "Float"),
    ("slides.pdf", "What is shown?", "a map", "[]", "['Figure']", "Str"),
)
NAMES = ("doc_id", "question", "answer", "evidence_pages", "evidence_sources", "answer_format")


def _documents(folder: Path) -> None:
    write_documents(folder, {"report.pdf": ["one", "two"], "slides.pdf": ["three"]})


def _public_rows() -> list[dict[str, str]]:
    return [{"doc_type": "Brochure", **dict(zip(NAMES, row, strict=True))} for row in PUBLIC]


def _check_mmlongbench(folder: Path, place: str) -> None:
    loaded = load_set(folder)
    assert [page.id for page in loaded.pages] == ["report.pdf#1", "report.pdf#2", "slides.pdf#1"]
    assert [(page.document, page.number, page.image) for page in loaded.pages][1] == ("report.pdf", 2, None)
    assert loaded.relevance == {"q1": {"report.pdf#2": 1}, "q3": {"report.pdf#1": 1}}
    assert [query.answerable for query in loaded.queries] == [True, False, True, True, True]
    assert loaded.queries[2].answers == ("['red', 'blue']",)
    assert loaded.queries[0].groups == {"document type": ("Brochure",), "evidence source": ("Chart", "Table")}
    assert loaded.queries[0].document == "report.pdf"
    assert loaded.answer_rule == "mmlongbench"
    assert "2 of its 135 documents and 5 of its 1082 questions" in loaded.board
    assert loaded.notes == (
        f"{place} 3: report.pdf has no page 0; not counted.",
        f"{place} 4: slides.pdf has no page 9; not counted.",
        "1 answerable questions have no evidence pages; they count for answers only.",
        "1 unanswerable questions have evidence pages, which are not counted.",
    )


def test_mmlongbench_in_its_public_form(tmp_path: Path) -> None:
    """`data/samples.json` with lists as texts; mistaken pages are not relevant and are noted."""
    _documents(tmp_path / "data" / "documents")
    (tmp_path / "data" / "samples.json").write_text(json.dumps(_public_rows()))
    _check_mmlongbench(tmp_path, "row")


def test_mmlongbench_in_parquet(tmp_path: Path) -> None:
    """As the Hub has it: one table `default` in `data/`, and `documents/`."""
    rows = _public_rows()
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    copy = write_copy(tmp_path / "MMLongBench-Doc", {"data/train": (columns, dict.fromkeys(columns, TEXT))})
    readme = copy / "README.md"
    readme.write_text(readme.read_text().replace("config_name: data", "config_name: default"))
    _documents(copy / "documents")
    _check_mmlongbench(copy, "row")
    assert load_set(copy).name == "mmlongbench_doc"
    assert load_set("mmlongbench_doc", folder=copy).revision == load_set(copy).revision


def test_mmlongbench_with_real_lists(tmp_path: Path) -> None:
    """`questions.jsonl` beside `pdf/`, where lists are lists."""
    _documents(tmp_path / "pdf")
    lines = []
    for row in _public_rows():
        renamed: dict[str, Any] = {"document": row.pop("doc_id"), "document_type": row.pop("doc_type"), **row}
        renamed["evidence_pages"] = json.loads(row["evidence_pages"])
        renamed["evidence_sources"] = json.loads(row["evidence_sources"].replace("'", '"'))
        lines.append(json.dumps(renamed))
    (tmp_path / "questions.jsonl").write_text("\n".join(lines))
    _check_mmlongbench(tmp_path, "line")


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("evidence_pages", "five", "'evidence_pages' must be a list, not 'five'"),
        ("evidence_pages", ["5"], "'evidence_pages' must hold page numbers"),
        ("answer_format", "Number", "'answer_format' is 'Number'; known: Str, Int, Float, List, None"),
        ("question", None, "'question' is missing"),
    ],
)
def test_a_wrong_row_of_mmlongbench_is_named(tmp_path: Path, field: str, value: object, fault: str) -> None:
    """With its line and what is wrong."""
    _documents(tmp_path / "pdf")
    rows = [*_public_rows(), {**_public_rows()[0], field: value}]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DatasetError) as caught:
        load_set(tmp_path)
    assert f"questions.jsonl: line 6: {fault}" in str(caught.value)


def test_documents_that_are_not_there_are_named(tmp_path: Path) -> None:
    """How many, one of them, and the nearest that there is."""
    write_documents(tmp_path / "documents", {"report.pdf": ["one"], "slide.pdf": ["two"]})
    (tmp_path / "samples.json").write_text(json.dumps(_public_rows()))
    with pytest.raises(
        DatasetError, match=r"1 of the 2 documents .* such as 'slides\.pdf'; did you mean 'slide\.pdf'"
    ):
        load_set(tmp_path)


def _finance(folder: Path, evidence: list[dict[str, Any]]) -> Path:
    write_documents(folder / "pdfs", {"3M_2018_10K.pdf": ["one", "two"], "OTHER.pdf": ["three"]})
    row = {
        "financebench_id": "financebench_id_03029",
        "company": "3M",
        "doc_name": "3M_2018_10K",
        "question_type": "metrics-generated",
        "question_reasoning": None,
        "domain_question_num": None,
        "question": "What is the capital expenditure?",
        "answer": "$1577.00",
        "justification": "…",
        "evidence": evidence,
    }
    (folder / "data").mkdir()
    (folder / "data" / "financebench_open_source.jsonl").write_text(json.dumps(row) + "\n")
    return folder


def test_financebench_counts_evidence_pages_from_0(tmp_path: Path) -> None:
    """Its page 1 is the second; a page beyond the end is noted; every report is in the corpus."""
    pages = [{"doc_name": "3M_2018_10K", "evidence_page_num": number} for number in (1, 7)]
    loaded = load_set(_finance(tmp_path, pages))
    assert loaded.relevance == {"financebench_id_03029": {"3M_2018_10K.pdf#2": 1}}
    assert len(loaded.pages) == 3
    query = loaded.queries[0]
    assert (query.document, query.answers, query.answerable) == ("3M_2018_10K.pdf", ("$1577.00",), True)
    assert query.groups == {"question type": ("metrics-generated",), "company": ("3M",)}
    assert loaded.notes == ("line 1: 3M_2018_10K.pdf has no page 8; not counted.",)
    assert load_set("financebench", folder=tmp_path) == loaded


def test_financebench_is_not_on_the_hub(tmp_path: Path) -> None:
    """The error has the command that gets it; a row without a page number is named."""
    with pytest.raises(DatasetError, match="git clone https://github.com/patronus-ai/financebench"):
        load_set("financebench")
    with pytest.raises(DatasetError, match="line 1: 'evidence' must hold objects with the number"):
        load_set(_finance(tmp_path, [{"doc_name": "3M_2018_10K"}]))


def _vidoseek(folder: Path, pages: list[object]) -> Path:
    write_documents(folder / "unpacked", {"Switchgrass.pdf": ["one", "two", "three"], "B.pdf": ["four"]})
    example = {
        "uid": "04d8_2",
        "query": "What is the temperature?",
        "reference_answer": "195-205 Centigrade",
        "meta_info": {
            "file_name": "Switchgrass.pdf",
            "reference_page": pages,
            "source_type": "Text",
            "query_type": "Multi-Hop",
        },
    }
    (folder / "vidoseek.json").write_text(json.dumps({"examples": [example]}))
    return folder


def test_vidoseek_is_one_corpus(tmp_path: Path) -> None:
    """Questions do not say which document they are about; groups are source and query type."""
    loaded = load_set(_vidoseek(tmp_path, [2, 3]))
    assert loaded.relevance == {"04d8_2": {"Switchgrass.pdf#2": 1, "Switchgrass.pdf#3": 1}}
    assert len(loaded.pages) == 4
    query = loaded.queries[0]
    assert (query.id, query.document, query.answers) == ("04d8_2", "", ("195-205 Centigrade",))
    assert query.groups == {"source type": ("Text",), "query type": ("Multi-Hop",)}
    assert load_set("vidoseek", folder=tmp_path) == loaded


def test_vidoseek_says_what_is_missing(tmp_path: Path) -> None:
    """The documents, when the archive was not unpacked; or the data itself."""
    (tmp_path / "vidoseek.json").write_text('{"examples": []}')
    with pytest.raises(DatasetError, match="no PDF documents; run: hf download autumncc/ViDoSeek"):
        load_set(tmp_path)
    with pytest.raises(
        DatasetError, match="is read from a copy of its data; run: hf download autumncc/ViDoSeek"
    ):
        load_set("vidoseek")
    with pytest.raises(DatasetError, match="example 1: 'reference_page' must hold page numbers, not"):
        load_set(_vidoseek(tmp_path, ["2"]))


def test_docvqa_asks_for_the_page_of_a_question(tmp_path: Path) -> None:
    """Pages are there once, named as their files; the answers are compared by ANLS; only one split is needed."""
    columns = {
        "questionId": ["337", "338", "339"],
        "question": ["what date?", "who signs?", "which plant?"],
        "question_types": [["handwritten"], [], ["form"]],
        "image": [picture(3, 3), picture(3, 3), picture(4, 4, "L")],
        "docId": [279, 279, 280],
        "ucsf_document_id": ["xnbl0037", "xnbl0037", "pybv0228"],
        "ucsf_document_page_no": ["1", "1", "81"],
        "answers": [["1/8/93", "1/8/93", "Jan 8"], ["Smith"], ["A"]],
        "data_split": ["val", "val", "val"],
    }
    types = dict.fromkeys(columns, TEXT) | {
        "question_types": TEXTS,
        "answers": TEXTS,
        "image": PICTURE,
        "docId": WHOLE,
    }
    tables = {"DocVQA/validation": (columns, types), "DocVQA/test": (columns, types)}
    copy = write_copy(tmp_path / "DocVQA", tables)
    (copy / "DocVQA" / "test-00000-of-00001.parquet").unlink()
    loaded = load_set("docvqa", folder=copy)
    assert [(page.id, page.document, page.number) for page in loaded.pages] == [
        ("xnbl0037_1", "xnbl0037", 1),
        ("pybv0228_81", "pybv0228", 81),
    ]
    assert loaded.relevance == {
        "337": {"xnbl0037_1": 1},
        "338": {"xnbl0037_1": 1},
        "339": {"pybv0228_81": 1},
    }
    assert loaded.queries[0].answers == ("1/8/93", "Jan 8")
    assert loaded.queries[0].groups == {"question type": ("handwritten",)}
    assert loaded.answer_rule == "anls"
    opener = loaded.pages[1].image
    assert opener is not None
    assert (opener().mode, opener().size) == ("RGB", (4, 4))


def test_infovqa_is_named_by_the_address_of_its_picture(tmp_path: Path) -> None:
    """Its rows name no document."""
    columns = {
        "questionId": ["1", "2"],
        "question": ["how many?", "which?"],
        "answers": [["7"], ["x"]],
        "answer_type": [["single span"], []],
        "image": [picture(), picture()],
        "image_url": ["http://a/1.png", "http://a/1.png"],
        "operation/reasoning": [["counting"], []],
        "ocr": ["", ""],
        "data_split": ["val", "val"],
    }
    types = dict.fromkeys(columns, TEXT) | {
        "answers": TEXTS,
        "answer_type": TEXTS,
        "operation/reasoning": TEXTS,
        "image": PICTURE,
    }
    loaded = load_set(
        "infovqa", folder=write_copy(tmp_path / "c", {"InfographicVQA/validation": (columns, types)})
    )
    assert [(page.id, page.number) for page in loaded.pages] == [("http://a/1.png", 1)]
    assert loaded.relevance["2"] == {"http://a/1.png": 1}
    assert loaded.queries[0].groups == {"question type": ("single span",)}
