"""
Measure what ragvl adds to a model's answer: the search, choosing the context, checking what was written.

    python benchmarks/added_latency.py DATA_DIR --index INDEX

The model is a script that takes no time: it cites the first three pages that it was shown, each with a sentence of
that page. Pages are given as text; drawing a page for a model that sees costs 50 to 300 ms the first time, and is kept.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from arguments import data_parser, parse
from dev_set import read_questions, warm_up_questions
from machine import RAGVL_PACKAGES, describe_machine
from measuring import percentile
from tables import markdown

from ragvl.generator.endpoint.cost import EndpointCost
from ragvl.generator.grounding.prompt import prompt_parts
from ragvl.generator.grounding.stream import GroundedStream
from ragvl.generator.units import units_of
from ragvl.library import Library
from ragvl.types import Answer, Context, TextDelta

_CITED = 3


class Scripted:
    """A model that writes at once."""

    name = "scripted"

    def __init__(self, cost: EndpointCost, page_tokens: int) -> None:
        self.cost = cost
        self._page_tokens = page_tokens

    def page_tokens(self, question: str) -> int:
        """A fixed budget."""
        return self._page_tokens

    def stream(
        self, context: Context, question: str, options: Mapping[str, object]
    ) -> Iterator[TextDelta | Answer]:
        """Quote the first pages, a sentence each."""
        prompt_parts(context, question)
        grounded = GroundedStream(context, question, self.name)
        for page in context.pages[:_CITED]:
            unit = max(units_of(page.hit), key=lambda unit: len(unit.text), default=None)
            if unit is not None:
                grounded.feed(f"{' '.join(unit.text.split())[:300]} [{page.label}]. ")
        yield grounded.finish()


class ScriptedLibrary(Library):
    """A library that asks the script."""

    def generator(self) -> Scripted:
        """The script, with room for 30,000 tokens of pages."""
        endpoint = self.config.generator.endpoint.model_copy(update={"sees_images": False})
        return Scripted(EndpointCost(endpoint), 30_000)


def main() -> None:
    """Run the command line."""
    parser = data_parser(__doc__)
    parser.add_argument("--index", type=Path, required=True)
    options = parse(parser)
    print(describe_machine(ragvl=(sys.executable, RAGVL_PACKAGES)))
    steps: dict[str, list[float]] = {"search": [], "context": [], "write and check": [], "total": []}
    with ScriptedLibrary(options.index, None, {}) as library:
        for question in warm_up_questions(options.data)[:20]:
            library.ask(question)
        for question in read_questions(options.data):
            started = time.perf_counter()
            answer = library.ask(question.text)
            steps["total"].append(time.perf_counter() - started)
            taken = answer.timings_s
            steps["search"].append(taken["search"])
            steps["context"].append(taken["context"])
            steps["write and check"].append(taken["answer"] - taken["context"])
        pages = sum(document.page_count for document in library.documents())
    rows = [
        [name, *(f"{1000 * percentile(values, share):.0f} ms" for share in (0.5, 0.95))]
        for name, values in steps.items()
    ]
    print(
        markdown(
            f"Added to an answer, {pages:,} pages, {len(steps['total'])} questions",
            ("step", "p50", "p95"),
            rows,
        )
    )


if __name__ == "__main__":
    main()
