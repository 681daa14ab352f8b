"""Somebody's own documents and questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ragvl.evals.datasets import DatasetError, known_sets, load_set
from ragvl.evals.types import AnnotatedBox, EvalDocument
from ragvl.testing import write_documents
from tests.evals.datasets.copies import picture


def _folder(folder: Path, *rows: dict[str, Any] | str) -> Path:
    write_documents(folder / "documents", {"terms.pdf": ["one", "two", "three"], "notes/plan.txt": "a plan"})
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _fault(folder: Path, *rows: dict[str, Any] | str) -> str:
    with pytest.raises(DatasetError) as caught:
        load_set(_folder(folder, *rows))
    return str(caught.value)


GOOD = {"question": "How long?", "answer": "three months", "document": "terms.pdf", "pages": [2]}


def test_a_question_needs_little(tmp_path: Path) -> None:
    """Every document's pages are the corpus, whatever its kind; ids are lines and "document#page"."""
    folder = _folder(tmp_path / "handbook", {"question": "Anything?"}, "", GOOD)
    loaded = load_set(folder)
    assert loaded.name == "handbook"
    assert [page.id for page in loaded.pages] == [
        "notes/plan.txt#1",
        "terms.pdf#1",
        "terms.pdf#2",
        "terms.pdf#3",
    ]
    assert loaded.documents[1] == EvalDocument("terms.pdf", folder / "documents" / "terms.pdf")
    assert [query.id for query in loaded.queries] == ["q1", "q3"]
    assert [query.answerable for query in loaded.queries] == [None, True]
    assert loaded.relevance == {"q3": {"terms.pdf#2": 1}}
    assert (loaded.answer_rule, loaded.board, loaded.notes) == ("anls", "", ())
    assert load_set(folder / "questions.jsonl") == loaded


def test_a_question_may_say_much(tmp_path: Path) -> None:
    """All fields; pages of several documents; boxes come with the size of their page."""
    row = {
        "id": "notice",
        "question": "How long is it?",
        "answers": ["three months", "a quarter"],
        "document": "terms.pdf",
        "pages": [2, "notes/plan.txt#1"],
        "grade": 2,
        "boxes": [
            {"page": 2, "box": [10, 20, 30.5, 40], "annotator": "ann"},
            {"page": "terms.pdf#2", "box": [0, 0, 5, 5]},
        ],
        "answer_format": "str",
        "groups": {"department": "legal", "kind": ["a", "b"]},
        "language": "en",
        "draft": False,
    }
    loaded = load_set(_folder(tmp_path, row))
    query = loaded.queries[0]
    assert (query.id, query.answers, query.answer_format) == ("notice", ("three months", "a quarter"), "Str")
    assert query.groups == {"department": ("legal",), "kind": ("a", "b")}
    assert loaded.relevance == {"notice": {"terms.pdf#2": 2, "notes/plan.txt#1": 2}}
    assert loaded.boxes == {
        ("notice", "terms.pdf#2"): (AnnotatedBox("ann", 10, 20, 30.5, 40), AnnotatedBox("", 0, 0, 5, 5))
    }
    sizes = {page.id: page.size_pt for page in loaded.pages if page.size_pt}
    assert list(sizes) == ["terms.pdf#2"]
    assert all(side > 100 for side in sizes["terms.pdf#2"])
    assert loaded.answer_rule == "mmlongbench"
    assert load_set(tmp_path, answer_rule="exact").answer_rule == "exact"


def test_drafts_are_left_out(tmp_path: Path) -> None:
    """And counted; what is wrong with one does not matter yet. A file of drafts alone is refused."""
    draft = {"question": "?", "draft": True, "pages": ["x"]}
    loaded = load_set(_folder(tmp_path / "some", draft, GOOD, draft))
    assert [query.id for query in loaded.queries] == ["q2"]
    assert loaded.notes == ("2 questions are drafts and are left out.",)
    assert 'all 1 questions are drafts; take out "draft": true' in _fault(tmp_path / "all", draft)
    assert "holds no questions" in _fault(tmp_path / "none")


def test_questions_without_an_answer_have_no_pages(tmp_path: Path) -> None:
    """They say so themselves."""
    loaded = load_set(_folder(tmp_path / "good", GOOD, {"question": "The king?", "answerable": False}))
    assert loaded.queries[1].answerable is False
    assert "q2" not in loaded.relevance
    assert "'answerable' is false, but 'pages' names pages" in _fault(
        tmp_path / "bad", {**GOOD, "answerable": False}
    )


def test_a_language_can_be_asked_for(tmp_path: Path) -> None:
    """When questions state theirs."""
    folder = _folder(tmp_path, GOOD, {"question": "Combien ?", "language": "fr"})
    assert [query.text for query in load_set(folder, language="french").queries] == ["Combien ?"]
    with pytest.raises(DatasetError, match="no question has the language 'de'; there: fr"):
        load_set(folder, language="de")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ('{"question": "x",}', "line 2: not JSON: "),
        ("[1]", "line 2: must be a JSON object, not a list"),
        ({"answer": "x"}, "line 2: 'question' is missing"),
        ({"question": "  "}, "line 2: 'question' is empty"),
        ({**GOOD, "pages": 2}, "line 2: 'pages' must be a list, not a number"),
        ({**GOOD, "pages": [0]}, "line 2: page 0: pages count from 1"),
        ({**GOOD, "pages": [4]}, "line 2: page 4 is beyond the end of terms.pdf, which has 3"),
        ({**GOOD, "pages": ["two"]}, "line 2: 'pages' holds 'two'; write numbers from 1"),
        ({**GOOD, "pages": ["terms.pdf#x"]}, "line 2: page 'terms.pdf#x': pages count from 1"),
        ({"question": "x", "pages": [1]}, "line 2: 'pages' are given without 'document'"),
        (
            {**GOOD, "document": "term.pdf"},
            "line 2: no document 'term.pdf' in documents/; did you mean 'terms.pdf'?",
        ),
        ({**GOOD, "grade": 0}, "line 2: 'grade' must be a whole number from 1 up, not 0"),
        (
            {**GOOD, "answer": {"a": 1}},
            "line 2: 'answer' must be text or a list of texts, but holds an object",
        ),
        ({**GOOD, "answer_format": "Number"}, "line 2: 'answer_format' is 'Number'; known: Str, Int"),
        ({**GOOD, "answerable": "yes"}, "line 2: 'answerable' must be true or false, not text"),
        ({**GOOD, "draft": "no"}, "line 2: 'draft' must be true or false, not text"),
        ({**GOOD, "groups": ["legal"]}, "line 2: 'groups' must be an object such as"),
        ({"question": "x", "page": [2]}, "line 2: 'page' is no field; did you mean 'pages'?"),
        (
            {**GOOD, "boxes": [{"page": 1, "box": [0, 0, 1, 1]}]},
            "line 2: 'boxes' names page 1, which 'pages' does not",
        ),
        ({**GOOD, "boxes": [{"page": 2, "box": [5, 0, 1, 1]}]}, "line 2: 'box' [5, 0, 1, 1] has no area"),
        ({**GOOD, "boxes": [{"page": 2, "box": [0, 1]}]}, "line 2: 'box' must be [x0, y0, x1, y1] in points"),
        ({**GOOD, "boxes": [[2, 0, 0, 1, 1]]}, "line 2: 'boxes' holds what is no"),
    ],
)
def test_a_wrong_question_is_named_by_its_line(tmp_path: Path, row: dict[str, Any] | str, fault: str) -> None:
    """With what is wrong, and what may have been meant."""
    message = _fault(tmp_path, GOOD, row)
    assert message.startswith(f"{tmp_path / 'questions.jsonl'}: ")
    assert fault in message


def test_faults_are_told_together(tmp_path: Path) -> None:
    """The first five, and how many more."""
    message = _fault(tmp_path, *[{"question": ""}] * 7)
    assert message.count("'question' is empty") == 5
    assert message.endswith("; and 2 more")


def test_two_questions_cannot_have_one_id(tmp_path: Path) -> None:
    """Results are joined on it."""
    fault = _fault(tmp_path, {**GOOD, "id": "a"}, GOOD, {**GOOD, "id": "a"})
    assert "id 'a' is given 2 times: line 1, line 3" in fault


def test_other_fields_are_passed_over_with_a_note(tmp_path: Path) -> None:
    """Somebody's own remarks do no harm."""
    loaded = load_set(_folder(tmp_path, {**GOOD, "remark": "check again", "ticket": 7}))
    assert loaded.notes == ("Fields that mean nothing here are passed over: remark, ticket.",)


def test_documents_that_cannot_be_read_are_noted(tmp_path: Path) -> None:
    """A damaged one keeps its judgements, which can only be missed; a kind that ragvl does not read is left out."""
    folder = _folder(tmp_path, {**GOOD, "document": "broken.pdf", "pages": [7]}, GOOD)
    (folder / "documents" / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    (folder / "documents" / "clip.mp4").write_bytes(b"\0\0\0\x20ftypisom")
    (folder / "documents" / "gone.pdf").symlink_to("nowhere.pdf")
    (folder / "documents" / ".DS_Store").write_bytes(b"x")
    loaded = load_set(folder)
    assert loaded.relevance["q1"] == {"broken.pdf#7": 1}
    assert not [page for page in loaded.pages if page.document == "broken.pdf"]
    broken, unknown = loaded.notes
    assert broken.startswith("broken.pdf could not be opened (corrupt: ")
    assert unknown == "2 files that ragvl cannot read are left out: clip.mp4, gone.pdf."


def test_pictures_are_documents_of_one_page(tmp_path: Path) -> None:
    """Counted by the readers that index them."""
    folder = _folder(tmp_path, GOOD)
    picture(40, 30).save(folder / "documents" / "scan.png")
    assert [page.id for page in load_set(folder).pages if page.document == "scan.png"] == ["scan.png#1"]


def test_boxes_may_be_on_pages_of_any_kind(tmp_path: Path) -> None:
    """The size of a picture's page is the one that ragvl gives it, in points."""
    row = {"question": "x", "document": "scan.png", "pages": [1], "boxes": [{"page": 1, "box": [0, 0, 2, 2]}]}
    folder = _folder(tmp_path, row)
    picture(300, 150).save(folder / "documents" / "scan.png", dpi=(150, 150))
    page = next(page for page in load_set(folder).pages if page.id == "scan.png#1")
    assert page.size_pt == pytest.approx((144, 72), abs=0.1)


def test_documents_may_be_a_link_to_a_folder(tmp_path: Path) -> None:
    """As `ragvl eval init` makes it."""
    there = _folder(tmp_path / "there", GOOD)
    here = tmp_path / "here"
    here.mkdir()
    (here / "documents").symlink_to(there / "documents", target_is_directory=True)
    (here / "questions.jsonl").write_text(json.dumps({**GOOD, "quote": "three months", "excerpt": "…"}))
    loaded = load_set(here)
    assert loaded.pages == load_set(there).pages
    assert loaded.notes == ()


def test_the_revision_follows_the_content(tmp_path: Path) -> None:
    """Of the questions and of the documents, not of where they lie."""
    first = load_set(_folder(tmp_path / "a", GOOD)).revision
    assert load_set(_folder(tmp_path / "b", GOOD)).revision == first
    assert load_set(_folder(tmp_path / "c", {**GOOD, "pages": [1]})).revision != first
    changed = _folder(tmp_path / "d", GOOD)
    (changed / "documents" / "notes" / "plan.txt").write_text("another plan")
    assert load_set(changed).revision != first


def test_a_folder_says_what_it_lacks(tmp_path: Path) -> None:
    """The parts of a set of one's own, and what the folder holds instead."""
    (tmp_path / "stuff").mkdir()
    with pytest.raises(
        DatasetError, match=r"no questions\.jsonl and no documents there.*The folder holds: stuff/"
    ):
        load_set(tmp_path)
    (tmp_path / "questions.jsonl").write_text(json.dumps(GOOD))
    with pytest.raises(DatasetError, match="no documents there"):
        load_set(tmp_path)
    (tmp_path / "documents").mkdir()
    with pytest.raises(DatasetError, match="no document that ragvl reads; put the documents there"):
        load_set(tmp_path)
    with pytest.raises(DatasetError, match="no such folder"):
        load_set(tmp_path / "nowhere")


def test_a_file_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    """With what to do; a byte order mark does no harm."""
    folder = _folder(tmp_path, GOOD)
    path = folder / "questions.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert len(load_set(folder).queries) == 1
    path.write_bytes('{"question": "Größe?"}'.encode("latin-1"))
    with pytest.raises(DatasetError, match="not UTF-8 .* save it as UTF-8"):
        load_set(folder)


def test_a_mistyped_name_gets_the_nearest() -> None:
    """And where the names are."""
    with pytest.raises(
        DatasetError, match=r"no set named 'vidore_v3_rh'.*did you mean 'vidore_v3_hr'.*ragvl eval list"
    ):
        load_set("vidore_v3_rh")
    with pytest.raises(DatasetError, match=r"no set named 'zzzz', and no such folder; `ragvl eval list`"):
        load_set("zzzz")


def test_choices_that_a_set_lacks_are_refused(tmp_path: Path) -> None:
    """They would otherwise be passed over in silence."""
    folder = _folder(tmp_path, GOOD)
    with pytest.raises(DatasetError, match="has no choice of revision; it has: language"):
        load_set(folder, revision="main")
    with pytest.raises(DatasetError, match="is a folder already"):
        load_set(folder, folder=folder)
    with pytest.raises(DatasetError, match="answer_rule can be chosen for folders of one's own only"):
        load_set("vidoseek", folder=folder, answer_rule="anls")
    with pytest.raises(DatasetError, match="vidore_v1_arxivqa has no choice of revision"):
        load_set("vidore_v1_arxivqa", folder=folder, revision="main")


def test_every_known_set_has_a_name_of_its_own_and_says_what_it_is() -> None:
    """For the list that people choose from; commits are whole hashes."""
    sets = known_sets()
    assert len({each.name for each in sets}) == len(sets)
    for each in sets:
        assert each.what
        assert each.size
        assert each.licence
        assert each.source.startswith(("huggingface.co/datasets/", "https://"))
        assert len(each.repository.revision) in (0, 40)
    revisions = [each.repository.revision for each in sets if each.repository.revision]
    assert len(set(revisions)) == len(revisions)
