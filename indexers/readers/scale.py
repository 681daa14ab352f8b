"""How large a page is drawn."""

from __future__ import annotations

import math

POINTS_PER_INCH = 72.0


def scale_within(width_pt: float, height_pt: float, dpi: float, max_pixels: int) -> float:
    """Pixels a point: `dpi / 72`, or less where the page would have more than `max_pixels`."""
    area = max(width_pt * height_pt, 1.0)
    # A little less than the limit: both sides are rounded up.
    return min(dpi / POINTS_PER_INCH, math.sqrt(max_pixels / area) * 0.999)
