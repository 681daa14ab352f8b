"""Text, Markdown, HTML and CSV, laid out on pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragvl.errors import ReadError
from ragvl.indexers.readers.text import TextDocument, TextReader
from ragvl.types import BlockKind, DocumentStatus

HEADING, TEXT, TABLE = BlockKind.HEADING, BlockKind.TEXT, BlockKind.TABLE


def _read(tmp_path: Path, name: str, content: str | bytes) -> TextDocument:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with TextReader().open(path, password=None, max_pixels=1_000_000) as document:
        return document


def _blocks(document: TextDocument) -> list[tuple[BlockKind, list[str]]]:
    return [
        (block.kind, [" ".join(word.text for word in line.words) for line in block.lines])
        for number in range(1, document.page_count + 1)
        for block in document.read_page(number).blocks
    ]


def test_markdown_keeps_headings_tables_and_lists(tmp_path: Path) -> None:
    """The signs go, what they mean stays."""
    source = """---
title: front matter
---
# Annual **report**

Some `code`, a [link](http://example.org/x_y) and *stress*.
Second line.

Below
-----

| Item | 2021 |
|:-----|-----:|
| Cash \\| bank | 9,889 |

- one
- two

```
x = 1
```
<!-- not
shown -->
"""
    expected = [
        (HEADING, ["Annual report"]),
        (TEXT, ["Some code, a link and stress.", "Second line."]),
        (HEADING, ["Below"]),
        (TABLE, ["Item 2021", "Cash | bank 9,889"]),
        (TEXT, ["- one", "- two"]),
        (TEXT, ["x = 1"]),
    ]
    assert expected == _blocks(_read(tmp_path, "a.md", source))


def test_html_keeps_structure_and_drops_what_is_not_shown(tmp_path: Path) -> None:
    """Scripts, styles and hidden elements are not read; table rows stay whole."""
    source = """<!doctype html><html><head><title>The  title</title><style>p{}</style></head><body>
    <h1>Annual <b>report</b></h1><p>First line<br>second</p><script>alert("x")</script>
    <div hidden>secret</div><div style="display: none"><div>inner</div>secret</div>
    <table><tr><th>Item</th><th>2021</th></tr><tr><td>Cash<td>9,889</tr></table>
    <ul><li>one<li>two</ul><img src="http://127.0.0.1:1/x.png" alt="a chart"><pre>a
  b</pre></body></html>"""
    document = _read(tmp_path, "a.html", source)
    expected = [
        (HEADING, ["Annual report"]),
        (TEXT, ["First line", "second"]),
        (TABLE, ["Item 2021", "Cash 9,889"]),
        (TEXT, ["• one"]),
        (TEXT, ["• two"]),
        (TEXT, ["a chart"]),
        (TEXT, ["a", "b"]),
    ]
    assert expected == _blocks(document)
    assert document.title == "The title"
    assert document.warnings == ()


def test_html_that_never_ends_is_read(tmp_path: Path) -> None:
    """Ten thousand open elements are no deeper than one."""
    assert _blocks(_read(tmp_path, "a.html", "<div>" * 10_000 + "deep")) == [(TEXT, ["deep"])]


def test_html_named_pdf_is_read_with_a_warning(tmp_path: Path) -> None:
    """The content decides, and the document says so."""
    document = _read(tmp_path, "a.pdf", "<!DOCTYPE html><p>hello")
    assert _blocks(document) == [(TEXT, ["hello"])]
    assert document.warnings == ("named .pdf but holds HTML, read as HTML",)


def test_csv_rows_are_table_rows(tmp_path: Path) -> None:
    """Each record is one line, whatever stands between its fields."""
    expected = [(TABLE, ["name value", "a; b 1"])]
    assert expected == _blocks(_read(tmp_path, "a.csv", 'name,value\n"a; b",1\n'))
    assert _blocks(_read(tmp_path, "a.csv", "a;b\nc;d\n")) == [(TABLE, ["a b", "c d"])]
    assert _blocks(_read(tmp_path, "a.tsv", "a\tb\n")) == [(TABLE, ["a b"])]


@pytest.mark.parametrize(
    "content",
    [
        "Grüße, 港".encode(),
        "Grüße, 港".encode("utf-8-sig"),
        "Grüße, 港".encode("utf-16"),
        "Grüße, 港 and more Latin text".encode("utf-16-le"),
        "\ufeffGrüße, 港".encode("utf-32-be"),
        "Grüße, ".encode("cp1252"),
    ],
    ids=["utf-8", "utf-8-sig", "utf-16", "utf-16-le without mark", "utf-32", "cp1252"],
)
def test_encodings_are_recognised(tmp_path: Path, content: bytes) -> None:
    """By mark, as UTF-8, by its zeros, else as Windows-1252."""
    ((_, (line,)),) = _blocks(_read(tmp_path, "a.txt", content))
    assert line.startswith("Grüße,")


def test_long_text_fills_pages_and_every_word_has_its_box(tmp_path: Path) -> None:
    """Nothing is lost at the ends of lines and pages, no box leaves its page, no two words overlap."""
    words = [f"word{index}" for index in range(3000)]
    document = _read(tmp_path, "a.txt", " ".join(words) + "\f\nlast " + "x" * 500)
    assert document.page_count > 3
    found: list[str] = []
    for number in range(1, document.page_count + 1):
        page = document.read_page(number)
        for word in (word for block in page.blocks for line in block.lines for word in line.words):
            x0, y0, x1, y1 = word.bbox_pt
            assert 0 <= x0 < x1 <= page.width_pt
            assert 0 <= y0 < y1 <= page.height_pt
            found.append(word.text)
    assert words + ["last"] == found[:3001]
    assert "".join(found[3001:]) == "x" * 500
    assert document.read_page(document.page_count).blocks[0].lines[0].words[0].text == "last"


def test_a_table_row_that_wraps_stays_one_line(tmp_path: Path) -> None:
    """A citation of a row covers all of it."""
    row = "| " + " ".join(["description"] * 20) + " | 42 |"
    document = _read(tmp_path, "a.md", f"| a | b |\n|---|---|\n{row}\n")
    ((_, lines),) = _blocks(document)
    assert len(lines) == 2
    assert lines[1].endswith("description 42")


def test_too_much_text_is_refused(tmp_path: Path) -> None:
    """A text is laid out in memory; there is a limit to that."""
    with pytest.raises(ReadError) as caught:
        _read(tmp_path, "a.txt", b"x " * 9_000_000)
    assert DocumentStatus.TOO_LARGE is caught.value.status


def test_binary_data_named_text_is_refused(tmp_path: Path) -> None:
    """Zeros that make no UTF-16 are no text."""
    with pytest.raises(ReadError) as caught:
        _read(tmp_path, "a.txt", bytes(range(256)) * 9)
    assert DocumentStatus.CORRUPT is caught.value.status
