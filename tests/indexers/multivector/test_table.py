"""Tables: what a search finds is what comparing everything finds, whatever the segments, threads and kernels."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ragvl.config import TierConfig
from ragvl.errors import IndexDamagedError
from ragvl.indexers.multivector.codes import OwnedPage
from ragvl.indexers.multivector.kernels import exact
from ragvl.indexers.multivector.kernels.choice import REFERENCE, fastest_kernels
from ragvl.indexers.multivector.ranking import best
from ragvl.indexers.multivector.table import MultiVectorTable, PageScore
from ragvl.protocols import FloatArray

from .bags import HEIGHT_PT, TIERS, WIDTH_PT, owned, page_vectors, pages, segment, unit


def table(
    folder: Path, *parts: Sequence[OwnedPage], tiers: TierConfig = TIERS, **options: object
) -> MultiVectorTable:
    """A table of one segment a part."""
    opened = [segment(folder / f"{len(parts)}-{number}.seg", part) for number, part in enumerate(parts)]
    return MultiVectorTable(opened, tiers, **options)  # type: ignore[arg-type]


def brute_force(content: Sequence[OwnedPage], query: FloatArray) -> dict[int, float]:
    """Exact scores of the pages as they are kept."""
    bags = [page.codes.token_vectors() for page in content]
    scores = exact.maxsim(query, np.concatenate(bags), np.cumsum([len(bag) for bag in bags]))
    return {page.page_id: float(score) for page, score in zip(content, scores, strict=True)}


@pytest.mark.parametrize("dimension", [64, 128, 320, 384])
def test_few_pages_are_compared_exactly(tmp_path: Path, dimension: int) -> None:
    """No more than the last tier takes: the order and scores of brute force."""
    content = pages(10, dimension)
    query = unit(np.random.default_rng(9), 6, dimension)
    found = table(tmp_path, content).search(query, 10)
    expected = brute_force(content, query)
    assert [page.page_id for page in found] == sorted(expected, key=lambda page_id: -expected[page_id])
    for page in found:
        assert page.score == pytest.approx(expected[page.page_id], abs=1e-3)
        assert page.mean == pytest.approx(page.score / 6)


@pytest.mark.parametrize("count", [11, 41, 300])
def test_a_page_that_holds_the_query_is_found_by_every_tier(tmp_path: Path, count: int) -> None:
    """With the second tier, and with all three."""
    content = pages(count)
    rng = np.random.default_rng(3)
    searched = table(tmp_path, content)
    for page in content[:: max(1, count // 20)]:
        tokens = page.codes.tokens.decode()
        query = tokens[rng.permutation(len(tokens))[:8]] + 0.02 * unit(rng, 1, 128)
        [found] = searched.search(query, 1)
        assert found.page_id == page.page_id


def test_results_do_not_depend_on_segments_threads_or_kernels(tmp_path: Path) -> None:
    """The same pages in one segment or in many, in another order, give the same scores to the last bit."""
    content = pages(150)
    query = unit(np.random.default_rng(1), 5, 128)
    expected = table(tmp_path, content, threads=1, kernels=REFERENCE).search(query, 20)
    assert len(expected) == 20
    mixed = [content[place] for place in np.random.default_rng(2).permutation(150)]
    for parts in ([content], [content[:1], content[1:90], content[90:]], [mixed[:77], mixed[77:]]):
        for threads in (1, 3):
            for kernels in (REFERENCE, fastest_kernels(), None):
                searched = table(tmp_path, *parts, threads=threads, kernels=kernels)
                assert searched.search(query, 20) == expected


def test_ties_go_to_the_lower_page_id(tmp_path: Path) -> None:
    """Also where a tier's cut runs through pages that are alike."""
    vectors = unit(np.random.default_rng(0), 5, 128)
    ids = np.random.default_rng(1).permutation(np.arange(1, 101))
    content = [owned(int(page_id), vectors) for page_id in ids]
    found = table(tmp_path, content[:30], content[30:]).search(vectors[:2], 7)
    assert [page.page_id for page in found] == [1, 2, 3, 4, 5, 6, 7]
    assert len({page.score for page in found}) == 1


def test_only_allowed_pages_are_found(tmp_path: Path) -> None:
    """A mask over all rows gives what a table of those pages alone gives."""
    content = pages(150)
    query = unit(np.random.default_rng(1), 5, 128)
    searched = table(tmp_path, content[:70], content[70:])
    for share in (0.0, 0.04, 0.2, 0.7):
        allowed = np.random.default_rng(4).random(150) < share
        kept = [page for page, wanted in zip(content, allowed, strict=True) if wanted]
        expected = table(tmp_path, kept).search(query, 9) if kept else []
        assert searched.search(query, 9, allowed) == expected
    assert not allowed.all(), "the mask is left as it was"


def test_more_pages_than_candidates_can_be_asked_for(tmp_path: Path) -> None:
    """The tiers leave as many as are wanted."""
    content = pages(90)
    query = unit(np.random.default_rng(1), 3, 128)
    searched = table(tmp_path, content)
    assert len(searched.search(query, 60)) == 60
    every = searched.search(query, 1000)
    expected = brute_force(content, query)
    ranked = sorted(expected, key=lambda page_id: -expected[page_id])
    assert [page.page_id for page in every][:32] == ranked[:32]
    assert {page.page_id for page in every} == expected.keys()
    assert all(first.score >= second.score for first, second in itertools.pairwise(every))


def test_equal_pages_are_treated_alike(tmp_path: Path) -> None:
    """Fifty pages with the same vectors have the same score, wherever they stand in the list."""
    same = unit(np.random.default_rng(5), 40, 128)
    content = [owned(number, same) for number in range(1, 51)]
    found = table(tmp_path, content).search(unit(np.random.default_rng(6), 4, 128), 50)
    assert len({page.score for page in found}) == 1
    assert [page.page_id for page in found] == list(range(1, 51))


def test_an_empty_table_finds_nothing() -> None:
    """No segments, no pages, no error."""
    empty = MultiVectorTable([], TIERS)
    assert (len(empty), empty.search(unit(np.random.default_rng(0), 2, 128), 5)) == (0, [])
    assert empty.owners.shape == (0, 2)


def test_a_query_of_another_dimension_is_refused(tmp_path: Path) -> None:
    """With both numbers."""
    with pytest.raises(ValueError, match=r"64 numbers, the pages' 128"):
        table(tmp_path, pages(2)).search(unit(np.random.default_rng(0), 2, 64), 5)


def test_a_damaged_segment_is_left_out_and_the_rest_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The search that meets it is repeated without it; it is named once, and never served again."""
    content = pages(60)
    query = unit(np.random.default_rng(1), 3, 128)
    searched = table(tmp_path, content[:30], content[30:])
    path = tmp_path / "2-0.seg"
    damaged = bytearray(path.read_bytes())
    records_end = len(damaged) - 30 * 600
    for at in range(8, records_end, 500):
        damaged[at] ^= 16
    with path.open("r+b") as file:
        file.write(damaged)
    expected = table(tmp_path, content[30:]).search(query, 30)
    with caplog.at_level(logging.WARNING):
        assert searched.search(query, 30) == expected
        assert searched.search(query, 30) == expected
    [message] = searched.damaged
    assert "2-0.seg" in message
    assert caplog.text.count("2-0.seg") == 1
    allowed = np.arange(60) < 40
    assert {page.page_id for page in searched.search(query, 30, allowed)} == set(range(31, 41))


def test_a_page_is_read_with_its_places(tmp_path: Path) -> None:
    """To show what matched; a damaged one is refused and not found any more."""
    content = pages(20)
    searched = table(tmp_path, content[:10], content[10:])
    read = searched.page(14, WIDTH_PT, HEIGHT_PT)
    tokens = content[13].codes
    assert np.array_equal(read.vectors, tokens.token_vectors())
    original = page_vectors(tokens.token_vectors(), 14)
    assert np.allclose(read.boxes_pt, original.boxes_pt, atol=0.02)
    assert np.array_equal(read.sources, original.sources)
    with pytest.raises(KeyError):
        searched.page(99, WIDTH_PT, HEIGHT_PT)
    with (tmp_path / "2-1.seg").open("r+b") as file:
        file.write(b"\0" * 100_000)
    with pytest.raises(IndexDamagedError):
        searched.page(14, WIDTH_PT, HEIGHT_PT)
    assert len(searched.damaged) == 1
    found = searched.search(unit(np.random.default_rng(0), 2, 128), 20)
    assert {page.page_id for page in found} == set(range(1, 11))


@pytest.mark.parametrize("k", [1, 2, 50, 99, 100, 150])
def test_the_best_are_those_of_a_full_sort(k: int) -> None:
    """Scores with many ties, ids in any order."""
    rng = np.random.default_rng(k)
    for kind in (np.int32, np.float32):
        scores = rng.integers(-3, 3, 100).astype(kind)
        ids = rng.permutation(1000)[:100]
        expected = sorted(range(100), key=lambda place: (-scores[place], ids[place]))[:k]
        assert best(scores, ids, k).tolist() == expected


def test_scores_are_plain_numbers(tmp_path: Path) -> None:
    """They go into JSON as they are."""
    [found] = table(tmp_path, pages(1)).search(unit(np.random.default_rng(0), 2, 128), 1)
    assert found == PageScore(1, found.score, found.mean)
    assert [type(value) for value in (found.page_id, found.score, found.mean)] == [int, float, float]
