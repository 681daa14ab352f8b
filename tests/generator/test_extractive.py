"""The embedded answerer, on pages that tests write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from ragvl.config import GeneratorConfig
from ragvl.generator.citations import cite_quote
from ragvl.generator.extractive import ExtractiveGenerator
from ragvl.indexers.words import PlacedWord, pack_words
from ragvl.testing import HashEncoder
from ragvl.types import (
    Answer,
    BlockKind,
    Context,
    Document,
    DocumentStatus,
    Hit,
    LaneRank,
    Page,
    Passage,
    TextDelta,
    TextSource,
)

_WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def _words(text: str) -> bytes:
    placed, position = [], 0
    for row, line in enumerate(text.split("\n")):
        for column, word in enumerate(line.split(" ")):
            box = (10.0 + 30 * column, 10.0 + 12 * row, 38.0 + 30 * column, 20.0 + 12 * row)
            placed.append(PlacedWord(position, position + len(word), box))
            position += len(word) + 1
    return pack_words(placed, 595, 842)


def _hit(number: int, text: str, score: float, kind: BlockKind = BlockKind.TEXT) -> Hit:
    document = Document(
        1, "report.pdf", "0" * 64, "application/pdf", "Report", 9, 1, _WHEN, DocumentStatus.OK
    )
    page = Page(number, document, number, 595, 842, text, TextSource.LAYER, _words(text))
    passage = Passage(number, number, kind, "", text, 0, len(text), ())
    lanes = (LaneRank("lexical", number, score), LaneRank("text", number, 0.5 + score / 2))
    return Hit(page, score, lanes, (passage,))


def _ask(question: str, hits: Sequence[Hit], **options: object) -> Answer:
    generator = ExtractiveGenerator(GeneratorConfig(), HashEncoder())
    *deltas, answer = generator.stream(Context(tuple(hits), ()), question, options)
    assert isinstance(answer, Answer)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == answer.text
    return answer


_HITS = (
    _hit(1, "The harbour master is Ilka Brandt.\nShe took office in 2019.", 1.0),
    _hit(2, "Dredging of the basin costs 186,000 euros.\nIt begins in May.", 0.7),
)


def test_a_quote_is_the_words_of_the_page_and_cites_their_place() -> None:
    """The quote is found in the page's text, and its region is the line it stands on."""
    answer = _ask("Who is the harbour master?", _HITS, refuse_below=0)
    citation = answer.citations[0]
    assert citation.quote == "The harbour master is Ilka Brandt."
    assert (citation.page_number, citation.verified) == (1, True)
    assert citation.regions[0].bbox_pt == pytest.approx((10, 10, 188, 20), abs=0.1)
    assert answer.text.startswith("“The harbour master is Ilka Brandt.” [1]")


def test_every_marker_in_the_text_has_its_citation() -> None:
    """As many markers as citations, numbered from 1."""
    answer = _ask("What does the dredging of the basin cost?", _HITS, refuse_below=0)
    for number, citation in enumerate(answer.citations, start=1):
        assert f"“{citation.quote}” [{number}]" in answer.text


def test_what_is_not_supported_is_refused_with_the_nearest_pages() -> None:
    """A refusal cites nothing and names where to look."""
    answer = _ask("Who won the football match?", _HITS, refuse_below=1)
    assert (answer.refused, answer.citations) == (True, ())
    assert "report.pdf, page 1" in answer.text


def test_an_empty_context_is_refused() -> None:
    """Nothing found is no answer, and no error."""
    answer = _ask("Anything?", ())
    assert (answer.refused, answer.support) == (True, 0.0)


def test_a_number_is_preferred_when_one_is_asked_for() -> None:
    """Of two sentences alike in words, the one with a number answers "how much"."""
    hit = _hit(1, "The dredging cost is high indeed.\n\nThe dredging cost is 186,000 euros.", 1.0)
    answer = _ask("How much is the dredging cost?", [hit], refuse_below=0)
    assert "186,000" in answer.citations[0].quote


def test_a_very_long_sentence_is_cut_at_a_word() -> None:
    """A quote stays short enough to read and word for word what the page says."""
    text = "The cost " + " ".join(f"item{i}" for i in range(400)) + "."
    citation = _ask("What is the cost?", [_hit(1, text, 1.0)], refuse_below=0).citations[0]
    assert len(citation.quote) <= 600
    assert text.startswith(citation.quote)
    assert text[len(citation.quote)] == " "


@pytest.mark.parametrize(
    ("options", "message"),
    [({"temperature": 1}, "unknown option 'temperature'"), ({"refuse_below": 2}, "from 0 to 1")],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    """An option that does nothing is not silently taken."""
    with pytest.raises(ValueError, match=message):
        _ask("Who?", _HITS, **options)


def test_the_same_question_gets_the_same_answer() -> None:
    """Nothing in an answer is left to chance."""
    assert _ask("Who is the harbour master?", _HITS) == _ask("Who is the harbour master?", _HITS)


def test_a_quote_from_elsewhere_is_looked_up_or_unverified() -> None:
    """Line ends and spaces do not matter, other words do."""
    page = _HITS[0].page
    found = cite_quote(page, "Ilka  Brandt. She took")
    assert found.verified
    assert len(found.regions) == 2
    missing = cite_quote(page, "Ilka Brandt resigned")
    assert (missing.verified, missing.regions) == (False, ())
