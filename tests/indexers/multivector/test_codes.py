"""Pages as codes: precise enough, in the sizes promised, and refused when they are no vectors."""

from __future__ import annotations

import numpy as np
import pytest

from ragvl.config import TierConfig
from ragvl.indexers.multivector.bits import planes, sign_bits
from ragvl.indexers.multivector.codes import byte_codes, encode_page
from ragvl.indexers.multivector.query import QueryCodes
from ragvl.protocols import PageVectors

from .bags import HEIGHT_PT, TIERS, WIDTH_PT, owned, page_vectors, unit


@pytest.mark.parametrize("dimension", [64, 128, 320, 384])
@pytest.mark.parametrize("count", [1, 2, 31, 33, 63, 65, 150])
def test_a_page_is_kept_in_three_tiers(dimension: int, count: int) -> None:
    """Coarse vectors are always as many as configured; the finer tiers have no more than the page has."""
    vectors = page_vectors(unit(np.random.default_rng(count), count, dimension))
    codes = encode_page(vectors, WIDTH_PT, HEIGHT_PT, TIERS)
    assert (codes.coarse.shape, codes.coarse.dtype) == ((16, 4), np.uint64)
    assert codes.fine.codes.shape == (min(count, 64), dimension)
    assert codes.tokens.codes.shape == (count, dimension)
    assert len(np.unique(codes.coarse, axis=0)) == min(count, 16)
    decoded = codes.decode(WIDTH_PT, HEIGHT_PT)
    assert np.abs(codes.tokens.decode() - vectors.vectors).max() <= np.abs(vectors.vectors).max() / 127
    assert np.abs(decoded.vectors - vectors.vectors).max() <= 1.01 * np.abs(vectors.vectors).max() / 127 / 8
    assert np.array_equal(decoded.sources, vectors.sources)
    assert np.abs(decoded.boxes_pt - vectors.boxes_pt).max() < HEIGHT_PT / 65_535
    assert decoded.vectors.dtype == decoded.boxes_pt.dtype == np.float32


def test_hot_bytes_are_within_the_budget() -> None:
    """Fine vectors and what the segment holds in memory of a page, at 128 dimensions."""
    codes = owned(1, unit(np.random.default_rng(0), 300, 128)).codes
    tables = 16 + 8 + 16 + 16  # owners, counts, digests, offsets
    assert codes.coarse.nbytes + tables <= 600
    assert codes.coarse.nbytes + tables + codes.fine.size_bytes <= 9_000


def test_fewer_tokens_are_kept_when_configured() -> None:
    """Tokens are pooled; each keeps source and box of a vector near it."""
    vectors = page_vectors(unit(np.random.default_rng(3), 80, 64))
    codes = encode_page(vectors, WIDTH_PT, HEIGHT_PT, TierConfig(page_vectors=20))
    decoded = codes.decode(WIDTH_PT, HEIGHT_PT)
    assert decoded.vectors.shape == (20, 64)
    for vector, box, source in zip(decoded.vectors, decoded.boxes_pt, decoded.sources, strict=True):
        origin = int(np.abs(vectors.boxes_pt - box).max(axis=1).argmin())
        assert np.allclose(vectors.boxes_pt[origin], box, atol=0.02)
        assert vectors.sources[origin] == source
        assert vectors.vectors[origin] @ vector > 0.1


def test_boxes_beyond_the_page_are_cut() -> None:
    """They end at its edges."""
    boxes = np.array([[-5, -5, 1e9, np.nan]], dtype=np.float32)
    vectors = PageVectors(unit(np.random.default_rng(0), 1, 8), np.zeros(1, np.uint8), boxes)
    decoded = encode_page(vectors, WIDTH_PT, HEIGHT_PT, TIERS).decode(WIDTH_PT, HEIGHT_PT)
    assert decoded.boxes_pt.tolist() == [[0, 0, WIDTH_PT, 0]]


def test_bits_keep_angles() -> None:
    """The share of differing bits is the angle, as a share of half a turn; also where planes outnumber dimensions."""
    rng = np.random.default_rng(5)
    for dimension in (64, 128, 384):
        one, other = unit(rng, 400, dimension), unit(rng, 400, dimension)
        mixed = one + 0.7 * other
        differing = np.bitwise_count(sign_bits(one, 4) ^ sign_bits(mixed, 4)).sum(axis=1) / 256
        cosines = np.einsum("nd,nd->n", one, mixed) / np.linalg.norm(mixed, axis=1)
        assert abs(float(differing.mean() - (np.arccos(cosines) / np.pi).mean())) < 0.01


KNOWN_BITS = [5832447936400498263, 8720669713710006870]


def test_planes_of_128_dimensions_are_a_rotation_that_never_changes() -> None:
    """Orthonormal; and the bits of a known vector are what they were when indexes were made."""
    normals = planes(128, 128)
    assert np.array_equal(normals @ normals.T, np.eye(128, dtype=np.float32))
    assert sign_bits(np.eye(1, 128, dtype=np.float32), 2).tolist() == [KNOWN_BITS]
    assert planes(64, 128).shape == (128, 64)
    assert np.allclose(planes(64, 128).T @ planes(64, 128), np.eye(64))


def test_bytes_never_pass_their_range() -> None:
    """Scales are rounded up, so the largest component still fits; a vector of zeros stays one."""
    rng = np.random.default_rng(6)
    vectors = np.concatenate([rng.standard_normal((500, 16)), np.zeros((1, 16))]).astype(np.float32)
    coded = byte_codes(vectors)
    assert np.abs(coded.codes.astype(int)).max() == 127
    steps = coded.scales.astype(np.float32)[:, None]
    assert (np.abs(coded.decode() - vectors) <= 0.5001 * steps).all()
    assert not coded.codes[-1].any()


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.empty((0, 8), np.float32), "shape"),
        (np.full((2, 8), np.nan, np.float32), "finite"),
        (np.zeros((2, 5000), np.float32), "shape"),
    ],
)
def test_what_is_no_bag_of_vectors_is_refused(vectors: np.ndarray, message: str) -> None:
    """Nothing is stored that no search could compare."""
    with pytest.raises(ValueError, match=message):
        owned(1, vectors)
    if vectors.shape[1] == 8:
        with pytest.raises(ValueError, match=message):
            QueryCodes.of(vectors, 2)


def test_sources_and_boxes_must_be_as_many_as_vectors() -> None:
    """A page whose parts do not fit is refused."""
    vectors = unit(np.random.default_rng(0), 3, 8)
    with pytest.raises(ValueError, match="3 vectors but 2 sources"):
        encode_page(PageVectors(vectors, np.zeros(2, np.uint8), np.zeros((3, 4), np.float32)), 1, 1, TIERS)
