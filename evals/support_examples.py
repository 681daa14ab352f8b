"""A set's questions put to a library, each with the support of its answer and whether the page cited is a right one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragvl.errors import GeneratorError, RagvlError
from ragvl.evals.systems.given_index import match_documents
from ragvl.evals.systems.page_map import map_documents
from ragvl.evals.types import EvalQuery, EvalSet
from ragvl.generator.extractive import ExtractiveGenerator
from ragvl.generator.support import features, shipped_calibration, support
from ragvl.library import Library
from ragvl.retrievers.context import context_of

__all__ = ["Examples", "collect"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Examples:
    """
    Questions that were given some answer, as a threshold sees them.

    Attributes:
        names: of the features; empty for a generator that has no support model.
        features: (n, features) float64.
        support: (n,) float64, from 0 to 1, before any calibration.
        right: (n,) float64, 1 where the page cited first is a right one, else 0.
        answerable: (n,) whether some page of the set answers.
        documents: (n,) what the question is about; questions about one document are held out together.
        silent: questions more that are refused whatever the threshold.
        left_out: questions more of which the set does not say whether and where they are answered.
        failed: questions more that the generator failed on.
    """

    names: tuple[str, ...]
    features: Floats
    support: Floats
    right: Floats
    answerable: NDArray[np.bool_]
    documents: NDArray[np.str_]
    silent: int = 0
    left_out: int = 0
    failed: int = 0

    @property
    def asked(self) -> int:
        """Questions that count."""
        return len(self.support) + self.silent


@dataclass(frozen=True, slots=True)
class _Example:
    features: dict[str, float]
    support: float
    document: str  # SHA-256 of what is cited first; "" for no citation
    page: int


def collect(
    library: Library, corpus: EvalSet, progress: Callable[[int, int], None] = lambda done, total: None
) -> Examples:
    """
    Ask every question whose right pages are known, and those that the documents do not answer.

    Args:
        library: has every document of the set.
        progress: called with the questions done and all of them.

    Raises:
        RagvlError: the index lacks documents of the set, or no question of it can be used.
        GeneratorError: every answer failed; the last failure.
    """
    pages = map_documents(corpus, match_documents(corpus, library.documents(), library.folder))
    document_of = {page.id: page.document for page in corpus.pages}
    judged = {
        query: {page for page, grade in held.items() if grade > 0} for query, held in corpus.relevance.items()
    }
    usable = [query for query in corpus.queries if judged.get(query.id) or query.answerable is False]
    if not usable:
        raise RagvlError(
            f"the set {corpus.name!r} has no question with right pages, and none that is unanswerable: name pages in it"
        )
    found: list[tuple[EvalQuery, _Example]] = []
    silent, failures = 0, list[GeneratorError]()
    for done, query in enumerate(usable, 1):
        try:
            example = _ask(library, query.text)
        except GeneratorError as error:
            failures.append(error)
        else:
            if example is None:
                silent += 1
            else:
                found.append((query, example))
        progress(done, len(usable))
    if len(failures) == len(usable):
        raise failures[-1]
    names = tuple(found[0][1].features) if found else ()
    right = [
        not judged.get(query.id, set()).isdisjoint(pages.ids(one.document, one.page)) for query, one in found
    ]
    return Examples(
        names=names,
        features=np.array([[one.features[name] for name in names] for _, one in found], float),
        support=np.array([one.support for _, one in found], float),
        right=np.array(right, float),
        answerable=np.array([bool(judged.get(query.id)) for query, _ in found], bool),
        documents=np.array([_about(query, judged.get(query.id, ()), document_of) for query, _ in found], str),
        silent=silent,
        left_out=len(corpus.queries) - len(usable),
        failed=len(failures),
    )


def _ask(library: Library, question: str) -> _Example | None:
    """The answer that would be given if nothing were refused for its support; None where there is none."""
    generator = library.generator()
    if isinstance(generator, ExtractiveGenerator):
        hits = library.search(question)
        scored = generator.score(context_of(hits, library.config.generator.context_pages), question)
        if not scored:
            return None
        page = scored[0].unit.hit.page
        shipped = support(question, scored, shipped_calibration())
        return _Example(features(question, scored), shipped, page.document.sha256, page.number)
    answer = library.ask(question, refuse_below=0)
    if answer.refused:
        return None
    if not answer.citations:
        return _Example({}, answer.support, "", 0)
    first = answer.citations[0]
    return _Example({}, answer.support, first.document.sha256, first.page_number)


def _about(query: EvalQuery, judged: Collection[str], document_of: Mapping[str, str]) -> str:
    """The document that a question is about, else the question itself."""
    return query.document or next((document_of[page] for page in sorted(judged)), f"question {query.id}")
