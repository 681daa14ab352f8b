"""Drafts of questions: taken from the page, worded as a person would, and few rather than bad."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ragvl.evals.datasets import load_set
from ragvl.evals.drafting import Draft, QuestionFile, QuestionFileError, draft_questions, lay_out, read_folder
from ragvl.evals.drafting.draft import answer_format
from ragvl.evals.drafting.pages import DocumentPages
from ragvl.indexers.words import PlacedWord, pack_words
from ragvl.testing import write_documents
from ragvl.types import BlockKind, Document, DocumentStatus, Hit, Page, Passage, TextSource

ENGLISH = (
    "This is the report of the board to the members of the society, and it is about the work of the year and what "
    "was done in it by those who are paid for it.\n\n"
)
COLUMNS_PT = (72.0, 300.0, 380.0, 460.0)


def page_of(text: str, kind: BlockKind = BlockKind.TEXT, number: int = 1, name: str = "report.pdf") -> Hit:
    """A page whose words stand in a table's columns where tabs part them."""
    words: list[PlacedWord] = []
    laid = ""
    for line_number, line in enumerate(text.split("\n")):
        y = 60.0 + 14 * line_number
        for column, cell in enumerate(line.split("\t")):
            x = COLUMNS_PT[column]
            for word in cell.split(" "):
                if word:
                    words.append(
                        PlacedWord(len(laid), len(laid) + len(word), (x, y, x + 5 * len(word), y + 10))
                    )
                    x += 5 * len(word) + 3
                laid += word + " "
        laid = laid[:-1] + "\n"
    laid = laid.rstrip("\n")
    document = Document(
        1, name, "", "application/pdf", "", 9, 0, datetime.fromtimestamp(0, UTC), DocumentStatus.OK
    )
    page = Page(
        number, document, number, 612.0, 792.0, laid, TextSource.LAYER, pack_words(words, 612.0, 792.0)
    )
    return Hit(page, 0.0, (), (Passage(1, number, kind, "", laid, 0, len(laid), ()),))


def drafts_of(*pages: Hit, count: int = 20, name: str = "report.pdf") -> list[Draft]:
    """Draft questions about one document."""
    return [draft for draft in draft_questions([DocumentPages(name, pages)], count) if draft.answerable]


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("About 62% of Danish adults say they read news online.",
         "What percentage of Danish adults say they read news online?", "62%"),
        ("The least depth at low water is now 3.4 metres.", "What is the least depth at low water?", "3.4 metres"),
        ("The harbour bridge was built in 1874 by local masons.", "When was the harbour bridge built?", "1874"),
        ("A new ferry would cost about €11.4 million; half is paid.",
         "How much would a new ferry cost?", "€11.4 million"),
        ("The Islands Fund lent €9.0 million for Turnstone at 2.1%.",
         "How much did the Islands Fund lend for Turnstone?", "€9.0 million"),
        ("The fleet burned 2,050 litres of marine oil in 2025.",
         "How many litres of marine oil did the fleet burn in 2025?", "2,050"),
        ("In 2018, freight sales grew by 14.8%.", "By how much did freight sales grow in 2018?", "14.8%"),
        ("Nine apprentices started in September.", "How many apprentices started in September?", "Nine"),
        ("MAVEN-ERE is a large dataset for the extraction of events.",
         "What is MAVEN-ERE?", "a large dataset for the extraction of events"),
    ],
)  # fmt: skip
def test_sentence_becomes_its_question(sentence: str, question: str, answer: str) -> None:
    """A plain statement is asked about in plain English, and the answer is the words of the page."""
    common = ENGLISH + "Look at a fleet, the harbour, freight, a new ferry, and nine others.\n\n"
    (draft,) = drafts_of(page_of(common + sentence))
    assert (question, answer) == (draft.question, draft.answer)
    assert draft.quote == sentence
    assert answer in draft.quote


@pytest.mark.parametrize(
    "sentence",
    [
        "It was 3.4 metres at low water near the pier.",
        "This rose by 4% in the harbour of the islands.",
        "Sales were $269 million and $313 million in 2021 and 2020, respectively.",
        "Our ferries carried 864,000 passengers to the islands.",
        "2018 saw many islands and their ferries change.",
        "The company is a good place.",
        "Only 28% of island ferries do the same.",
    ],
)
def test_sentence_that_needs_its_neighbours_is_left_alone(sentence: str) -> None:
    """Pronouns, lists by position and what says nothing give no question."""
    assert not drafts_of(page_of(ENGLISH + sentence))


TABLE = (
    "Income statement of the group\n"
    "€ thousand\t2025\t2024\n"
    "Revenue\t20,600\t18,740\n"
    "Crew and shore staff\t(8,240)\t(7,760)\n"
    "Operating profit\t2,420\t1,330\n"
    "Total\t9,999\t8,888"
)


def test_row_is_asked_for_under_its_year() -> None:
    """A figure's question names its row, its year and the unit in the table's corner."""
    pages = (page_of(ENGLISH), page_of(TABLE, BlockKind.TABLE, 2))
    asked = {draft.question: draft.answer for draft in drafts_of(*pages)}
    years = {
        "What was the operating profit in 2025, in € thousand?": "2,420",
        "What was the operating profit in 2024, in € thousand?": "1,330",
    }
    assert years.items() & asked.items()
    assert not [question for question in asked if "“Total”" in question or "the total in" in question]


def test_figure_between_two_columns_is_not_asked_for() -> None:
    """A figure that stands under no column in particular belongs to none."""
    crooked = TABLE.replace("Operating profit\t2,420\t1,330", "Operating profit of the year\t2,420")
    crooked = crooked.replace("\t2025\t2024", "\t\t2025\t2024")
    questions = [
        draft.question for draft in drafts_of(page_of(ENGLISH), page_of(crooked, BlockKind.TABLE, 2))
    ]
    assert not [question for question in questions if "operating profit of the year" in question]


def test_headings_that_instruct_become_questions() -> None:
    """A manual's heading is asked as its reader would, answered by the first sentence under it."""
    text = f"{ENGLISH}Replace the Battery Cover\n\nPress the catch and lift the battery cover off. Keep it."
    draft = next(iter(drafts_of(page_of(text))))
    assert draft.question == "How do I replace the battery cover?"
    assert draft.answer == "Press the catch and lift the battery cover off."


def test_other_languages_give_nothing() -> None:
    """German text is not asked about in English."""
    german = "Die Fähre wurde im Jahr 1874 gebaut und kostet € 12. Das Schiff ist ein Boot, und der Hafen ist alt.\n\n"
    assert not drafts_of(page_of(german * 4), page_of(TABLE, BlockKind.TABLE, 2))


def test_same_documents_give_the_same_questions() -> None:
    """Nothing in the choice is left to chance, nor to the order in which documents come."""
    one = DocumentPages("a.pdf", (page_of(ENGLISH), page_of(TABLE, BlockKind.TABLE, 2)))
    two = DocumentPages("b.pdf", (page_of(ENGLISH + "The harbour bridge was built in 1874."),))
    assert draft_questions([one, two], 5) == draft_questions([two, one], 5)


def test_questions_are_spread_over_documents() -> None:
    """A document with one statement is asked about before a table gives its third question."""
    rich = DocumentPages("a.pdf", (page_of(ENGLISH), page_of(TABLE, BlockKind.TABLE, 2)))
    poor = DocumentPages("b.pdf", (page_of(ENGLISH + "The old Harbour bridge was built in 1874."),))
    assert {"a.pdf", "b.pdf"} == {draft.document for draft in draft_questions([rich, poor], 2)}


def test_unanswerable_question_asks_for_a_year_that_is_nowhere() -> None:
    """About a tenth ask for what no document says."""
    pages = (page_of(ENGLISH), *(page_of(TABLE, BlockKind.TABLE, number) for number in range(2, 9)))
    other = DocumentPages("b.pdf", (page_of(ENGLISH + "The old Harbour bridge was mended in 2023."),))
    documents = [DocumentPages("a.pdf", pages), other]
    (absent,) = [draft for draft in draft_questions(documents, 10) if not draft.answerable]
    assert all(draft.answerable for draft in draft_questions(documents, 10, complete=False))
    assert " in 2022" in absent.question
    assert (absent.document, absent.page, absent.answer) == ("", 0, "")


def test_answered_differently_is_ambiguous() -> None:
    """What two tables of a document answer differently is not asked."""
    other = TABLE.replace("2,420", "7,777").replace("1,330", "6,666")
    drafts = drafts_of(
        page_of(ENGLISH), page_of(TABLE, BlockKind.TABLE, 2), page_of(other, BlockKind.TABLE, 3)
    )
    assert not [draft for draft in drafts if "operating profit" in draft.question]


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ("1,204", "Int"),
        ("3.4", "Float"),
        ("62%", "Float"),
        ("3.4 metres", "Str"),
        ("Nine", "Str"),
        ("", "None"),
    ],
)
def test_answer_format(answer: str, named: str) -> None:
    """Formats are named as MMLongBench-Doc names them."""
    assert answer_format(answer) == named


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents on disk."""
    write_documents(
        tmp_path / "docs",
        {
            "bridge.txt": f"{ENGLISH}The old Harbour bridge was built in 1874.",
            "sub/empty.txt": "nothing here",
        },
    )
    (tmp_path / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 no more")
    return tmp_path / "docs"


@pytest.fixture
def laid_out(folder: Path, tmp_path: Path) -> QuestionFile:
    """A folder of drafts about them."""
    from ragvl.config import load_config

    pages = read_folder(folder, load_config("embedded", {"reading": {"workers": 1}}), 10)
    assert [name for name, _ in pages.failed] == ["broken.pdf"]
    assert [one.path for one in pages.documents] == ["bridge.txt", "sub/empty.txt"]
    return lay_out(tmp_path / "questions", folder, draft_questions(pages.documents, 5))


def test_folder_loads_once_drafts_are_accepted(laid_out: QuestionFile) -> None:
    """What init lays out and a person accepts is a dataset as it stands."""
    (row,) = laid_out.drafts()
    laid_out.accept(row)
    loaded = load_set(laid_out.path.parent)
    (query,) = loaded.queries
    assert query.text == "When was the old Harbour bridge built?"
    assert query.answers == ("1874",)
    assert loaded.relevance[query.id] == {"bridge.txt#1": 1}


def test_accepting_keeps_what_else_a_row_holds(laid_out: QuestionFile) -> None:
    """Fields that a person added stay; those of drafts go; the answer's format follows the answer."""
    (row,) = laid_out.drafts()
    row["groups"] = {"department": "bridges"}
    laid_out.accept(row, "How old is the bridge?", "in the nineteenth century")
    (kept,) = QuestionFile.load(laid_out.path.parent).rows
    assert kept["groups"] == {"department": "bridges"}
    assert kept["answer_format"] == "Str"
    assert not {"draft", "excerpt"} & kept.keys()


def test_discarding_leaves_equal_rows_alone(laid_out: QuestionFile) -> None:
    """Only the row itself goes, not another that says the same."""
    laid_out.rows.append(dict(laid_out.rows[0]))
    laid_out.discard(laid_out.rows[0])
    assert len(QuestionFile.load(laid_out.path).rows) == 1


def test_nothing_is_written_over(laid_out: QuestionFile, folder: Path) -> None:
    """A folder that has questions is not laid out again."""
    with pytest.raises(QuestionFileError, match="exists: go on with `ragvl eval review"):
        lay_out(laid_out.path.parent, folder, [])


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", "line 2: not JSON"), ('{"answer": "x"}', 'line 2: write an object with a text "question"')],
)
def test_broken_line_is_named(laid_out: QuestionFile, line: str, said: str) -> None:
    """A line that a person spoilt is found by its number."""
    with laid_out.path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    with pytest.raises(QuestionFileError, match=said):
        QuestionFile.load(laid_out.path)


def test_documents_beyond_the_limit_are_counted(folder: Path) -> None:
    """A large folder is sampled, the same documents each time."""
    from ragvl.config import load_config

    config = load_config("embedded", {"reading": {"workers": 1}})
    first, again = read_folder(folder, config, 1), read_folder(folder, config, 1)
    assert first == again
    assert first.left_out == 2


def test_rows_are_plain_json(laid_out: QuestionFile) -> None:
    """One object a line, readable as it is."""
    lines = laid_out.path.read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["bridge-p1-1"]
