"""The structure of HTML. Nothing is fetched, nothing runs, nothing hidden is read."""

from __future__ import annotations

from html.parser import HTMLParser

from ragvl.indexers.readers.markup import Paragraph
from ragvl.types import BlockKind

_DROPPED = frozenset({"script", "style", "template", "noscript", "svg", "iframe", "object", "select", "head"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_GROUPS = {"article", "aside", "body", "center", "div", "footer", "header", "html", "main", "nav", "section"}
_LISTS = {"dd", "dl", "dt", "legend", "li", "menu", "ol", "option", "ul"}
_TABLES = {"caption", "table", "tbody", "tfoot", "thead", "tr"}
_TEXTS = {"address", "blockquote", "details", "dialog", "figcaption", "figure", "form", "p", "pre", "summary"}
_BLOCKS = _HEADINGS | _GROUPS | _LISTS | _TABLES | _TEXTS
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)


def parse_html(text: str) -> tuple[str, list[Paragraph]]:
    """The title of an HTML page, or "", and its paragraphs, headings and table rows."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    parser.end_block()
    parser.end_table()
    return " ".join(parser.title.split()), parser.paragraphs


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.paragraphs: list[Paragraph] = []
        self._text: list[str] = []
        self._heading = False
        self._preformatted = False
        self._in_title = False
        self._dropped: list[str] = []  # open elements whose content is left out, outermost first
        self._cells: list[str] | None = None
        self._rows: list[tuple[str, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._in_title = not self.title
            return
        if tag in _VOID:
            self._void(tag, attrs)
            return
        if self._dropped:
            if tag == self._dropped[-1]:
                self._dropped.append(tag)
            return
        if tag in _DROPPED or _is_hidden(attrs):
            self._dropped.append(tag)
            return
        if tag in {"td", "th"}:
            self._end_cell()
            self._cells = self._cells if self._cells is not None else []
        elif tag in _BLOCKS:
            self._start_block(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif self._dropped:
            # A body ends a head that was never closed.
            if tag == self._dropped[-1]:
                self._dropped.pop()
        elif tag in {"td", "th"}:
            self._end_cell()
        elif tag in _BLOCKS:
            self._end(tag)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._dropped:
            self._text.append(data if self._preformatted else " ".join(f"|{data}|".split())[1:-1])

    def end_block(self) -> None:
        """Close the paragraph that is open."""
        if self._cells is not None:
            self._text.append(" ")
            return
        lines = [" ".join(line.split()) for line in "".join(self._text).split("\n")]
        rows = tuple((line,) for line in lines if line)
        self._text = []
        if rows:
            self.end_table()
            kind = BlockKind.HEADING if self._heading else BlockKind.TEXT
            self.paragraphs.append(Paragraph(kind, rows, flows=self._heading))

    def end_table(self) -> None:
        """Close the table that is open."""
        if self._rows:
            kind = BlockKind.TABLE if max(map(len, self._rows)) > 1 else BlockKind.TEXT
            self.paragraphs.append(Paragraph(kind, tuple(self._rows)))
            self._rows = []

    def _void(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropped:
            return
        if tag == "br":
            self._text.append("\n" if self._cells is None else " ")
        elif tag == "hr":
            self.end_block()
        elif tag == "img":
            self._text.append(f" {dict(attrs).get('alt') or ''} ")

    def _start_block(self, tag: str) -> None:
        if tag == "tr":
            self._end_row()
            self.end_block()
            self._cells = []
            return
        if tag == "table":
            self._end_row()
        self.end_block()
        self._heading = tag in _HEADINGS and self._cells is None
        self._preformatted = tag == "pre"
        if tag == "li":
            self._text.append("• ")

    def _end(self, tag: str) -> None:
        if tag in {"tr", "table", "tbody", "thead", "tfoot"}:
            self._end_row()
        self.end_block()
        if tag == "table":
            self.end_table()
        self._heading = False
        self._preformatted = False

    def _end_cell(self) -> None:
        if self._cells is not None and (text := " ".join("".join(self._text).split())):
            self._cells.append(text)
        if self._cells is not None:
            self._text = []

    def _end_row(self) -> None:
        self._end_cell()
        if self._cells:
            self._rows.append(tuple(self._cells))
        self._cells = None


def _is_hidden(attrs: list[tuple[str, str | None]]) -> bool:
    given = dict(attrs)
    style = (given.get("style") or "").replace(" ", "").lower()
    return "hidden" in given or "display:none" in style or "visibility:hidden" in style
