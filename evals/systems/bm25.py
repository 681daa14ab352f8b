"""BM25 over the text of pages, by bm25s."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ragvl.errors import ConfigError
from ragvl.evals.systems.baseline import Settings, TextBaseline, parse_settings
from ragvl.evals.systems.optional import require
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.systems.page_texts import page_texts
from ragvl.evals.types import EvalSet

__all__ = ["Bm25Settings", "Bm25System", "load_bm25s"]

_PAGES = "pages.json"
_STEMMERS = {  # languages that bm25s has stop words for and PyStemmer has rules for
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}


class Bm25Settings(Settings):
    """
    How words are matched; the scoring is Lucene's.

    Attributes:
        language: ISO 639-1 code of the corpus, for stop words and word stems; "" for neither.
        k1, b: of BM25.
    """

    language: str = "en"
    k1: float = 1.5
    b: float = 0.75


class Bm25System(TextBaseline):
    """
    A page is one unit, found when it shares a word with the query.

    Within one document the weights of words stay those of the whole corpus.
    """

    kind = "bm25"
    packages = ("bm25s", "PyStemmer")

    def __init__(self, options: SystemOptions) -> None:
        """
        Take the options.

        Raises:
            ConfigError: unknown settings, or a language without word stems.
        """
        super().__init__(options)
        self._settings = parse_settings(Bm25Settings, options.settings, self.kind)
        if self._settings.language and self._settings.language not in _STEMMERS:
            known = ", ".join(_STEMMERS)
            raise ConfigError(
                f"bm25 has no word stems for {self._settings.language!r}; known: {known}, and ''"
            )
        self._stemmer: Any = None
        self._bm25: Any = None
        self._pages: list[str] = []
        self._documents = np.empty(0, dtype=str)

    def _configuration(self) -> Mapping[str, object]:
        return {"settings": self._settings.model_dump()}

    def _prepare(self) -> None:
        load_bm25s()
        if self._settings.language and self._stemmer is None:
            stemmer = require("Stemmer", "baselines")
            self._stemmer = stemmer.Stemmer(_STEMMERS[self._settings.language])

    def _build(self, corpus: EvalSet, folder: Path) -> tuple[str, ...]:
        units, failed = page_texts(corpus, self._read)
        words = self._words([unit.text for unit in units])
        if not any(words):
            raise ValueError(f"bm25 reads text, and no page of {corpus.name!r} has words")
        bm25 = load_bm25s().BM25(k1=self._settings.k1, b=self._settings.b, method="lucene")
        bm25.index(words, show_progress=False)
        bm25.save(folder, show_progress=False)
        pages = [[unit.page, unit.document] for unit in units]
        (folder / _PAGES).write_text(json.dumps(pages), "utf-8")
        return failed

    def _open(self, folder: Path) -> None:
        self._prepare()
        pages = json.loads((folder / _PAGES).read_text("utf-8"))
        self._pages = [page for page, _ in pages]
        self._documents = np.array([document for _, document in pages], dtype=object)
        self._bm25 = load_bm25s().BM25.load(folder, show_progress=False)

    def _scores(self, query: str, k: int, document: str) -> Mapping[str, float]:
        words = self._words([query])[0]
        if not words:
            return {}
        scores = self._bm25.get_scores(words)
        if document:
            scores = np.where(self._documents == document, scores, 0)
        return {self._pages[place]: float(scores[place]) for place in np.flatnonzero(scores > 0)}

    def _words(self, texts: list[str]) -> list[list[str]]:
        """The words of each text that count, by their stems."""
        words: list[list[str]] = load_bm25s().tokenize(
            texts,
            stopwords=self._settings.language or None,
            stemmer=self._stemmer,
            return_ids=False,
            show_progress=False,
        )
        return words


def load_bm25s() -> Any:
    """
    Import bm25s, which then keeps its debug messages to itself.

    Raises:
        MissingExtraError: it is not installed.
    """
    library = require("bm25s", "baselines")
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    return library
