"""What an index records of how it was made."""

from __future__ import annotations

from typing import Any

import pytest

from ragvl.config import Config, load_config
from ragvl.errors import IndexMismatchError
from ragvl.indexers.manifest import check_manifest, manifest, recorded_overrides
from ragvl.testing import HashEncoder

_RECORDED = manifest(Config(), HashEncoder(), None)


@pytest.mark.parametrize("field", sorted(_RECORDED))
def test_every_field_that_differs_is_named(field: str) -> None:
    """With both values and the remedy."""
    with pytest.raises(IndexMismatchError) as caught:
        check_manifest({**_RECORDED, field: "other"}, _RECORDED, "the-index")
    message = str(caught.value)
    assert f"the-index: {field} is 'other' in the index and {_RECORDED[field]!r} now" in message
    assert "make a new index with --index" in message


def test_a_field_that_is_missing_differs() -> None:
    """An index that does not say how it was made is not taken on trust."""
    settings = {key: value for key, value in _RECORDED.items() if key != "text.fingerprint"}
    with pytest.raises(IndexMismatchError, match="text.fingerprint is None in the index"):
        check_manifest(settings, _RECORDED, "the-index")


def test_the_same_settings_pass() -> None:
    """What an index records beyond them does not matter."""
    check_manifest({**_RECORDED, "generation": 7}, _RECORDED, "the-index")


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"reading": {"ocr": {"pages": False, "figures": False, "dpi": 200.0, "min_figure_share": 0.1}}},
        {"passages": {"target_words": 60, "max_words": 90}},
    ],
)
def test_recorded_settings_are_taken_up(overrides: dict[str, Any]) -> None:
    """Opening an index without settings gives those that it was made with."""
    made_with = load_config("embedded", overrides)
    encoder = HashEncoder(name=made_with.text.encoder)
    settings = {"format_version": 2, "profile": "embedded", **manifest(made_with, encoder, None)}
    assert load_config("embedded", recorded_overrides(settings)) == made_with
