"""A finished run as a person reads it, and as JSON."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ragvl.cli.quantities import counted, duration, file_size
from ragvl.cli.terminal import one_line, print_block

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ragvl.evals.records import Estimate, RunMetrics, StoredRun

__all__ = ["figure", "print_run", "run_json"]

_INSIDE = "in_document."
_ORACLE = "oracle."
_NAMED = 5  # failures that are shown


def run_json(run: StoredRun) -> dict[str, Any]:
    """Put together what a program wants to know of a run: all but the values of single queries."""
    metrics = run.metrics
    record = run.record
    return {
        "run": run.folder,
        "dataset": record.dataset,
        "system": record.system,
        "indexing": record.indexing,
        "main": metrics.main if metrics else None,
        "metrics": metrics.metrics if metrics else {},
        "groups": metrics.groups if metrics else {},
        "counts": metrics.counts if metrics else {},
        "latencies": metrics.latencies if metrics else {},
        "pages_per_s": metrics.pages_per_s if metrics else None,
        "bytes_per_page": metrics.bytes_per_page if metrics else None,
        "peak_memory_bytes": metrics.peak_memory_bytes if metrics else None,
        "failures": {outcome.query: outcome.errors for outcome in run.outcomes.values() if outcome.errors},
    }


def figure(estimate: Estimate | None) -> str:
    """Write "0.600 [0.541, 0.655]"; "" for none, and no interval where there is none."""
    if estimate is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.mean:.3f}"
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def print_run(console: Console, run: StoredRun) -> None:
    """Print means with their 95 % intervals, groups, costs, and what failed."""
    metrics = run.metrics
    if metrics is None:
        return
    _print_head(console, run, metrics)
    print_block(console, _metrics_table(metrics))
    for dimension, values in metrics.groups.items():
        console.print()
        print_block(console, _group_table(dimension, values, metrics.main))
    console.print()
    _print_costs(console, run, metrics)
    _print_failures(console, run)
    console.print(f"kept in {run.folder}", style="dim", soft_wrap=True)


def _print_head(console: Console, run: StoredRun, metrics: RunMetrics) -> None:
    dataset = run.record.dataset
    console.print(
        f"{one_line(run.record.system.name)} on {one_line(dataset.name)}", style="bold", soft_wrap=True
    )
    if dataset.board:
        console.print(one_line(dataset.board), style="dim", soft_wrap=True)
    judged = f"{metrics.counts['judged']:,} with judged pages"
    told = f"{dataset.queries:,} queries, {judged}; {counted(dataset.pages, 'page')}"
    console.print(f"{told}; means with 95 % intervals\n", style="dim", soft_wrap=True)


def _metrics_table(metrics: RunMetrics) -> Table:
    """Lay out metrics, with a column more where a question's own document, or the right pages, were looked at."""
    columns = [
        (head, prefix)
        for head, prefix in (("all documents", ""), ("own document", _INSIDE), ("right pages given", _ORACLE))
        if not prefix or any(name.startswith(prefix) for name in metrics.metrics)
    ]
    table = _table("metric", *(head for head, _ in columns))
    for name in _by_family(metrics.metrics):
        cells = [figure(metrics.metrics.get(f"{prefix}{name}")) for _, prefix in columns]
        table.add_row(f"{name} *" if name == metrics.main else name, *cells)
    return table


def _by_family(metrics: Collection[str]) -> list[str]:
    """Name metrics once, without prefixes, those of answers, of citations and of refusals together."""
    bare = list(dict.fromkeys(name.removeprefix(_INSIDE).removeprefix(_ORACLE) for name in metrics))
    families = ["" if "@" in name else re.split(r"[._]", name)[0] for name in bare]
    first = {family: families.index(family) for family in families}
    return [name for _, name in sorted(zip(families, bare, strict=True), key=lambda pair: first[pair[0]])]


def _group_table(dimension: str, values: Mapping[str, Mapping[str, Estimate]], main: str) -> Table:
    shown = [
        name
        for name in (main, f"{_INSIDE}{main}", *_answer_metrics(values))
        if any(name in metrics for metrics in values.values())
    ]
    table = _table(one_line(dimension), "queries", *shown)
    for value, metrics in values.items():
        queries = max((estimate.queries for estimate in metrics.values()), default=0)
        table.add_row(one_line(value), f"{queries:,}", *(figure(metrics.get(name)) for name in shown))
    return table


def _answer_metrics(values: Mapping[str, Mapping[str, Estimate]]) -> list[str]:
    """Name the first metric of answers, which is that of the set's rule."""
    names = [name for metrics in values.values() for name in metrics if name.startswith("answer.")]
    return names[:1]


def _print_costs(console: Console, run: StoredRun, metrics: RunMetrics) -> None:
    told = {
        "search": "search",
        "in_document.search": "search in one document",
        "answer": "answer",
        "oracle.answer": "answer from the right pages",
    }
    for name, latency in metrics.latencies.items():
        line = f"{told.get(name, name)}: half within {_ms(latency.p50_s)}, 95 % within {_ms(latency.p95_s)}"
        console.print(line, style="dim")
    if metrics.pages_per_s is not None:
        indexing = run.record.indexing
        console.print(
            f"indexing: {counted(indexing.pages, 'page')} in {duration(indexing.seconds)} "
            f"({metrics.pages_per_s:.1f} a second), {file_size(metrics.bytes_per_page or 0)} a page, "
            f"memory up to {file_size(indexing.peak_memory_bytes)}",
            style="dim",
            soft_wrap=True,
        )
    console.print(f"memory while asking: up to {file_size(metrics.peak_memory_bytes)}", style="dim")


def _print_failures(console: Console, run: StoredRun) -> None:
    failed = [(outcome.query, error) for outcome in run.outcomes.values() for error in outcome.errors]
    lines = [f"{query}: {error}" for query, error in failed]
    lines += [f"not indexed in full: {one}" for one in run.record.indexing.failed]
    for line in lines[:_NAMED]:
        console.print(one_line(line), style="yellow", soft_wrap=True)
    if len(lines) > _NAMED:
        console.print(f"and {len(lines) - _NAMED:,} more failures; --json has all", style="yellow")


def _table(*heads: str) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for position, head in enumerate(heads):
        table.add_column(head, justify="left" if position == 0 else "right", no_wrap=position > 0)
    return table


def _ms(seconds: float) -> str:
    if seconds >= 1:
        return duration(seconds)
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
