"""Colours and type styles shared by every example document."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Color", "Style", "hex_color", "mix"]

Color = tuple[float, float, float]


def hex_color(code: str) -> Color:
    """Return the colour written as ``RRGGBB``, each channel in 0..1."""
    return (int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255)


def mix(first: Color, second: Color, share: float) -> Color:
    """Return the colour lying ``share`` (0..1) of the way from first to second."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return (red, green, blue)


NAVY = hex_color("12303F")
INK = hex_color("24333B")
SLATE = hex_color("5C6F78")
TEAL = hex_color("1F7A8C")
SKY = hex_color("9CC5CE")
MIST = hex_color("DCE9EB")
SAND = hex_color("EADFC9")
PAPER = hex_color("FBF8F2")
CORAL = hex_color("D9603B")
GOLD = hex_color("E5A84B")
RULE = hex_color("D5D9D6")
WHITE: Color = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Style:
    """
    One way of setting type.

    Attributes:
        font: PyMuPDF name of a base-14 font.
        size_pt: font size in points.
        leading_pt: distance between baselines in points.
        color: ink.
        tracking_pt: extra space after each letter in points.
    """

    font: str
    size_pt: float
    leading_pt: float
    color: Color = INK
    tracking_pt: float = 0.0

    def inked(self, color: Color) -> Style:
        """Return this style in another colour."""
        return replace(self, color=color)

    def sized(self, size_pt: float) -> Style:
        """Return this style at another size, its leading kept in proportion."""
        return replace(self, size_pt=size_pt, leading_pt=self.leading_pt * size_pt / self.size_pt)


DISPLAY = Style("tiro", 30, 34, NAVY)
HEADING = Style("hebo", 11, 15, NAVY)
LEAD = Style("tiro", 14.5, 20.5, TEAL)
BODY = Style("helv", 9.4, 14.2)
SMALL = Style("helv", 7.6, 10.6, SLATE)
FIGURE = Style("tiro", 34, 36, NAVY)
LABEL = Style("hebo", 7.2, 10, CORAL, tracking_pt=0.9)
CELL = Style("helv", 8.8, 12)
CELL_BOLD = Style("hebo", 8.8, 12, NAVY)
