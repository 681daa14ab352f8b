"""The embedded answerer: quotes the sentences, table rows or figure words that answer, and writes nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ragvl.config import GeneratorConfig
from ragvl.generator.citations import cite_span, one_line
from ragvl.generator.refusal import checked_threshold, refusal_text
from ragvl.generator.scoring import ScoredUnit, score_units
from ragvl.generator.support import Calibration, shipped_calibration, support
from ragvl.generator.units import units_of
from ragvl.protocols import TextEncoder
from ragvl.types import Answer, Citation, Context, TextDelta

_MAX_QUOTES = 3
_NEAR_BEST = 0.9  # a further quote must itself, its page aside, be worth at least this share of the best one
_QUOTED_CHARACTERS = 600


class ExtractiveGenerator:
    """Answers with exact quotes from the pages; needs an encoder and no language model."""

    name = "extractive"

    def __init__(
        self, config: GeneratorConfig, encoder: TextEncoder, calibration: Calibration | None = None
    ) -> None:
        self._config = config
        self._encoder = encoder
        self._calibration = calibration or shipped_calibration()

    def with_model(self, calibration: Calibration) -> ExtractiveGenerator:
        """The same with another support model."""
        return ExtractiveGenerator(self._config, self._encoder, calibration)

    def stream(
        self, context: Context, question: str, options: Mapping[str, object]
    ) -> Iterator[TextDelta | Answer]:
        """
        Yield the answer's text, then the `Answer`; refused when its support is under the threshold.

        Args:
            context: pages with their best passages.
            question: as a person asks it.
            options: `refuse_below`, a support from 0 to 1, in place of the calibrated one.

        Raises:
            ValueError: an unknown option, or a threshold out of range.
        """
        threshold = self._threshold(options)
        scored = self.score(context, question)
        found = support(question, scored, self._calibration)
        if not scored or found < threshold:
            answer = _refusal(context, question, found)
        else:
            answer = _quotes(_chosen(scored), question, found)
        yield TextDelta(answer.text)
        yield answer

    def score(self, context: Context, question: str) -> list[ScoredUnit]:
        """Everything that could be quoted from a context, best first."""
        units = [unit for hit in context.hits for unit in units_of(hit)]
        return score_units(question, units, self._encoder)

    def _threshold(self, options: Mapping[str, object]) -> float:
        unknown = options.keys() - {"refuse_below"}
        if unknown:
            raise ValueError(
                f"unknown option {min(unknown)!r} for the extractive generator; known: refuse_below"
            )
        asked = options.get("refuse_below", self._config.refuse_below)
        if asked is None:
            return self._calibration.refuse_below
        return checked_threshold(asked)


def _chosen(scored: Sequence[ScoredUnit]) -> list[ScoredUnit]:
    """The best unit, and others nearly as good that say something else."""
    chosen = [scored[0]]
    for one in scored[1:]:
        if len(chosen) == _MAX_QUOTES:
            break
        if one.own < _NEAR_BEST * scored[0].own:
            continue
        said = {one_line(other.unit.text).casefold() for other in chosen}
        if one_line(one.unit.text).casefold() not in said:
            chosen.append(one)
    return chosen


def _quotes(chosen: Sequence[ScoredUnit], question: str, found: float) -> Answer:
    citations = [_cite(one) for one in chosen]
    lines = [
        f"“{citation.quote}”{_columns(one)} [{number}]"
        for number, (one, citation) in enumerate(zip(chosen, citations, strict=True), start=1)
    ]
    return Answer(
        question=question,
        text="\n".join(lines),
        citations=tuple(citations),
        refused=False,
        support=found,
        hits=(),
        generator=ExtractiveGenerator.name,
    )


def _columns(one: ScoredUnit) -> str:
    return f" (columns: “{one_line(one.unit.columns)}”)" if one.unit.columns else ""


def _cite(one: ScoredUnit) -> Citation:
    unit = one.unit
    end = min(unit.end, unit.start + _QUOTED_CHARACTERS)
    if end < unit.end:
        # Cut at a word, so that the quote stays word for word what the page says.
        end = unit.hit.page.text.rfind(" ", unit.start, end)
        end = end if end > unit.start else unit.start + _QUOTED_CHARACTERS
    return cite_span(unit.hit.page, unit.start, end)


def _refusal(context: Context, question: str, found: float) -> Answer:
    return Answer(
        question=question,
        text=refusal_text(context.hits),
        citations=(),
        refused=True,
        support=found,
        hits=(),
        generator=ExtractiveGenerator.name,
    )
