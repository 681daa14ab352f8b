"""Make the album page: four photographs, each with its caption below."""

from __future__ import annotations

from pathlib import Path

from examples import facts, palette, scenes_day, scenes_night
from examples.canvas import Booklet, Box, Sheet
from examples.palette import Style
from examples.raster import jpeg
from examples.report_frame import LEFT, PAGE_SIZE, RIGHT

__all__ = ["make_photographs"]

_CAPTION = Style("helv", 8.4, 11.8, palette.INK)
_MIDDLE = (LEFT + RIGHT) / 2
_GAP = 8.0


def make_photographs(path: Path) -> None:
    """Write the one-page album."""
    booklet = Booklet(*PAGE_SIZE, "Photographs", facts.COMPANY)
    sheet = booklet.add_sheet()
    sheet.rect((0, 0, *PAGE_SIZE), palette.PAPER)
    sheet.text((LEFT, 60), "PHOTOGRAPHS", palette.LABEL)
    sheet.text((LEFT - 1, 92), "A year on the water", palette.DISPLAY)
    _photograph(
        sheet,
        (LEFT, 112, RIGHT, 385),
        jpeg(scenes_day.dawn_crossing(), 80),
        "**Midsummer, 04:52.** Turnstone leaves Port Averil for Skerrin on 21 June 2025, the "
        "shortest night of the year, with 17 passengers and a piano on board.",
    )
    _photograph(
        sheet,
        (LEFT, 430, _MIDDLE - _GAP, 594),
        jpeg(scenes_night.lighthouse(), 82),
        "**Skerrin Light,** built in 1874 and 31 metres high, lit for the evening boat.",
    )
    _photograph(
        sheet,
        (_MIDDLE + _GAP, 430, RIGHT, 594),
        jpeg(scenes_day.harbour(), 82),
        "**Quay Street, Otterhaven,** with the mackerel boats Petrel (red) and Heron (blue).",
    )
    _photograph(
        sheet,
        (LEFT, 640, RIGHT, 782),
        jpeg(scenes_night.winter_night(), 82),
        "**The night boat** off Whinsay, 9 January 2025. Eider carried 212 tonnes of feed that "
        "week. All photographs: Linnea Frost.",
    )
    booklet.save(path)


def _photograph(sheet: Sheet, box: Box, encoded: bytes, caption: str) -> None:
    """Place a photograph and set its caption below."""
    sheet.image(box, encoded)
    sheet.paragraph((box[0], box[3] + 15), box[2] - box[0], caption, _CAPTION)
