"""Sizes of known models as their makers publish them, for those that are not on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_GB = 10**9

# Nemotron Nano 12B v2 VL, 13.2 billion: only the linear layers of its decoder are quantised, 10.9 billion; in NVFP4 they
# take 4 bits and an 8-bit scale for 16 of them. The rest stays in bfloat16.
_NEMOTRON = 13_200_000_000
_NEMOTRON_LINEAR = 10_900_000_000
_NEMOTRON_REST_BYTES = 2 * (_NEMOTRON - _NEMOTRON_LINEAR)


def _floats(parameters: int) -> dict[str, int]:
    return {"bfloat16": 2 * parameters, "float32": 4 * parameters}


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """
    A known model.

    Attributes:
        name: as people say it.
        begins: how its repositories are called, without the owner and in small letters.
        weights_bytes: by precision.
        working_bytes: what computing with it may take beside the weights.
    """

    name: str
    begins: tuple[str, ...]
    weights_bytes: Mapping[str, int]
    working_bytes: int


PUBLISHED = (
    PublishedModel("ColModernVBERT, 252M", ("colmodernvbert",), _floats(252_000_000), _GB),
    # "3B" counts the language model without its embeddings; the checkpoint holds 3.75 billion.
    PublishedModel("ColQwen2.5, 3B", ("colqwen2.5", "colqwen2_5"), _floats(3_750_000_000), 2 * _GB),
    PublishedModel("EVIE-4.5B", ("evie-4.5b",), _floats(4_500_000_000), 2 * _GB),
    PublishedModel(
        "Nemotron Nano 12B v2 VL",
        ("nvidia-nemotron-nano-12b-v2-vl", "nemotron-nano-12b-v2-vl", "nemotron-nano-vl-12b-v2"),
        {
            "BF16": 2 * _NEMOTRON,
            "FP8": _NEMOTRON_LINEAR + _NEMOTRON_REST_BYTES,
            "NVFP4": _NEMOTRON_LINEAR * 9 // 16 + _NEMOTRON_REST_BYTES,
        },
        3 * _GB,
    ),
)


def published(model: str) -> PublishedModel | None:
    """The known model that a name on the hub, or the name of a folder, belongs to."""
    name = model.rstrip("/").rsplit("/", 1)[-1].casefold()
    return next((one for one in PUBLISHED if name.startswith(one.begins)), None)
