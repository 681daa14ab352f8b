"""Where a public dataset comes from: a repository of the Hugging Face Hub at one commit, or a folder that holds one."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ragvl.errors import MissingExtraError
from ragvl.evals.datasets.card import Card, read_card
from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.files import content_hash
from ragvl.evals.datasets.table import Table

__all__ = ["Repository", "Source", "library", "open_source"]

_COMMIT = re.compile("[0-9a-f]{40}")
_PATIENCE_S = 10
_DATA = (".parquet", ".json", ".jsonl", ".csv", ".arrow", ".pdf")


@dataclass(frozen=True, slots=True)
class Repository:
    """
    A dataset repository of the Hub.

    Attributes:
        revision: the commit that is loaded when none is named; "" for the newest, which is resolved and recorded.
    """

    id: str
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """
    A dataset that can be read.

    Attributes:
        where: the repository or the folder, as errors name it.
        revision: commit, or a hash of what the folder holds.
        fetch: brings some of its files, by patterns, to a folder of this machine.
    """

    where: str
    revision: str
    fetch: Callable[[Sequence[str]], Path]

    def card(self) -> Card:
        """
        What its README says of its tables.

        Raises:
            DatasetError: it has no README, or the README cannot be read.
            MissingExtraError: the package `huggingface_hub` is not installed.
        """
        hub = library("huggingface_hub")
        readme = self.fetch(["README.md"]) / "README.md"
        if not readme.is_file():
            raise DatasetError(
                f"{self.where}: no README.md, which says what its tables are; copy it with the data, as "
                "`hf download` does"
            )
        try:
            return read_card(hub.metadata_load(readme) or {})
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{readme}: its list of tables cannot be read ({error})") from error

    def table(self, configuration: str, split: str = "") -> Table:
        """
        Read one split of one table.

        Args:
            split: its name; "" for "test", or for the only one.

        Raises:
            DatasetError: there is no such table or split, its files cannot be had or read, or rows are missing.
            MissingExtraError: the package `datasets` is not installed.
        """
        datasets = library("datasets")
        card = self.card()
        name = split or card.usual_split(configuration)
        patterns = card.files.get(configuration, {}).get(name)
        if patterns is None:
            there = card.files.get(configuration)
            known = f"splits {', '.join(there)}" if there else f"tables {', '.join(card.files) or 'none'}"
            raise DatasetError(
                f"{self.where}: no table {configuration!r} with the split {name!r}; there: {known}"
            )
        folder = self.fetch(["README.md", *patterns])
        place = f"{self.where}: table {configuration!r}"
        try:
            rows = datasets.load_dataset(
                str(folder), configuration, split=name, data_files={name: list(patterns)}
            )
        except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
            files = ", ".join(patterns)
            raise DatasetError(
                f"{place}, split {name!r}, could not be read from {files}: {_first_line(error)}"
            ) from error
        stated = card.rows.get((configuration, name), len(rows))
        if len(rows) != stated:
            raise DatasetError(
                f"{place} has {len(rows)} rows, but its README says {stated}: the copy is not whole"
            )
        return Table(tuple(rows.column_names), place, rows)


def open_source(repository: Repository, *, folder: Path | None = None, revision: str = "") -> Source:
    """
    Open a dataset.

    Args:
        folder: a local copy of the repository to read instead; it says itself which revision it is, where
            `hf download --local-dir` made it.
        revision: commit, branch or tag to read instead of the repository's pinned one.

    Raises:
        DatasetError: the folder is not there, or the revision is needed and the Hub cannot be reached.
        MissingExtraError: the package `huggingface_hub` is not installed.
    """
    if folder is not None:
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder; {_how_to_get(repository, revision)}")
        return Source(str(folder), _revision_of(folder), lambda patterns: folder)
    commit, problem = _commit_of(repository, revision or repository.revision)
    return Source(repository.id, commit, partial(_download, repository, commit, problem))


def library(name: str) -> Any:
    """
    Import one of the packages that public datasets are loaded with.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"public datasets are loaded with the package {error.name!r}; run: pip install 'ragvl[evals]'"
        ) from error


def _commit_of(repository: Repository, wanted: str) -> tuple[str, Exception | None]:
    """The commit that a name stands for; with the reason when the Hub could not be asked, and need not be."""
    hub = library("huggingface_hub")
    try:
        return str(
            hub.HfApi().dataset_info(repository.id, revision=wanted or None, timeout=_PATIENCE_S).sha
        ), None
    except Exception as error:
        # The HTTP client below the Hub's library has changed twice: its errors have no class to name here.
        if _COMMIT.fullmatch(wanted):
            return wanted, error
        raise _unreachable(repository, wanted, error) from error


def _download(
    repository: Repository, commit: str, problem: Exception | None, patterns: Sequence[str]
) -> Path:
    hub = library("huggingface_hub")
    try:
        # What is on this machine already needs no connection; without one, the library would try for half a minute.
        found = hub.snapshot_download(
            repository.id,
            repo_type="dataset",
            revision=commit,
            allow_patterns=list(patterns),
            local_files_only=problem is not None,
        )
    except Exception as error:
        raise _unreachable(repository, commit, problem or error) from error
    return Path(found)


def _unreachable(repository: Repository, revision: str, error: Exception) -> DatasetError:
    return DatasetError(
        f"the dataset {repository.id} could not be had from the Hugging Face Hub ({_first_line(error)}); "
        f"{_how_to_get(repository, revision)}"
    )


def _how_to_get(repository: Repository, revision: str) -> str:
    commit = revision or repository.revision
    pinned = f" --revision {commit}" if commit else ""
    name = repository.id.rpartition("/")[2]
    return (
        f"to get it where there is a connection, run: hf download {repository.id} --repo-type dataset{pinned} "
        f"--local-dir {name} and name that folder in place of the set"
    )


def _revision_of(folder: Path) -> str:
    """The commit that `hf download --local-dir` noted down beside the files; else a hash of the data."""
    notes = list((folder / ".cache" / "huggingface" / "download").rglob("*.metadata"))
    commits = {note.read_text(encoding="utf-8").partition("\n")[0] for note in notes}
    if len(commits) == 1 and _COMMIT.fullmatch(next(iter(commits))):
        return commits.pop()
    found = (
        path
        for path in folder.rglob("*")
        if path.is_file() and ".cache" not in path.relative_to(folder).parts
    )
    return content_hash((path.relative_to(folder).as_posix(), path) for path in found if path.suffix in _DATA)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
