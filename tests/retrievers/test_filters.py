"""Filters as users write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ragvl.protocols import Filter
from ragvl.retrievers.filters import parse_filter


def test_no_filter_allows_everything() -> None:
    """None and an empty mapping are the same."""
    assert parse_filter(None) == parse_filter({}) == Filter()


def test_one_glob_or_several() -> None:
    """A string is one glob, a list is several."""
    assert parse_filter({"path": "10k/*"}).path == ("10k/*",)
    assert parse_filter({"media_type": ["image/*", "text/*"]}).media_type == ("image/*", "text/*")


def test_dates_are_whole_days_in_utc() -> None:
    """The last day counts to its end."""
    parsed = parse_filter({"modified_from": "2018-01-01", "modified_until": "2018-01-31"})
    assert parsed.modified_from == datetime(2018, 1, 1, tzinfo=UTC)
    assert parsed.modified_until == datetime(2018, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def test_an_unknown_key_names_the_nearest() -> None:
    """A typing mistake is answered with what was meant."""
    with pytest.raises(ValueError, match="'pth'; did you mean 'path'"):
        parse_filter({"pth": "*"})


def test_a_date_that_is_none_is_refused() -> None:
    """The message says how to write one."""
    with pytest.raises(ValueError, match="2018-13-45"):
        parse_filter({"modified_from": "2018-13-45"})
