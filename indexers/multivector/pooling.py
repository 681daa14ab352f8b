"""
Ward pooling: a bag of vectors becomes a smaller one, in which near vectors are merged.

Merging keeps far more of what MaxSim sees than dropping vectors does (Clavié et al., 2024, arXiv 2409.14683). The tree
of merges is made from inner products of 8-bit codes. These are whole numbers that float32 holds exactly, up to 1,040
dimensions, so the groups do not depend on how many threads, or which linear algebra library, compute them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragvl.errors import MissingExtraError
from ragvl.protocols import FloatArray

Tree = NDArray[np.int64]  # (n - 1, 2): what is merged, nearest first; n + i is what merge i makes
Groups = NDArray[
    np.int64
]  # (n,): the group of each vector; groups count from 0 in order of their first vectors


def merge_tree(vectors: FloatArray) -> Tree:
    """
    Plan how vectors are merged, those whose merging loses least first.

    Args:
        vectors: (n, dimension) float32, unit length along the last axis; n is at least 2.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    linkage = _linkage()
    codes = np.rint(vectors * (127 / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-30)))
    products = codes @ codes.T
    lengths = np.maximum(np.sqrt(products.diagonal()), 1)
    cosines = products / lengths[:, None] / lengths
    pairs = cosines[np.triu_indices(len(vectors), 1)].astype(np.float64)
    # Between unit vectors this is the Euclidean distance, which Ward's criterion is about.
    merges = linkage(np.sqrt(np.maximum(2 - 2 * pairs, 0)), "ward")
    tree: Tree = merges[:, :2].astype(np.int64)
    return tree


def cut(tree: Tree, groups: int) -> Groups:
    """Merge as far as `groups` groups are left: between 1 and the number of vectors."""
    vectors = len(tree) + 1
    merges = vectors - groups
    parent = np.arange(vectors + merges)
    parent[tree[:merges].ravel()] = np.repeat(np.arange(vectors, vectors + merges), 2)
    while not np.array_equal(parent, above := parent[parent]):
        parent = above
    _, first, group = np.unique(parent[:vectors], return_index=True, return_inverse=True)
    return first.argsort().argsort()[group]


def pool(vectors: FloatArray, groups: Groups) -> FloatArray:
    """The mean of each group, (groups, dimension) float32, at unit length; a mean of 0 becomes the group's first vector."""
    order = groups.argsort(kind="stable")
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    sums = np.add.reduceat(vectors[order], starts, axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.where(lengths > 1e-6, sums / np.maximum(lengths, 1e-6), vectors[order[starts]])
    return np.ascontiguousarray(means, dtype=np.float32)


def medoids(vectors: FloatArray, groups: Groups, means: FloatArray) -> NDArray[np.int64]:
    """The vector of each group that is nearest to its mean, as (groups,) rows; the first of those that are equally near."""
    nearness = np.einsum("nd,nd->n", vectors, means[groups])
    order = np.lexsort((np.arange(len(groups)), -nearness, groups))
    return order[np.searchsorted(groups[order], np.arange(len(means)))]


def _linkage() -> Any:
    try:
        from scipy.cluster.hierarchy import linkage
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            'pages of many vectors are pooled with scipy: pip install "ragvl[vl]"'
        ) from error
    return linkage
