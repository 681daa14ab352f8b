"""Ward pooling: as many groups as asked for, the same ones each time, means at unit length."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from ragvl.errors import MissingExtraError
from ragvl.indexers.multivector.pooling import cut, medoids, merge_tree, pool

from .bags import unit


@pytest.mark.parametrize(("count", "groups"), [(2, 1), (3, 2), (65, 64), (200, 32), (200, 1), (200, 200)])
def test_there_are_as_many_groups_as_asked_for(count: int, groups: int) -> None:
    """Every vector is in one of them, and no group is empty."""
    vectors = unit(np.random.default_rng(count), count, 24)
    found = cut(merge_tree(vectors), groups)
    assert np.array_equal(np.unique(found), np.arange(groups))
    assert len(found) == count
    assert list(dict.fromkeys(found.tolist())) == list(range(groups)), "numbered by their first vectors"


def test_groups_are_those_of_wards_criterion() -> None:
    """They are what scipy finds between the vectors themselves."""
    vectors = unit(np.random.default_rng(1), 120, 16)
    expected = fcluster(linkage(vectors.astype(np.float64), "ward"), 20, "maxclust")
    found = cut(merge_tree(vectors), 20)
    pairs = set(zip(found.tolist(), expected.tolist(), strict=True))
    assert len(pairs) == 20


def test_near_vectors_are_merged_and_means_have_unit_length() -> None:
    """Three directions with noise become the three directions."""
    rng = np.random.default_rng(2)
    directions = unit(rng, 3, 32)
    noisy = np.repeat(directions, 30, axis=0) + 0.02 * rng.standard_normal((90, 32)).astype(np.float32)
    noisy = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
    groups = cut(merge_tree(noisy), 3)
    means = pool(noisy, groups)
    assert means.dtype == np.float32
    assert np.allclose(np.linalg.norm(means, axis=1), 1, atol=1e-6)
    assert (np.einsum("nd,nd->n", means, directions) > 0.99).all()
    assert np.array_equal(groups[medoids(noisy, groups, means)], np.arange(3))


def test_equal_opposite_and_empty_vectors_do_no_harm() -> None:
    """Nothing is divided by 0, and the result is the same each time."""
    one = np.eye(1, 8, dtype=np.float32)
    vectors = np.concatenate([one, -one, one, one, np.zeros((1, 8), np.float32), -one])
    groups = cut(merge_tree(vectors), 1)
    assert np.isfinite(pool(vectors, groups)).all()
    assert np.array_equal(pool(np.concatenate([one, -one]), np.zeros(2, np.int64)), one)
    assert np.array_equal(cut(merge_tree(vectors), 3), cut(merge_tree(vectors.copy()), 3))


def test_without_scipy_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the extra."""
    monkeypatch.setitem(sys.modules, "scipy.cluster.hierarchy", None)
    with pytest.raises(MissingExtraError, match=r"ragvl\[vl\]"):
        merge_tree(unit(np.random.default_rng(0), 3, 4))
