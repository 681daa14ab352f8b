"""The fakes that users test with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ragvl.testing import HashEncoder, make_pdf, write_documents


def test_hash_vectors_are_the_same_everywhere() -> None:
    """They depend on the words alone, not on their order, on case, or on the calls before."""
    encoder = HashEncoder()
    first = encoder.encode_passages(["The crane lifts", "lifts the Crane", "", "other"])
    assert (first.shape, first.dtype) == ((4, 64), np.float32)
    assert np.allclose(np.linalg.norm(first, axis=1), 1)
    assert np.array_equal(first[0], first[1])
    assert np.array_equal(HashEncoder().encode_queries(["the crane lifts"])[0], first[0])
    assert first[0, :3].tolist() == pytest.approx([0.02809, -0.12617, -0.07000], abs=1e-4)
    assert encoder.encode_passages([]).shape == (0, 64)


def test_texts_that_share_words_are_near() -> None:
    """Nearer than those that share none."""
    query, near, far = HashEncoder().encode_passages(
        ["crane tonnes", "the crane lifts forty tonnes", "high tide"]
    )
    assert query @ near > 0.5 > query @ far


@pytest.mark.filterwarnings("ignore:builtin type .* has no __module__:DeprecationWarning")
def test_a_made_pdf_holds_its_pages(tmp_path: Path) -> None:
    """Read by PyMuPDF without a repair; the same texts give the same bytes."""
    import pymupdf

    write_documents(tmp_path, {"a/b.pdf": ["one (1)\nback\\slash", "zwei für"], "c.txt": "text"})
    with pymupdf.open(tmp_path / "a" / "b.pdf") as document:
        assert [page.get_text().split("\n")[:-1] for page in document] == [
            ["one (1)", "back\\slash"],
            ["zwei für"],
        ]
        assert not document.is_repaired
    assert (tmp_path / "a" / "b.pdf").read_bytes() == make_pdf(["one (1)\nback\\slash", "zwei für"])
    assert (tmp_path / "c.txt").read_text() == "text"
