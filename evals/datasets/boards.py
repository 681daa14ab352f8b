"""A public set that has a name, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ragvl.evals.datasets.source import Repository, Source, open_source
from ragvl.evals.types import EvalSet

__all__ = ["KnownSet", "LoadOptions"]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """
    What may be asked of a set; a set that has no such choice refuses it.

    Attributes:
        language: ISO 639-1 code of the queries; "" for all.
        folder: a local copy of the data; None for the Hugging Face Hub.
        revision: commit, branch or tag in place of the pinned one.
        rephrase_level: 0 for the original wording, 1 to 3 for ever freer ones (REAL-MM-RAG); None for 3.
        source_ids: ids as the data has them, in place of mteb's (ViDoRe v1 and v2).
    """

    language: str = ""
    folder: Path | None = None
    revision: str = ""
    rephrase_level: int | None = None
    source_ids: bool = False


@dataclass(frozen=True, slots=True)
class KnownSet:
    """
    A public set.

    Attributes:
        name: what it is loaded by.
        what: one line on its content.
        size: pages and queries, as its publishers count them.
        licence: of the data; the pages themselves have their publishers' terms.
        repository: where it comes from.
        languages: ISO 639-1 codes of its queries.
        load: reads it.
        choices: the options that it has beyond `folder` and `revision`.
        address: where it comes from, when that is not the Hugging Face Hub.
    """

    name: str
    what: str
    size: str
    licence: str
    repository: Repository
    load: Callable[[KnownSet, LoadOptions], EvalSet]
    languages: tuple[str, ...] = ("en",)
    choices: tuple[str, ...] = ()
    address: str = ""

    @property
    def source(self) -> str:
        """Where it comes from, for people."""
        if self.address:
            return self.address
        pinned = f" at {self.repository.revision[:12]}" if self.repository.revision else ", newest commit"
        return f"huggingface.co/datasets/{self.repository.id}{pinned}"

    def open(self, options: LoadOptions) -> Source:
        """
        Open its data.

        Raises:
            DatasetError, MissingExtraError: see `open_source`.
        """
        return open_source(self.repository, folder=options.folder, revision=options.revision)
