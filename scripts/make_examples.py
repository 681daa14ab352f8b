"""
Make the example documents and the questions about them.

    python scripts/make_examples.py [FOLDER]

Writes FOLDER/documents and FOLDER/questions.jsonl; FOLDER is ``examples`` unless given. Needs
PyMuPDF, Pillow and numpy. Every picture, name and number is invented here, nothing is downloaded,
and a second run writes the same bytes.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from pathlib import Path

from examples.field_notes import make_field_notes
from examples.letter import make_letter
from examples.photographs import make_photographs
from examples.questions import make_questions
from examples.report import make_report
from examples.slides import make_slides
from examples.tariff import make_tariff

from examples import facts

MAKERS: dict[str, Callable[[Path], None]] = {
    "documents/annual-report-2025.pdf": make_report,
    "documents/strategy-slides.pdf": make_slides,
    "documents/scanned-letter.pdf": make_letter,
    "documents/photographs.pdf": make_photographs,
    "documents/tariff-board.png": make_tariff,
    "documents/field-notes.md": make_field_notes,
    "questions.jsonl": make_questions,
}
_LOG = logging.getLogger("make_examples")


def make_examples(folder: Path) -> None:
    """Write every example file below a folder."""
    facts.check_consistency()
    (folder / "documents").mkdir(parents=True, exist_ok=True)
    for name, make in MAKERS.items():
        make(folder / name)
        _LOG.info("%7.1f kB  %s", (folder / name).stat().st_size / 1000, name)


def main() -> None:
    """Read the command line and make the examples."""
    parser = argparse.ArgumentParser(description="Make the example documents.")
    default = Path(__file__).resolve().parents[1] / "examples"
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    make_examples(parser.parse_args().folder)


if __name__ == "__main__":
    main()
