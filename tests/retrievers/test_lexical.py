"""Which words of a question are looked for."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ragvl.indexers.store.reader import IndexReader, Snapshot
from ragvl.library import Library
from ragvl.retrievers.lexical import telling_terms
from ragvl.testing import HashEncoder


@pytest.fixture
def snapshot(tmp_path: Path) -> AbstractContextManager[Snapshot]:
    """Ten notes that all speak of the harbour, two of a crane, one of a ferry."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(10):
        others = "a crane turns " * (number < 2) + "the ferry sails " * (number == 0)
        (docs / f"{number}.txt").write_text(f"Of the harbour, quay and tide {others} number {number}x.")
    library = Library(tmp_path / "index", None, {}, HashEncoder())
    library.index(docs)
    return IndexReader(tmp_path / "index").snapshot()


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("harbour quay crane ferry tide", {"crane", "ferry"}),
        ("harbour ferry", {"harbour", "ferry"}),
        ("harbour quay tide", {"harbour", "quay", "tide"}),
        ("", set()),
    ],
)
def test_common_words_are_left_out_where_others_tell_more(
    query: str, kept: set[str], snapshot: AbstractContextManager[Snapshot]
) -> None:
    """The three rarest always stay."""
    with snapshot as opened:
        found = telling_terms(opened, query)
    assert kept <= set(found)
    assert len(found) <= 3
