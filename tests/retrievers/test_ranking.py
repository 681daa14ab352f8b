"""From evidence to an order of pages."""

from __future__ import annotations

from typing import Any

import pytest

from ragvl.config import RetrievalConfig, load_config
from ragvl.errors import ConfigError
from ragvl.protocols import ScoredPage
from ragvl.retrievers.evidence import Evidence, PagePlace
from ragvl.retrievers.fusion import LaneResult
from ragvl.retrievers.ranking import other_language_weight, rank_pages, score_pages

ENGLISH, FRENCH = 1, 2  # pages; each is the only one of the document with its number


def _evidence(
    foreign: frozenset[int] = frozenset(), named: tuple[int, ...] = (), **lanes: dict[int, float]
) -> Evidence:
    places = {
        ENGLISH: PagePlace(1, b"a.pdf", 4, "en"),
        FRENCH: PagePlace(2, b"b.pdf", 7, "fr"),
        3: PagePlace(2, b"b.pdf", 8, ""),
    }
    results = tuple(
        LaneResult(name, 0.0, [ScoredPage(page_id, score) for page_id, score in found.items()])
        for name, found in lanes.items()
    )
    return Evidence(results, places, {1: 0.5, 2: 1.0}, named, foreign)


def _order(evidence: Evidence, **settings: Any) -> list[int]:
    return rank_pages(evidence, score_pages(evidence, RetrievalConfig(**settings)))


STRAY = {"lexical": {FRENCH: 9.0, ENGLISH: 6.0}, "text": {ENGLISH: 0.8, FRENCH: 0.7}}


def test_stray_words_do_not_lead_to_a_page_in_another_language() -> None:
    """Ungated, words put the French page first; gated, meaning puts the English one there."""
    evidence = _evidence(frozenset({FRENCH}), **STRAY)
    assert _order(evidence, other_language_weight=1.0) == [FRENCH, ENGLISH]
    assert _order(evidence, other_language_weight=0.3) == [ENGLISH, FRENCH]
    assert _order(evidence, other_language_weight=0.3, fusion="ranks") == [ENGLISH, FRENCH]


def test_the_gate_holds_for_the_words_of_documents_too() -> None:
    """A document is judged by its words as well, and those are as stray as its pages'."""
    evidence = _evidence(frozenset({FRENCH, 3}), text={ENGLISH: 0.8, FRENCH: 0.8, 3: 0.8})
    gated = score_pages(evidence, RetrievalConfig(other_language_weight=0.0, document_weight=1.0))
    apart = score_pages(evidence, RetrievalConfig(other_language_weight=1.0, document_weight=1.0))
    assert gated[ENGLISH] == apart[ENGLISH]
    assert gated[FRENCH] == pytest.approx(apart[FRENCH] - 1.0)


def test_pages_of_the_query_s_language_are_not_touched() -> None:
    """Whatever the gate's weight, without pages in another language nothing changes, to the last bit."""
    evidence = _evidence(**STRAY)
    scores = [
        score_pages(evidence, RetrievalConfig(other_language_weight=share)) for share in (0.0, 0.3, 1.0)
    ]
    assert scores[0] == scores[1] == scores[2]


def test_the_gate_is_on_where_a_lane_crosses_languages() -> None:
    """The text encoder in the package reads English only: without an image lane, words are all that helps."""
    config = RetrievalConfig()
    assert other_language_weight(config, ("lexical", "text")) == 1.0
    assert other_language_weight(config, ("lexical", "text", "image")) == 0.3
    assert other_language_weight(RetrievalConfig(other_language_weight=0.5), ("lexical", "text")) == 0.5


def test_the_image_lane_counts_as_much_as_its_weight_says() -> None:
    """By default it is worth the two others together."""
    evidence = _evidence(lexical={ENGLISH: 1.0}, text={ENGLISH: 1.0}, image={FRENCH: 1.0})
    scores = score_pages(evidence, RetrievalConfig(document_weight=0))
    assert scores[ENGLISH] == pytest.approx(scores[FRENCH]) == pytest.approx(0.5)
    assert _order(evidence, image_weight=0.4, document_weight=0)[0] == ENGLISH


def test_ranks_do_not_see_how_far_apart_scores_are() -> None:
    """With scores that have no scale, a lane's outlier does not silence the others."""
    evidence = _evidence(lexical={ENGLISH: 2.0, FRENCH: 1.9}, text={FRENCH: 1000.0, ENGLISH: 1.0})
    assert _order(evidence, document_weight=0)[0] == FRENCH
    assert _order(evidence, document_weight=0, fusion="ranks", lexical_weight=0.6)[0] == ENGLISH


def test_a_page_that_the_question_names_is_lifted() -> None:
    """In one of the best documents, found by a lane or not."""
    evidence = _evidence(named=(3,), text={ENGLISH: 0.9, FRENCH: 0.85})
    scores = score_pages(evidence, RetrievalConfig())
    assert scores[3] > 0.3
    assert 3 in _order(evidence)


def test_equal_pages_are_ordered_by_path_and_number() -> None:
    """Not by ids, which depend on the order of indexing."""
    evidence = _evidence(text={3: 0.8, FRENCH: 0.8, ENGLISH: 0.8})
    assert _order(evidence, document_weight=0) == [ENGLISH, FRENCH, 3]


def test_no_lane_found_anything() -> None:
    """Then there is nothing to judge."""
    assert score_pages(_evidence(lexical={}, text={}), RetrievalConfig()) == {}


def test_an_index_must_be_searchable_without_images() -> None:
    """Weights that leave only the image lane are refused before a search, with the settings named."""
    with pytest.raises(ConfigError, match="lexical_weight and text_weight"):
        load_config("embedded", {"retrieval": {"lexical_weight": 0, "text_weight": 0}})
