"""Metrics, numbers and times as a report writes them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime

from ragvl.evals.records import Estimate

__all__ = [
    "SEARCH",
    "counted",
    "duration",
    "file_size",
    "is_search",
    "less_is_better",
    "metric_label",
    "moment",
    "ordered",
    "score",
    "with_interval",
]

SEARCH = ("ndcg", "recall", "success", "p", "map", "mrr")
_LABELS = {
    "ndcg": "nDCG", "p": "precision", "map": "MAP", "mrr": "MRR", "f1": "F1", "anls": "ANLS", "iou": "IoU", "em": "EM",
}  # fmt: skip
_LESS_IS_BETTER = ("outside_context",)


def is_search(metric: str) -> bool:
    """Whether a metric is about the pages found."""
    return re.split(r"[@._]", metric.removeprefix("in_document."))[0] in SEARCH


def less_is_better(metric: str) -> bool:
    """Whether a smaller value of a metric is the better one."""
    return any(part in metric for part in _LESS_IS_BETTER)


def metric_label(metric: str) -> str:
    """Write "in_document.ndcg@10" as "nDCG@10, in its document"."""
    where = ""
    for prefix, told in (("in_document.", ", in its document"), ("oracle.", ", given the judged pages")):
        if metric.startswith(prefix):
            metric, where = metric.removeprefix(prefix), told
    name, at, cutoff = metric.partition("@")
    words = [_LABELS.get(word, word) for word in re.split(r"[_.]", name)]
    label = " ".join(words)
    label = label if words[0] == "nDCG" else label[0].upper() + label[1:]
    return f"{label}{at}{cutoff}{where}"


def ordered(metrics: Collection[str], main: str) -> list[str]:
    """Put the main metric first, then the others by kind and cutoff."""

    def place(metric: str) -> tuple[bool, int, int, str]:
        name, _, cutoff = metric.rpartition(".")[2].partition("@")
        kind = SEARCH.index(name) if name in SEARCH else len(SEARCH)
        return metric != main, kind, int(cutoff) if cutoff.isdecimal() else 0, metric

    return sorted(metrics, key=place)


def score(value: float) -> str:
    """Write a score: "0.601"."""
    return f"{value:.3f}"


def with_interval(estimate: Estimate) -> str:
    """Write a mean and its interval: "0.601 [0.540, 0.661]"."""
    if estimate.low is None or estimate.high is None:
        return score(estimate.mean)
    return f"{score(estimate.mean)} [{score(estimate.low)}, {score(estimate.high)}]"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write "1 page", "1,204 pages"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Write "38 ms", "0.41 s", "32 s", "4 min 10 s", "2 h 5 min"."""
    if seconds < 0.1:
        return f"{1000 * seconds:.2g} ms"
    if seconds < 10:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def file_size(size_bytes: float) -> str:
    """Write "512 B", "3.4 MiB"."""
    size, unit = float(size_bytes), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" or abs(size) >= 100 else f"{size:.1f} {unit}"


def moment(at: datetime) -> str:
    """Write "22 November 2026, 07:30 UTC"."""
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def listed(names: Sequence[str]) -> str:
    """Write "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
