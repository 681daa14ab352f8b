"""What baselines share: they read text, keep an index in a folder, find the best pages, and answer nothing."""

from __future__ import annotations

import difflib
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from ragvl.errors import ConfigError
from ragvl.evals.machine import package_versions
from ragvl.evals.memory import PeakMemory
from ragvl.evals.systems.index_cache import IndexCache, corpus_key
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.types import EvalQuery, EvalSet, IndexingFigures, SystemAnswer

__all__ = ["Settings", "TextBaseline", "best_pages", "parse_settings"]

_FORMAT = 1  # of what the folders hold; raised when an index of before cannot be read any more
_INDEX = "index"
_READS = ("auto", "files", "text")


class Settings(BaseModel):
    """Settings of a baseline: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


AnySettings = TypeVar("AnySettings", bound=Settings)


def parse_settings(kind: type[AnySettings], given: Mapping[str, object], system: str) -> AnySettings:
    """
    Check the settings of a baseline.

    Raises:
        ConfigError: an unknown setting (with the nearest known one), one that is missing, or a value that does not fit.
    """
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            raise ConfigError(f"{system} needs the setting {name!r}") from error
        if first["type"] != "extra_forbidden":
            raise ConfigError(f"setting {name!r} of {system}: {first['msg']}") from error
        close = difflib.get_close_matches(name, kind.model_fields, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(kind.model_fields)}"
        raise ConfigError(f"unknown setting {name!r} of {system}; {hint}") from error


def best_pages(scores: Mapping[str, float], k: int) -> dict[str, float]:
    """The k best pages, best first: by score as float32, then by id from the last to the first, as trec_eval does."""
    ranked = sorted(scores, key=lambda page: (np.float32(scores[page]), page), reverse=True)
    return {page: scores[page] for page in ranked[:k]}


class TextBaseline(ABC):
    """
    A system that knows the text of pages only.

    An index is made once for a corpus and a configuration, and is found again by later processes.

    Attributes:
        kind: which baseline it is.
        answers: False; it only searches.
        packages: distributions whose versions an index depends on.
    """

    kind: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    answers = False

    def __init__(self, options: SystemOptions) -> None:
        """
        Take the options.

        Raises:
            ConfigError: an option that a baseline has no use for, or an unknown setting.
        """
        if options.profile is not None or options.index is not None:
            refused = "profile" if options.profile is not None else "index"
            raise ConfigError(f"{self.kind} is a baseline, which takes no {refused}; it takes settings")
        if options.read not in _READS:
            raise ConfigError(
                f"{self.kind} reads text: read is one of {', '.join(_READS)}, not {options.read!r}"
            )
        self._read = options.read
        self._work = options.work
        self._is_open = False

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.kind

    def describe(self) -> Mapping[str, object]:
        """Settings, model hashes and package versions, as JSON values."""
        return {
            "system": self.kind,
            "read": self._read,
            **self._configuration(),
            "packages": package_versions(("pymupdf", *self.packages)),
        }

    def index(self, corpus: EvalSet) -> IndexingFigures:
        """
        Make the corpus searchable; on the same corpus again, what was made before is opened and its figures returned.

        `seconds` counts neither imports nor the loading of a model. `failed` are pages without text.

        Raises:
            ValueError: no page of the corpus has text.
            MissingExtraError: a package is not installed.
        """
        made_by = {"format": _FORMAT, **self.describe()}
        cache = IndexCache(self._work / "indexes" / corpus_key(corpus, made_by))
        figures = cache.figures() or self._make(corpus, cache)
        self._is_open = False
        self._open(cache.folder / _INDEX)
        self._is_open = True
        return figures

    def search(self, query: EvalQuery, k: int, document: str = "") -> Mapping[str, float]:
        """
        Find at most k pages; the score of a page is that of its best part.

        Args:
            document: id of the only document to look into; "" for all.

        Raises:
            RuntimeError: nothing was indexed yet.
        """
        if not self._is_open:
            raise RuntimeError(f"{self.name} has no index yet: call index first")
        return best_pages(self._scores(query.text, k, document), k)

    def answer(self, query: EvalQuery, pages: tuple[str, ...] = ()) -> SystemAnswer:
        """Raise NotImplementedError: a baseline only searches."""
        raise NotImplementedError(f"{self.name} only searches")

    def close(self) -> None:
        """Let go of the index; what is on disk stays."""
        self._is_open = False

    @abstractmethod
    def _configuration(self) -> Mapping[str, object]:
        """What besides package versions decides on the outcome, as JSON values."""

    @abstractmethod
    def _prepare(self) -> None:
        """Import and load what is needed, before the clock starts."""

    @abstractmethod
    def _build(self, corpus: EvalSet, folder: Path) -> tuple[str, ...]:
        """Write an index of the corpus into an empty folder; returns the pages left out, with reasons."""

    @abstractmethod
    def _open(self, folder: Path) -> None:
        """Open what `_build` wrote."""

    @abstractmethod
    def _scores(self, query: str, k: int, document: str) -> Mapping[str, float]:
        """Page id to score of the k best pages at least, or of all that match."""

    def _make(self, corpus: EvalSet, cache: IndexCache) -> IndexingFigures:
        self._prepare()
        shutil.rmtree(cache.folder, ignore_errors=True)  # what a run left that was stopped
        folder = cache.folder / _INDEX
        folder.mkdir(parents=True)
        started = time.perf_counter()
        with PeakMemory() as memory:
            failed = self._build(corpus, folder)
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        figures = IndexingFigures(len(corpus.pages) - len(failed), seconds, size, memory.bytes, failed)
        return cache.note(figures, finished=True)
