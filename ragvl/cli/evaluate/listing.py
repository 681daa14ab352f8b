"""`ragvl eval list`: sets that are known by name, and the runs that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragvl.cli.evaluate import options, session
from ragvl.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ragvl.evals.datasets import KnownSet

__all__ = ["list_all"]


def list_all(work: options.WorkOption = options.DEFAULT_WORK, as_json: JsonOption = False) -> None:
    """List the sets that are known by name, and the runs in the folder of --work."""
    from ragvl.cli.terminal import results, write_json
    from ragvl.evals.datasets import known_sets
    from ragvl.registry import names

    sets = known_sets()
    runs, damaged = _runs(work / session.RUNS)
    if as_json:
        write_json(
            {
                "datasets": [_known(one) for one in sets],
                "systems": names("eval_system"),
                "runs": runs,
                "damaged": damaged,
            }
        )
        return
    _print(results(), sets, names("eval_system"), runs, damaged)


def _known(known: KnownSet) -> dict[str, Any]:
    return {
        "name": known.name,
        "what": known.what,
        "size": known.size,
        "licence": known.licence,
        "repository": known.source,
        "languages": known.languages,
    }


def _runs(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    from ragvl.evals.run_folder import RunFolderError, find_runs, load_run

    found, damaged = [], []
    for path in find_runs(folder):
        try:
            run = load_run(path)
        except RunFolderError as error:
            damaged.append(str(error))
            continue
        main = run.metrics.metrics.get(run.metrics.main) if run.metrics else None
        found.append(
            {
                "run": path,
                "dataset": run.record.dataset.name,
                "system": run.record.system.name,
                "started_at": run.record.started_at,
                "asked": len(run.outcomes),
                "queries": len(run.queries),
                "finished": run.metrics is not None,
                "metric": run.record.dataset.main_metric,
                "mean": main.mean if main else None,
            }
        )
    return found, damaged


def _print(
    console: Console,
    sets: Sequence[KnownSet],
    systems: Sequence[str],
    runs: list[dict[str, Any]],
    damaged: list[str],
) -> None:
    from rich.table import Table

    from ragvl.cli.terminal import one_line, print_block

    console.print("sets", style="bold")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for known in sets:
        table.add_row(known.name, one_line(f"{known.what}; {known.size}; {known.licence}"))
    print_block(console, table)
    console.print(
        f"\nor a folder of your own documents and questions\nsystems: {', '.join(systems)}\n", style="dim"
    )
    console.print("runs" if runs else "no runs yet", style="bold")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for run in runs:
        if run["finished"]:
            told = f"{run['metric']} {run['mean']:.3f}" if run["mean"] is not None else "no judged pages"
        else:
            told = f"stopped after {run['asked']:,} of {run['queries']:,} queries"
        table.add_row(one_line(str(run["run"])), one_line(run["system"]), told)
    print_block(console, table)
    for problem in damaged:
        console.print(one_line(problem), style="yellow", soft_wrap=True)
