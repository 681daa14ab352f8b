"""
What a library is asked: questions, forms, comparisons and summaries.

Questions are answered here: pages found or given, a context made of them, the generator's answer. The other modes are
in `ragvl.generator.modes`.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ragvl.errors import RagvlError
from ragvl.generator.refusal import answer_or_refuse
from ragvl.protocols import CountingGenerator, Generator
from ragvl.retrievers.context import context_for
from ragvl.types import Answer, Hit, TextDelta

if TYPE_CHECKING:
    from ragvl.generator.grounding.prompt import Turn
    from ragvl.generator.modes.compare import Comparison
    from ragvl.generator.modes.desk import Desk, Where
    from ragvl.generator.modes.extract import Extraction

_LEAST_HITS = 10  # shown with an answer, even where it is made from fewer


class Asking(ABC):
    """The part of a library that answers; what it needs of the rest is its desk."""

    def ask(
        self,
        question: str,
        where: Mapping[str, Any] | None = None,
        *,
        history: Sequence[Turn] = (),
        rewrite: bool = True,
        **options: object,
    ) -> Answer:
        """
        Answer a question from the documents, with citations; `refused` when nothing supports an answer.

        Args:
            question: as a person would ask it.
            where: as in `search`.
            history: earlier questions and answers that this one goes on from, oldest first.
            rewrite: search for the question as it is to be understood after them; else for its own words.
            options: passed on to the generator.
        """
        return _finished(self.ask_stream(question, where, history=history, rewrite=rewrite, **options))

    def ask_stream(
        self,
        question: str,
        where: Mapping[str, Any] | None = None,
        *,
        history: Sequence[Turn] = (),
        rewrite: bool = True,
        **options: object,
    ) -> Iterator[TextDelta | Answer]:
        """Answer as `ask` does, yielding pieces of text as they are written, then the finished `Answer`."""
        return answer_found(self._desk, question, where, history, rewrite, options)

    def ask_pages(self, question: str, pages: Collection[tuple[str, int]], **options: object) -> Answer:
        """
        Answer a question from given pages alone, whatever a search would find.

        Args:
            question: as a person would ask it.
            pages: a document's path as `documents` shows it, and a page number from 1; the generator is given all.
            options: passed on to the generator.

        Raises:
            ValueError: no pages are given, or one is not in the index.
        """
        return _finished(answer_given(self._desk, question, pages, options))

    def extract(
        self,
        schema: Mapping[str, Any],
        question: str = "",
        where: Mapping[str, Any] | None = None,
        pages: Collection[tuple[str, int]] | None = None,
    ) -> Extraction:
        """Fill in a form from the documents, each value looked up on its page; see `ragvl.generator.modes.extract`."""
        from ragvl.generator.modes.extract import extract

        return extract(self._desk, schema, question, where, pages)

    def compare(self, left: str, right: str, question: str = "") -> Comparison:
        """Compare two documents, each difference cited on both sides; see `ragvl.generator.modes.compare`."""
        from ragvl.generator.modes.compare import compare

        return compare(self._desk, left, right, question)

    def summarise(self, path: str, question: str = "") -> Answer:
        """Summarise a document or a folder, with citations; see `ragvl.generator.modes.summarise`."""
        from ragvl.generator.modes.summarise import summarise

        return summarise(self._desk, path, question)

    @property
    @abstractmethod
    def _desk(self) -> Desk:
        """The library as the modes see it."""


def answer_found(
    desk: Desk,
    question: str,
    where: Where,
    history: Sequence[Turn],
    rewrite: bool,
    options: Mapping[str, object],
) -> Iterator[TextDelta | Answer]:
    """
    Answer from pages that a search finds, as `Library.ask_stream` says.

    Where the question goes on from earlier ones, the search is for what `question_in_history` makes of it; a generator
    that reads hits, and so knows no history, is asked that as well.
    """
    generator = desk.generator()
    started = time.monotonic()
    searched_for = question
    if history:
        from ragvl.generator.modes.history import fitting, question_in_history

        history = fitting(generator, question, history)
        searched_for = question_in_history(generator, question, history) if rewrite else question
    rewritten = time.monotonic()
    hits = desk.search(searched_for, max(_LEAST_HITS, desk.pages), where)
    searched = time.monotonic()
    timings = {"search": searched - rewritten, **({"rewrite": rewritten - started} if history else {})}
    asked = question if isinstance(generator, CountingGenerator) else searched_for
    for event in answer_from(desk, generator, asked, hits, desk.pages, history, options):
        if isinstance(event, Answer):
            took = {**timings, "answer": time.monotonic() - searched}
            event = replace(
                event,
                question=question,
                searched_for=searched_for if searched_for != question else "",
                timings_s={**event.timings_s, **took},
            )
        yield event


def answer_given(
    desk: Desk, question: str, pages: Collection[tuple[str, int]], options: Mapping[str, object]
) -> Iterator[TextDelta | Answer]:
    """
    Answer from given pages alone, as `Library.ask_pages` says.

    Raises:
        ValueError: no pages are given, or one is not in the index.
    """
    from ragvl.retrievers.given import given_hits

    with desk.snapshot() as snapshot:
        hits = given_hits(snapshot, pages, lambda k, where: desk.search(question, k, where))
    yield from answer_from(desk, desk.generator(), question, hits, len(hits), (), options)


def answer_from(
    desk: Desk,
    generator: Generator,
    question: str,
    hits: Sequence[Hit],
    pages: int,
    history: Sequence[Turn],
    options: Mapping[str, object],
) -> Iterator[TextDelta | Answer]:
    """Answer from hits: at most so many pages of them, the best first."""
    started = time.monotonic()
    told = "\n".join([*(f"{turn.question}\n{turn.answer}" for turn in history), question])
    with desk.snapshot() as snapshot:
        context = context_for(generator, snapshot, told, hits, pages, desk.draw)
    context_s = time.monotonic() - started
    if history and isinstance(generator, CountingGenerator):
        options = {**options, "history": tuple(history)}
    for event in answer_or_refuse(generator, context, question, options, desk.refuse_below, hits):
        if isinstance(event, Answer):
            timings = {**event.timings_s, "context": context_s}
            ledger = event.ledger or context.ledger
            event = replace(event, hits=tuple(hits), ledger=ledger, timings_s=timings)
        yield event


def _finished(events: Iterator[TextDelta | Answer]) -> Answer:
    for event in events:
        if isinstance(event, Answer):
            return event
    raise RagvlError("the generator ended without an answer")
