"""The index, if there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ragvl.doctor.findings import Check, Verdict
from ragvl.errors import IndexNotFoundError, RagvlError

if TYPE_CHECKING:
    from ragvl.library import Library


def index(named: Path | None) -> Iterator[Check]:
    """The index, its profile, and when it refuses to answer."""
    # Late: the facade needs the packages that are looked for above.
    from ragvl.library import find_index, open

    folder = (named or find_index()).absolute()
    try:
        with open(folder) as library:
            documents = len(library.documents())
            profile = library.config.profile
            refusal = _refusal(library)
    except IndexNotFoundError:
        yield Check("index", Verdict.WARN, f"none at {folder}", "ragvl index PATH")
        return
    except RagvlError as error:
        yield Check("index", Verdict.MISSING, str(error), "ragvl verify --repair")
        return
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    yield Check("index", Verdict.OK, f"{folder}: {documents:,} documents, {size / 2**20:,.1f} MiB")
    yield Check("profile", Verdict.OK, profile)
    yield Check("calibration", Verdict.OK, refusal)


def _refusal(library: Library) -> str:
    """When answers are refused, and who chose that."""
    name, configured, calibration = (
        library.config.generator.name,
        library.config.generator.refuse_below,
        library.calibration(),
    )
    if configured is not None:
        return f"{name}: refuses below {configured:.2f}, as configured"
    if calibration is None:
        return f"{name}: as shipped"
    return (
        f"{name}: refuses below {calibration.refuse_below:.2f}, chosen on {calibration.asked:,} questions of "
        f"{calibration.questions!r} on {calibration.made_at[:10]}; at most {calibration.error:.0%} of the answers "
        f"given cite a wrong page, at {calibration.confidence:.0%} confidence"
    )
