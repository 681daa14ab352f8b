"""Refusing an answer whose support is too weak, whatever wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ragvl.protocols import Generator
from ragvl.types import Answer, Context, Hit, TextDelta

__all__ = ["answer_or_refuse", "checked_threshold", "refusal_text", "refuse_weak"]

_NEAREST = 3
_REFUSE_THEMSELVES = frozenset({"extractive"})  # they know the support before there is any text


def checked_threshold(asked: object) -> float:
    """
    Return a threshold that a caller gave.

    Raises:
        ValueError: it is no number from 0 to 1.
    """
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not 0 <= asked <= 1:
        raise ValueError(f"refuse_below must be a number from 0 to 1, not {asked!r}")
    return float(asked)


def refusal_text(hits: Sequence[Hit]) -> str:
    """Say that nothing answers, and which pages are nearest."""
    if not hits:
        return "The documents hold nothing on this."
    nearest = "; ".join(f"{hit.page.document.path}, page {hit.page.number}" for hit in hits[:_NEAREST])
    return f"The documents do not seem to answer this. The nearest pages: {nearest}."


def answer_or_refuse(
    generator: Generator,
    context: Context,
    question: str,
    options: Mapping[str, object],
    refuse_below: float | None,
    hits: Sequence[Hit],
) -> Iterator[TextDelta | Answer]:
    """
    Ask a generator, and refuse in its place when the support of what it wrote is under the threshold.

    Args:
        options: for the generator; `refuse_below` among them is used in place of the argument.
        refuse_below: support from 0 to 1; None or 0 lets every answer pass.
        hits: what the search found, best first.

    Raises:
        ValueError: a threshold out of range, or what the generator refuses.
    """
    if generator.name in _REFUSE_THEMSELVES:
        yield from generator.stream(context, question, options)
        return
    if options.get("refuse_below") is not None:
        refuse_below = checked_threshold(options["refuse_below"])
    rest = {name: value for name, value in options.items() if name != "refuse_below"}
    yield from refuse_weak(generator.stream(context, question, rest), refuse_below, hits)


def refuse_weak(
    events: Iterable[TextDelta | Answer], refuse_below: float | None, hits: Sequence[Hit]
) -> Iterator[TextDelta | Answer]:
    """
    Pass a generator's events on, and put a refusal in place of an answer whose support is under the threshold.

    Support is known when the answer is whole, so its text is held back until then: what is refused is never shown.

    Args:
        events: pieces of text, then the answer.
        refuse_below: from 0 to 1; None or 0 passes everything on at once.
        hits: what the search found, best first.
    """
    if not refuse_below:
        yield from events
        return
    held: list[TextDelta] = []
    for event in events:
        if isinstance(event, TextDelta):
            held.append(event)
        elif event.refused or event.support >= refuse_below:
            yield from held
            yield event
        else:
            text = refusal_text(hits)
            yield TextDelta(text)
            yield replace(event, text=text, citations=(), refused=True)
