"""JSON values of the nouns."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ragvl.cli.quantities import counted, duration, file_size
from ragvl.cli.serialise import to_json
from ragvl.types import DocumentStatus, IndexReport


def test_plain_values() -> None:
    """Dates, enumerations, paths, tuples and numbers that JSON lacks have one form each."""
    value = {
        "at": datetime(2018, 1, 31, tzinfo=UTC),
        "status": DocumentStatus.TOO_LARGE,
        "path": Path("a/b"),
        "numbers": (1, 2.5, math.nan, math.inf),
        "none": None,
        "yes": True,
    }
    assert to_json(value) == {
        "at": "2018-01-31T00:00:00+00:00",
        "status": "too_large",
        "path": "a/b",
        "numbers": [1, 2.5, None, None],
        "none": None,
        "yes": True,
    }


def test_field_names_are_those_of_the_dataclass() -> None:
    """Programs may rely on the names in `ragvl.types`."""
    written = to_json(IndexReport())
    assert isinstance(written, dict)
    assert list(IndexReport.__slots__) == list(written)
    json.dumps(written, allow_nan=False)


@pytest.mark.parametrize("value", [b"bytes", object(), {1, 2}])
def test_what_has_no_json_is_refused(value: object) -> None:
    """Nothing is turned into text by chance."""
    with pytest.raises(TypeError, match="no JSON"):
        to_json(value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (counted(1, "page"), "1 page"),
        (counted(1204, "page"), "1,204 pages"),
        (duration(0.42), "0.4 s"),
        (duration(32.4), "32 s"),
        (duration(250), "4 min 10 s"),
        (duration(120), "2 min"),
        (duration(7500), "2 h 5 min"),
        (file_size(512), "512 B"),
        (file_size(3.4 * 2**20), "3.4 MiB"),
        (file_size(300 * 2**30), "300 GiB"),
    ],
)
def test_quantities(written: str, expected: str) -> None:
    """Counts, times and sizes are written as people say them."""
    assert expected == written
