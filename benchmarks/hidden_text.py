"""
Text that is in a page's text layer and not on the page: what is found, what is found wrongly, what it costs.

    python benchmarks/hidden_text.py [DATA_DIR] [--pages 20] [--innocent 25]

The pages are made by the tests. With DATA_DIR, whose `pdf/` holds documents, the pages that are flagged there
and the processor time that looking adds to reading are printed as well.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.tables import markdown
from ragvl.indexers.readers.hidden import HiddenText
from ragvl.indexers.readers.hidden.layer import FLAGS
from ragvl.indexers.readers.mupdf import MuPdfReader, pymupdf
from ragvl.types import PageContent
from tests.indexers.readers.hidden_pages import INNOCENT, TECHNIQUES, MadePage, hidden_page, innocent_page

_MAX_PIXELS = 40_000_000
_MIN_LAYER_PAGES = 0.95  # of a text-layer document have words


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, help="a folder with pdf/*.pdf")
    parser.add_argument("--pages", type=int, default=20, help="of each technique")
    parser.add_argument("--innocent", type=int, default=25, help="of each innocent kind")
    arguments = parser.parse_args()
    print(_made("Hidden text", TECHNIQUES, arguments.pages, hidden_page))
    print(_made("Innocent pages", INNOCENT, arguments.innocent, innocent_page))
    if arguments.data:
        _documents(sorted((arguments.data / "pdf").glob("*.pdf")))


def _made(title: str, kinds: Sequence[str] | Any, count: int, make: Callable[[str, int], MadePage]) -> str:
    rows: list[list[str]] = []
    totals = [0, 0, 0, 0]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "page.pdf"
        for kind in kinds:
            figures = [0, 0, 0, 0]
            for number in range(count):
                made = make(kind, number)
                path.write_bytes(made.pdf)
                with MuPdfReader().open(path, password=None, max_pixels=_MAX_PIXELS) as document:
                    content = document.read_page(1)
                read, shown = _words(content), Counter(made.shown)
                figures[0] += 1
                figures[1] += "hidden word" in content.warning
                figures[2] += bool((Counter(made.hidden) - shown) & (read - shown))
                figures[3] += bool(shown - read)
            totals = [total + figure for total, figure in zip(totals, figures, strict=True)]
            rows.append([kind, *map(str, figures)])
    rows.append(["all", *map(str, totals)])
    return markdown(title, ["kind", "pages", "flagged", "hidden words read", "seen words lost"], rows)


def _words(content: PageContent) -> Counter[str]:
    return Counter(word.text for block in content.blocks for line in block.lines for word in line.words)


def _documents(paths: Sequence[Path]) -> None:
    rows: list[list[str]] = []
    notes: list[str] = []
    for path in paths:
        pages = _timed(path)
        layered = sum(page.words > 0 for page in pages) >= _MIN_LAYER_PAGES * len(pages)
        added, read = (
            1000 * sum(part) / len(pages)
            for part in zip(*((p.added_s, p.read_s) for p in pages), strict=True)
        )
        flagged = [page for page in pages if page.warning]
        rows.append(
            [
                path.stem[:32],
                "yes" if layered else "no",
                str(len(pages)),
                str(len(flagged)),
                f"{read - added:.1f}",
                f"{added:+.1f}",
                f"{sorted(1000 * page.added_s for page in pages)[len(pages) // 2]:+.1f}",
                f"{100 * added / (read - added):+.0f} %",
            ]
        )
        notes += [f"- {path.stem[:32]}, page {page.number}: {page.warning}" for page in flagged]
    header = [
        "document",
        "text layer",
        "pages",
        "flagged",
        "ms a page without",
        "added",
        "median added",
        "share",
    ]
    print(markdown("Documents: processor time of reading, images' places included", header, rows))
    print("\n".join(notes))


class _Timed:
    """One page of a document: what was said of it, and seconds of processor time."""

    def __init__(self, number: int, warning: str, words: int, added_s: float, read_s: float) -> None:
        self.number = number
        self.warning = warning
        self.words = words
        self.added_s = added_s
        self.read_s = read_s


def _timed(path: Path) -> list[_Timed]:
    """Read each page twice, the second time by the clock, so that fonts are loaded for both ways."""
    timed: list[_Timed] = []
    with (
        MuPdfReader().open(path, password=None, max_pixels=_MAX_PIXELS) as document,
        pymupdf.open(path) as plain,
    ):
        hidden = HiddenText(plain)
        for number in range(1, document.page_count + 1):
            content = document.read_page(number)
            read_s = _seconds(lambda number=number: document.read_page(number))
            read_s += _seconds(lambda number=number: document.figure_boxes(number))
            hidden.look(plain[number - 1])
            look_s = _seconds(lambda number=number: hidden.look(plain[number - 1]))
            plain_s = _seconds(lambda number=number: _plain(plain[number - 1]))
            timed.append(
                _Timed(number, content.warning, sum(_words(content).values()), look_s - plain_s, read_s)
            )
    return timed


def _plain(page: Any) -> None:
    """What reading asked of MuPDF for a page before it looked for hidden text."""
    layer = page.get_textpage(flags=FLAGS)
    layer.extractDICT()
    layer.extractWORDS()
    page.get_image_info()


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
