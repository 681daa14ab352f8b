"""From placed words to headings, paragraphs and table rows."""

from __future__ import annotations

from ragvl.indexers.readers.layout import LaidWord, lay_out
from ragvl.types import Block, BlockKind


def _line(
    text: str,
    x: float,
    y: float,
    block: int,
    line: int = 0,
    size: float = 10,
    bold: bool = False,
    upright: bool = True,
) -> list[LaidWord]:
    words = []
    for part in text.split():
        width = 5.0 * len(part)
        words.append(LaidWord(part, (x, y, x + width, y + size), block, line, size, bold, upright))
        x += width + 3
    return words


def _texts(blocks: tuple[Block, ...]) -> list[tuple[BlockKind, list[str]]]:
    return [
        (block.kind, [" ".join(word.text for word in line.words) for line in block.lines]) for block in blocks
    ]


def test_no_words_make_no_blocks() -> None:
    """An empty page is legal."""
    assert lay_out([]) == ()


def test_cells_of_one_row_become_one_line() -> None:
    """A label and its figures, each a block of its own, come out together and in order."""
    words = [
        *_line("Total revenue", 50, 100, 0),
        *_line("Cost of sales", 50, 115, 1),
        *_line("6,779,511", 300, 100.5, 2),
        *_line("5,504,656", 400, 100, 3),
        *_line("4,591,476", 300, 115, 4),
        *_line("3,752,760", 400, 115, 5),
    ]
    rows = ["Total revenue 6,779,511 5,504,656", "Cost of sales 4,591,476 3,752,760"]
    assert [(BlockKind.TABLE, rows)] == _texts(lay_out(words))


def test_columns_of_figures_are_dealt_out_to_their_rows() -> None:
    """A table whose columns are the engine's blocks is read row by row."""
    words = [
        *_line("Footwear", 50, 100, 0, 0),
        *_line("Apparel", 50, 112, 0, 1),
        *_line("6,970", 300, 100, 1, 0),
        *_line("3,996", 300, 112, 1, 1),
        *_line("18 %", 400, 100, 2, 0),
        *_line("31 %", 400, 112, 2, 1),
    ]
    assert _texts(lay_out(words)) == [(BlockKind.TABLE, ["Footwear 6,970 18 %", "Apparel 3,996 31 %"])]


def test_two_columns_of_text_are_not_mixed() -> None:
    """Lines that stand side by side in two columns stay in their columns."""
    left = [
        word
        for i in range(4)
        for word in _line(f"left column holds running text {i}", 50, 100 + 12 * i, 0, i)
    ]
    right = [
        word for i in range(4) for word in _line(f"right one goes on with more {i}", 320, 100 + 12 * i, 1, i)
    ]
    kinds = _texts(lay_out(left + right))
    assert [kind for kind, _ in kinds] == [BlockKind.TEXT, BlockKind.TEXT]
    assert all(line.startswith("left") for line in kinds[0][1])
    assert all(line.startswith("right") for line in kinds[1][1])


def test_a_row_between_two_table_rows_belongs_to_the_table() -> None:
    """A short row without figures, such as "Current assets:", does not cut a table in two."""
    words = [
        *_line("Assets 2021", 50, 100, 0),
        *_line("2020", 300, 100, 1),
        *_line("Current assets:", 50, 112, 2),
        *_line("Cash", 50, 124, 3),
        *_line("9,889", 300, 124, 4),
    ]
    assert _texts(lay_out(words)) == [
        (BlockKind.TABLE, ["Assets 2021 2020", "Current assets:", "Cash 9,889"])
    ]


def test_bullets_make_no_table() -> None:
    """A bullet and its text are one line of text."""
    words = [
        *_line("•", 50, 100, 0, 0),
        *_line("fast to start", 90, 100, 0, 1),
        *_line("•", 50, 112, 0, 2),
        *_line("cheap to run", 90, 112, 0, 3),
    ]
    assert _texts(lay_out(words)) == [(BlockKind.TEXT, ["• fast to start", "• cheap to run"])]


def test_larger_and_bolder_lines_are_headings() -> None:
    """Headings part from the text that the engine put into one block with them."""
    body = [
        word for i in range(5) for word in _line("plain words of the body text", 50, 150 + 12 * i, 0, 2 + i)
    ]
    words = [
        *_line("Annual report", 50, 100, 0, 0, size=18),
        *_line("Revenue", 50, 130, 0, 1, bold=True),
        *body,
    ]
    kinds = [kind for kind, _ in _texts(lay_out(words))]
    assert kinds == [BlockKind.HEADING, BlockKind.HEADING, BlockKind.TEXT]


def test_long_bold_text_is_no_heading() -> None:
    """Emphasis over a whole paragraph is not a heading."""
    body = [word for i in range(9) for word in _line("plain words of the body text", 50, 200 + 12 * i, 1, i)]
    bold = [
        word
        for i in range(4)
        for word in _line("a warning set in bold type over lines", 50, 100 + 12 * i, 0, i, bold=True)
    ]
    assert [kind for kind, _ in _texts(lay_out(bold + body))] == [BlockKind.TEXT, BlockKind.TEXT]


def test_lines_that_the_engine_left_single_are_one_paragraph() -> None:
    """Lines in the same type at the same edge belong together, each its own block or not."""
    words = [word for i in range(3) for word in _line("a line of one paragraph", 50, 100 + 12 * i, i)]
    assert _texts(lay_out(words)) == [(BlockKind.TEXT, ["a line of one paragraph"] * 3)]


def test_turned_text_joins_no_row() -> None:
    """A note up the margin stays apart from the lines it stands beside."""
    margin = [LaidWord("arXiv:2303.08559v2", (10, 50, 30, 400), 0, 0, 20, False, False)]
    words = margin + _line("2021", 50, 100, 1) + _line("2020", 100, 100, 2)
    assert [lines for _, lines in _texts(lay_out(words))] == [["arXiv:2303.08559v2"], ["2021 2020"]]


def test_columns_that_share_baselines_are_read_one_after_the_other() -> None:
    """Short lines beside prose are lines of their column, not cells of a table."""
    left = [
        "1 Basis",
        "The statements are in thousands",
        "of euros and were drawn up",
        "by the board in the month",
        "of March after a long debate.",
    ]
    right = [
        "5 Commitments",
        "A new boat is on order for",
        "the summer and half of it was",
        "paid for before the year came",
        "to its end in December.",
    ]
    words = []
    for column, (x, lines) in enumerate(((50.0, left), (300.0, right))):
        for row, text in enumerate(lines):
            at = x
            for word in text.split():
                box = (at, 100.0 + 14 * row, at + 5.0 * len(word), 110.0 + 14 * row)
                words.append(LaidWord(word, box, block=10 * column + row, line=0, size=10.0))
                at += 5.0 * len(word) + 3
    said = [" ".join(word.text for word in line.words) for block in lay_out(words) for line in block.lines]
    assert said == left + right
