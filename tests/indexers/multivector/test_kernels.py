"""Every form of a kernel gives the same bits; the exact measure is that of sentence-transformers."""

from __future__ import annotations

import logging
import subprocess
import sys

import numpy as np
import pytest
from sentence_transformers.util import maxsim as peer_maxsim

from ragvl.indexers.multivector.bits import sign_bits
from ragvl.indexers.multivector.blocks import page_of, slices, to_block
from ragvl.indexers.multivector.kernels import choice, exact
from ragvl.indexers.multivector.kernels.choice import REFERENCE, Kernels, fastest_kernels
from ragvl.indexers.multivector.query import QueryCodes

from .bags import unit


@pytest.fixture(params=["numpy", "numba"])
def kernels(request: pytest.FixtureRequest) -> Kernels:
    """Both forms."""
    found = REFERENCE if request.param == "numpy" else fastest_kernels()
    assert found.name == request.param
    return found


@pytest.mark.parametrize("pages", [1, 31, 32, 33, 64, 517, 600])
@pytest.mark.parametrize(("vectors", "words"), [(1, 2), (7, 2), (32, 2), (16, 4), (8, 8)])
def test_bits_are_compared_as_by_hand(kernels: Kernels, pages: int, vectors: int, words: int) -> None:
    """Of each query vector, all bits less twice the fewest differing ones; pages of any number."""
    rng = np.random.default_rng(pages)
    codes = rng.integers(0, 2**64, (pages, vectors, words), dtype=np.uint64)
    query = rng.integers(0, 2**64, (5, words), dtype=np.uint64)
    blocks = np.concatenate([to_block(list(codes[part])) for part in slices(pages, 32)])
    scores = np.full(pages, -1, dtype=np.int32)
    kernels.scan(query, blocks, vectors, scores)
    differing = np.bitwise_count(codes[:, :, None] ^ query).sum(axis=3, dtype=np.int32)
    assert np.array_equal(scores, (64 * words - 2 * differing.min(axis=1)).sum(axis=1))
    for page in {0, pages // 2, pages - 1}:
        assert np.array_equal(page_of(blocks, page, pages, (vectors, words)), codes[page])


@pytest.mark.parametrize("pages", [1, 32, 33, 100])
@pytest.mark.parametrize(("vectors", "words"), [(1, 2), (7, 2), (16, 4), (8, 8)])
def test_weighed_bits_are_compared_as_by_hand(kernels: Kernels, pages: int, vectors: int, words: int) -> None:
    """Of each query vector, its share of all weight less twice the least weight that differs; any pages, in any order."""
    rng = np.random.default_rng(pages)
    codes = rng.integers(0, 2**64, (pages, vectors, words), dtype=np.uint64)
    query = QueryCodes.of(unit(rng, 5, 96), words)
    blocks = np.concatenate([to_block(list(codes[part])) for part in slices(pages, 32)])
    rows = rng.permutation(pages)[: max(1, pages - 3)]
    scores = np.full(len(rows), -1, dtype=np.int32)
    kernels.weigh(query.bits, query.weights, query.shares, blocks, vectors, rows, scores)
    bits = np.unpackbits(codes.view(np.uint8), axis=-1, bitorder="little").reshape(pages, vectors, -1)
    sides = np.unpackbits(query.bits.view(np.uint8), axis=-1, bitorder="little")
    planes = np.unpackbits(query.weights.view(np.uint8), axis=-1, bitorder="little").astype(np.int64)
    weights = planes[:, 0] + 2 * planes[:, 1] + 4 * planes[:, 2]
    lost = np.where(bits[:, :, None] != sides, weights, 0).sum(axis=3).min(axis=1)
    expected = (query.shares * (weights.sum(axis=1) - 2 * lost)).sum(axis=1)
    assert scores.tolist() == expected[rows].tolist()
    assert weights.max() == 7
    assert query.shares.max() == 255


@pytest.mark.parametrize("dimension", [1, 3, 64, 128, 320, 384, 4096])
def test_bytes_are_compared_exactly(kernels: Kernels, dimension: int) -> None:
    """Whole numbers are exact, whatever their size; only the last steps are in float32, in their order."""
    rng = np.random.default_rng(dimension)
    lengths = rng.integers(1, 40, 12)
    ends = np.cumsum(lengths)
    codes = rng.integers(-127, 128, (ends[-1], dimension)).astype(np.int8)
    codes[0] = 127
    scales = rng.random(ends[-1]).astype(np.float16).astype(np.float32) + np.float32(0.001)
    query = rng.integers(-2047, 2048, (9, dimension)).astype(np.int16)
    query[0] = 2047
    query_scales = rng.random(9).astype(np.float32)
    scores = np.empty(len(ends), dtype=np.float32)
    kernels.maxsim(query, query_scales, codes, scales, ends, scores)
    expected = []
    for rows in np.split(np.arange(ends[-1]), ends[:-1]):
        products = codes[rows].astype(np.int64) @ query.T.astype(np.int64)
        best = (products.astype(np.float32) * scales[rows, None]).max(axis=0) * query_scales
        total = np.float32(0)
        for value in best:
            total += value
        expected.append(total)
    assert scores.tolist() == expected


def test_a_page_that_is_unlike_the_query_scores_below_zero(kernels: Kernels) -> None:
    """No zeros of padding stand in for its vectors."""
    query = QueryCodes.of(np.eye(2, 8, dtype=np.float32), 2)
    codes = -127 * np.eye(2, 8, dtype=np.int8).sum(axis=0, keepdims=True, dtype=np.int8)
    scores = np.empty(1, dtype=np.float32)
    scales = np.array([0.7 / 127], dtype=np.float32)
    kernels.maxsim(query.codes, query.scales, codes, scales, np.array([1]), scores)
    assert scores[0] == pytest.approx(-1.4, rel=1e-3)
    bits = np.full(1, 0, dtype=np.int32)
    far = ~query.bits[:1]
    kernels.scan(query.bits[:1], to_block([far]), 1, bits)
    assert bits[0] == -128


@pytest.mark.parametrize("at_once", [1, 50, 8_000_000])
@pytest.mark.parametrize("tokens", [1, 2, 17])
def test_exact_scores_are_those_of_sentence_transformers(
    monkeypatch: pytest.MonkeyPatch, at_once: int, tokens: int
) -> None:
    """Within 1e-5, in chunks of any size, with and without bags masked by the peer."""
    rng = np.random.default_rng(tokens)
    query = unit(rng, tokens, 48)
    bags = [unit(rng, int(length), 48) for length in rng.integers(1, 60, 40)]
    vectors, ends = np.concatenate(bags), np.cumsum([len(bag) for bag in bags])
    monkeypatch.setattr(exact, "_PRODUCTS_AT_ONCE", at_once)
    found = exact.maxsim(query, vectors, ends)
    expected = peer_maxsim([query], bags).numpy()[0]
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(exact.maxsim_reference(query, vectors, ends) - expected).max() < 1e-5
    padded = np.full((len(bags), 60, 48), 9, dtype=np.float32)
    mask = np.zeros((len(bags), 60), dtype=bool)
    for row, bag in enumerate(bags):
        padded[row, : len(bag)], mask[row, : len(bag)] = bag, True
    import torch

    masked = peer_maxsim(query[None], padded, b_mask=torch.from_numpy(mask)).numpy()[0]
    assert np.abs(found - masked).max() < 1e-5


def test_exact_scores_of_nothing() -> None:
    """No bags have no scores; a bag without vectors has none either, which is said."""
    query = np.eye(1, 4, dtype=np.float32)
    assert exact.maxsim(query, np.empty((0, 4), np.float32), np.empty(0, np.int64)).shape == (0,)
    with pytest.raises(ValueError, match="bag 1 holds no vectors"):
        exact.maxsim(query, query, np.array([1, 1]))


def test_bytes_come_near_the_exact_measure(kernels: Kernels) -> None:
    """A cosine is off by less than 0.005."""
    from ragvl.indexers.multivector.codes import byte_codes

    rng = np.random.default_rng(7)
    query, page = unit(rng, 12, 128), unit(rng, 300, 128)
    coded, asked = byte_codes(page), QueryCodes.of(query, 2)
    scores = np.empty(1, dtype=np.float32)
    ends = np.array([300])
    kernels.maxsim(asked.codes, asked.scales, coded.codes, coded.scales.astype(np.float32), ends, scores)
    assert scores[0] == pytest.approx(exact.maxsim(query, page, ends)[0], abs=12 * 0.005)
    assert np.array_equal(asked.bits, sign_bits(query, 2))


def test_without_numba_the_references_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says so, and what to install."""
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "ragvl.indexers.multivector.kernels.compiled", raising=False)
    import ragvl.indexers.multivector.kernels as package

    monkeypatch.delattr(package, "compiled", raising=False)
    with caplog.at_level(logging.WARNING):
        assert choice.fastest_kernels.__wrapped__() is REFERENCE
    assert "ragvl[vl]" in caplog.text


def test_a_cache_that_cannot_be_written_only_costs_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The kernels are compiled without it, and one line says so."""
    from ragvl.indexers.multivector.kernels import compiled

    asked = []

    def compile_kernels(cache: bool) -> tuple[object, object, object]:
        asked.append(cache)
        if cache:
            raise OSError(28, "No space left on device")
        return compiled.scan, compiled.weigh, compiled.maxsim

    monkeypatch.setattr(compiled, "compile_kernels", compile_kernels)
    with caplog.at_level(logging.WARNING):
        assert choice.fastest_kernels.__wrapped__().name == "numba"
    assert asked == [True, False]
    assert "NUMBA_CACHE_DIR" in caplog.text


def test_nothing_heavy_is_imported_for_a_few_pages() -> None:
    """The package is imported, and small tables are searched, without numba, scipy or torch."""
    code = (
        "import sys, ragvl.indexers.multivector.table\n"
        "assert not {'numba', 'scipy', 'torch', 'sentence_transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
