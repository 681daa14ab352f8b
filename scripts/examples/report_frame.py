"""The frame of a report page: measures, running heads and section openings."""

from __future__ import annotations

from examples import palette
from examples.canvas import Sheet

__all__ = ["LEFT", "PAGE_SIZE", "RIGHT", "opening"]

PAGE_SIZE = (595.0, 842.0)
LEFT = 62.0
RIGHT = 533.0


def opening(sheet: Sheet, number: int, section: str, headline: tuple[str, ...]) -> None:
    """
    Draw a page's ground, running head, section label and headline.

    Args:
        sheet: the page.
        number: page number, from 1.
        section: name of the section, set as a label.
        headline: lines of the headline, the first with its baseline at 128 pt.
    """
    sheet.rect((0, 0, sheet.width, sheet.height), palette.PAPER)
    sheet.rect((0, 0, sheet.width, 5), palette.TEAL)
    sheet.text((LEFT, 42), "Annual report 2025", palette.SMALL)
    sheet.text((LEFT, 92), section.upper(), palette.LABEL)
    for index, line in enumerate(headline):
        y = 126 + index * palette.DISPLAY.leading_pt
        sheet.text((LEFT - 1, y), line, palette.DISPLAY)
    sheet.line([(LEFT, 798), (RIGHT, 798)], palette.RULE, 0.5)
    sheet.text((RIGHT, 814), str(number), palette.CELL_BOLD, align="right")
