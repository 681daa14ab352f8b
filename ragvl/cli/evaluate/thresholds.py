"""`--fail-under`: means that a run must reach."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ragvl.evals.records import Estimate

__all__ = ["check_retrieval_metrics", "read_thresholds", "shortfalls"]

_PREFIXES = ("in_document.", "oracle.")


def read_thresholds(given: Sequence[str] | None) -> dict[str, float]:
    """
    Read `ndcg@5=0.55`.

    Raises:
        typer.BadParameter: no name, or no number from 0 to 1.
    """
    thresholds = {}
    for one in given or ():
        metric, _, value = one.partition("=")
        try:
            threshold = float(value)
        except ValueError:
            threshold = -1.0
        if not metric.strip() or not 0 <= threshold <= 1:
            raise typer.BadParameter(
                f"--fail-under {one!r}: write it as METRIC=VALUE with a value from 0 to 1, such as ndcg@5=0.55."
            )
        thresholds[metric.strip()] = threshold
    return thresholds


def check_retrieval_metrics(metrics: Collection[str], known: Sequence[str]) -> None:
    """
    Refuse a retrieval metric that a run will not have, before it begins.

    Raises:
        typer.BadParameter: with the nearest one.
    """
    for metric in metrics:
        bare = metric
        for prefix in _PREFIXES:
            bare = bare.removeprefix(prefix)
        if "@" in bare and bare not in known:
            raise typer.BadParameter(f"--fail-under: the run has no metric {metric!r}{_hint(bare, known)}")


def shortfalls(metrics: Mapping[str, Estimate], thresholds: Mapping[str, float]) -> list[str]:
    """
    Say of each mean that is too low by how much.

    Raises:
        ValueError: the run does not have a metric.
    """
    told = []
    for metric, threshold in thresholds.items():
        if metric not in metrics:
            raise ValueError(f"--fail-under: the run has no metric {metric!r}{_hint(metric, tuple(metrics))}")
        mean = metrics[metric].mean
        if mean < threshold:
            told.append(f"{metric} is {mean:.4f}, {threshold - mean:.4f} under {threshold:g}")
    return told


def _hint(metric: str, known: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(metric, known, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else f"; it has {', '.join(known)}"
