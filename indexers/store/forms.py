"""The forms of an index's lanes, as its settings record them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ragvl.config import TierConfig
from ragvl.errors import IndexStoreError
from ragvl.indexers.store.lanes import Pending, PendingVectors, VectorForm
from ragvl.indexers.store.segments import IMAGE_LANE, TEXT_LANE
from ragvl.protocols import FloatArray, PageVectors

if TYPE_CHECKING:  # an index without an image lane starts sooner without these
    from ragvl.indexers.multivector.codes import PageCodes
    from ragvl.indexers.store.bags import BagForm

PageEntry: TypeAlias = "PageCodes | FloatArray"
"""What the image lane keeps of a page: a bag's codes, or one vector."""

_PASSAGE_STEPS = (65_536,)


@dataclass(frozen=True, slots=True)
class LaneForms:
    """How each lane of an index is kept; `image` is None in an index without that lane."""

    text: VectorForm
    image: VectorForm | BagForm | None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the lanes that the index has."""
        return (TEXT_LANE,) if self.image is None else (TEXT_LANE, IMAGE_LANE)

    def __getitem__(self, lane: str) -> VectorForm | BagForm:
        """
        The form of a lane.

        Raises:
            IndexStoreError: the index has no such lane.
        """
        form = {TEXT_LANE: self.text, IMAGE_LANE: self.image}.get(lane)
        if form is None:
            raise IndexStoreError(f"the index holds segments of {lane!r}, a lane that it does not record")
        return form

    def page_entry(self, vectors: PageVectors, width_pt: float, height_pt: float) -> PageEntry:
        """What the image lane keeps of a page; slow for bags, which are pooled."""
        if self.image is not None and not isinstance(self.image, VectorForm):
            from ragvl.indexers.multivector.codes import encode_page

            return encode_page(vectors, width_pt, height_pt, self.image.tiers)
        only: FloatArray = vectors.vectors[0]
        return only


def lane_forms(settings: Mapping[str, Any]) -> LaneForms:
    """Read the forms from what an index records about itself."""
    text = VectorForm(TEXT_LANE, int(settings["text.dimension"]), _PASSAGE_STEPS)
    if not settings.get("image.encoder"):
        return LaneForms(text, None)
    dimension = int(settings["image.dimension"])
    if not settings["image.late_interaction"]:
        return LaneForms(text, VectorForm(IMAGE_LANE, dimension, _PASSAGE_STEPS))
    from ragvl.indexers.store.bags import BagForm

    tiers = TierConfig.model_validate(settings["image.tiers"])
    return LaneForms(text, BagForm(IMAGE_LANE, dimension, tiers))


def add_page(pending: Pending, entry: PageEntry, page_id: int, document_id: int) -> None:
    """
    Add a page to what is gathered for the image lane.

    Raises:
        TypeError: the entry is of another form than the lane.
    """
    if isinstance(pending, PendingVectors) and isinstance(entry, np.ndarray):
        pending.add(entry[None, :], np.array([[page_id, page_id, document_id]], dtype=np.int64))
        return
    from ragvl.indexers.store.bags import PendingBags

    if not isinstance(pending, PendingBags) or isinstance(entry, np.ndarray):
        raise TypeError(f"a lane of {type(pending).__name__} takes no {type(entry).__name__}")
    pending.add(entry, page_id, document_id)
