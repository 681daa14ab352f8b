"""Pages named in a question."""

from __future__ import annotations

import pytest

from ragvl.retrievers.page_references import referred_pages


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What does page 12 show?", {12}),
        ("How many people are on Pages 3-5?", {3, 4, 5}),
        ("Compare slides 4 and 7", {4, 7}),
        ("see pp. 2, 3 and 9", {2, 3, 9}),
        ("slide number 8", {8}),
        ("How many pages have a chart?", set()),
        ("What was the revenue in 2018?", set()),
        ("page 9-2", set()),
    ],
)
def test_referred_pages(question: str, expected: set[int]) -> None:
    """Numbers after "page" or "slide" are read, ranges and lists too; other numbers are not."""
    assert referred_pages(question) == expected
