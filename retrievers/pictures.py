"""Pictures of pages for a model that sees: whole, smaller, or only the region that matters."""

from __future__ import annotations

import io

from ragvl.types import BBox, Hit, PageForm, PageImage

_LONG_SIDE_PX = {PageForm.IMAGE: 1536, PageForm.SMALL_IMAGE: 1024, PageForm.REGION: 1024}
_MARGIN = 0.03  # of the page, around a region
_MOST = 0.6  # a region that takes more of the page is no saving
_REGION_PASSAGES = 3
_JPEG_QUALITY = 85


def picture_of(hit: Hit, form: PageForm, whole: bytes | None) -> PageImage | None:
    """
    Draw a page in one form.

    Args:
        hit: its best passages first; a region goes around the first three.
        form: not `TEXT`.
        whole: the page as an encoded image; None when it cannot be drawn.

    Returns:
        A JPEG no larger than its form allows; None when the page cannot be drawn, or its region is most of it.
    """
    from PIL import Image

    region = _region(hit) if form is PageForm.REGION else (0.0, 0.0, 1.0, 1.0)
    if region is None or whole is None:
        return None
    with Image.open(io.BytesIO(whole)) as opened:
        image = opened.convert("RGB")
    width, height = image.size
    x0, y0, x1, y1 = region
    image = image.crop((round(x0 * width), round(y0 * height), round(x1 * width), round(y1 * height)))
    image.thumbnail((_LONG_SIDE_PX[form], _LONG_SIDE_PX[form]), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=_JPEG_QUALITY)
    return PageImage(written.getvalue(), "image/jpeg", image.width, image.height)


def _region(hit: Hit) -> BBox | None:
    """As shares of the page's width and height."""
    boxes = [box for passage in hit.passages[:_REGION_PASSAGES] for box in passage.boxes_pt]
    if not boxes:
        return None
    width, height = hit.page.width_pt, hit.page.height_pt
    x0 = max(min(box[0] for box in boxes) / width - _MARGIN, 0.0)
    y0 = max(min(box[1] for box in boxes) / height - _MARGIN, 0.0)
    x1 = min(max(box[2] for box in boxes) / width + _MARGIN, 1.0)
    y1 = min(max(box[3] for box in boxes) / height + _MARGIN, 1.0)
    return (x0, y0, x1, y1) if 0 < (x1 - x0) * (y1 - y0) <= _MOST else None
