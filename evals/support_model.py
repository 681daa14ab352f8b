"""Fitting the model behind an answer's support, and judging each question without those about its document."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "cross_fitted", "fit", "folds_of", "probabilities"]

Floats = NDArray[np.float64]

_FOLDS = 9
_RIDGE = 1.0
_STEPS = 50


def fit(table: Floats, right: Floats) -> tuple[Floats, float]:
    """
    Fit a ridge logistic regression by Newton's method.

    Args:
        table: (n, features).
        right: (n,) 0 or 1.

    Returns:
        (features,) weights and the intercept.
    """
    mean, spread = table.mean(axis=0), table.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([(table - mean) / spread, np.ones(len(table))])
    penalty = np.diag([_RIDGE] * table.shape[1] + [0.0])
    beta = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (right - chance) - penalty @ beta
        curvature = (design.T * (chance * (1 - chance))) @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    weights = beta[:-1] / spread
    return weights, float(beta[-1] - weights @ mean)


def probabilities(table: Floats, weights: Floats, intercept: float) -> Floats:
    """(n,) support of rows of features."""
    chances: Floats = 1 / (1 + np.exp(-(table @ weights + intercept)))
    return chances


def folds_of(documents: Sequence[str]) -> NDArray[np.int64]:
    """(n,) number of the fold of each question; those about one document share theirs."""
    fold_of = {name: place % _FOLDS for place, name in enumerate(sorted(set(documents)))}
    return np.array([fold_of[name] for name in documents], dtype=np.int64)


def cross_fitted(table: Floats, right: Floats, folds: NDArray[np.int64]) -> Floats:
    """(n,) support of each question by a model fitted without its fold; there must be two folds at least."""
    held_out = np.zeros(len(folds))
    for fold in np.unique(folds):
        seen, unseen = folds != fold, folds == fold
        held_out[unseen] = probabilities(table[unseen], *fit(table[seen], right[seen]))
    return held_out
