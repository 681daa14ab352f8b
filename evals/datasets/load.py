"""From a name or a path to a dataset."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from ragvl.evals.datasets.boards import KnownSet, LoadOptions
from ragvl.evals.datasets.catalogue import known_sets
from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.financebench import is_financebench, load_financebench
from ragvl.evals.datasets.folder import load_folder
from ragvl.evals.datasets.languages import code_of
from ragvl.evals.datasets.mmlongbench import is_mmlongbench, load_mmlongbench
from ragvl.evals.datasets.nearest import suggestion
from ragvl.evals.datasets.vidoseek import is_vidoseek, load_vidoseek
from ragvl.evals.types import EvalSet

__all__ = ["load_set"]


def load_set(
    name_or_path: str | Path,
    *,
    language: str | None = None,
    folder: str | Path | None = None,
    revision: str | None = None,
    rephrase_level: int | None = None,
    source_ids: bool = False,
    answer_rule: str | None = None,
) -> EvalSet:
    """
    Load a public set by its name, or a folder.

    A folder is recognised by what it holds: `questions.jsonl` with `documents/`, MMLongBench-Doc, FinanceBench,
    ViDoSeek, or a copy of a repository of the Hugging Face Hub under the repository's own name, as
    `hf download vidore/vidore_v3_hr --repo-type dataset --local-dir vidore_v3_hr` makes it. The name of a file means
    its folder.

    Args:
        language: ISO 639-1 code of the queries; None for all.
        folder: a local copy of the data of a named set, under whatever name.
        revision: commit, branch or tag of a named set on the Hub, in place of the pinned one; a local copy says
            itself what it is.
        rephrase_level: REAL-MM-RAG's; 0 to 3, None for 3, which its board scores.
        source_ids: ids of ViDoRe v1 and v2 as the data has them, in place of mteb's "corpus-test-3".
        answer_rule: of a folder of one's own; None for the usual one, see `load_folder`.

    Raises:
        DatasetError: no such set or folder, it is not whole, the Hub cannot be reached, or the set has no such choice.
        MissingExtraError: a public set needs the packages of the extra `evals`.
        OSError: a file cannot be read.
    """
    named = os.fspath(name_or_path)
    options = LoadOptions(
        language=code_of(language or ""),
        folder=None if folder is None else Path(folder),
        revision=revision or "",
        rephrase_level=rephrase_level,
        source_ids=source_ids,
    )
    known = next((each for each in known_sets() if each.name == named), None)
    if known is None and _is_path(name_or_path):
        if folder is not None:
            raise DatasetError(
                f"{named} is a folder already; another can be given for a set that is named only"
            )
        path = Path(named)
        known = _copied(path)
        if known is None:
            _refuse_choices(named, options, ("language",))
            return _load_path(path, options, answer_rule or "")
        options = replace(options, folder=path)
    if known is None:
        raise DatasetError(_unknown(named))
    if answer_rule:
        raise DatasetError(f"{known.name}: answer_rule can be chosen for folders of one's own only")
    here = ("revision",) if options.folder is None else ()
    spoken = ("language",) if options.language in known.languages else ()
    _refuse_choices(known.name, options, (*known.choices, *spoken, *here))
    return known.load(known, options)


def _is_path(name: str | Path) -> bool:
    return isinstance(name, Path) or Path(name).exists() or any(each in name for each in (os.sep, "/", "\\"))


def _copied(path: Path) -> KnownSet | None:
    """The named set whose repository has the name of a folder."""
    if not (path / "README.md").is_file():
        return None
    name = path.resolve().name
    return next((each for each in known_sets() if each.repository.id.rpartition("/")[2] == name), None)


def _load_path(path: Path, options: LoadOptions, answer_rule: str) -> EvalSet:
    if path.is_file():
        path = path.parent
    if not path.is_dir():
        raise DatasetError(f"{path}: no such folder; `ragvl eval list` names the public sets")
    if is_financebench(path):
        loaded = load_financebench(path)
    elif is_vidoseek(path):
        loaded = load_vidoseek(path)
    elif is_mmlongbench(path):
        loaded = load_mmlongbench(path)
    else:
        _require_layout(path)
        return load_folder(path, language=options.language, answer_rule=answer_rule)
    if options.language not in ("", "en"):
        raise DatasetError(f"{path}: its questions are in English; there are none in {options.language!r}")
    return loaded


def _require_layout(path: Path) -> None:
    missing = [name for name in ("questions.jsonl", "documents") if not (path / name).exists()]
    if missing:
        holds = ", ".join(sorted(each.name + "/" * each.is_dir() for each in path.iterdir())[:5]) or "nothing"
        raise DatasetError(
            f"{path}: no {' and no '.join(missing)} there; a set of one's own is the folder documents/ and the file "
            f"questions.jsonl, which `ragvl eval init` drafts. The folder holds: {holds}. For a copy of a public set, "
            "name the set and give the folder as well"
        )


def _refuse_choices(name: str, options: LoadOptions, allowed: tuple[str, ...]) -> None:
    asked = {
        "language": bool(options.language),
        "rephrase_level": options.rephrase_level is not None,
        "source_ids": options.source_ids,
        "revision": bool(options.revision),
    }
    for choice, is_asked in asked.items():
        if is_asked and choice not in allowed:
            known = f"it has: {', '.join(allowed)}" if allowed else "it has none"
            raise DatasetError(f"{name} has no choice of {choice}; {known}")


def _unknown(name: str) -> str:
    nearest = suggestion(name, (each.name for each in known_sets()))
    return f"no set named {name!r}, and no such folder{nearest}; `ragvl eval list` names the sets"
