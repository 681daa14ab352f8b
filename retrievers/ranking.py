"""From evidence to an order of pages; a function of its arguments, so that weights can be compared without searching."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ragvl.config import RetrievalConfig
from ragvl.retrievers.evidence import Evidence
from ragvl.retrievers.fusion import (
    LaneResult,
    combine,
    document_means,
    reciprocal_ranks,
    shares_of_lanes,
)

LEXICAL, TEXT, IMAGE = "lexical", "text", "image"

# What BM25 is worth between languages against within one: 13.7 to 15.8 nDCG@10 of English queries on the French sets of
# ViDoRe v3, 50.0 of queries in the language of the pages.
_OTHER_LANGUAGE_SHARE = 0.3

_DOCUMENT_PAGES = 3
_NAMED_BONUS = 0.3  # for a page that the question names by number, in one of the best documents
_NAMED_DOCUMENTS = 3


def lane_weights(config: RetrievalConfig) -> dict[str, float]:
    """The configured weight of every lane that there can be."""
    return {LEXICAL: config.lexical_weight, TEXT: config.text_weight, IMAGE: config.image_weight}


def other_language_weight(config: RetrievalConfig, lanes: Collection[str]) -> float:
    """What is left of a page's share by words in another language, as configured, else by the lanes that there are."""
    if config.other_language_weight is not None:
        return config.other_language_weight
    return _OTHER_LANGUAGE_SHARE if IMAGE in lanes else 1.0


def score_pages(evidence: Evidence, config: RetrievalConfig) -> dict[int, float]:
    """
    Fuse the lanes, then add what speaks for a page's document.

    A page of an annual report rarely names its company: the document as a whole, by its words and by its best
    pages, tells which of two alike pages is meant.

    Returns:
        Page id to score.
    """
    names = [lane.name for lane in evidence.lanes]
    weights, share = shares_of_lanes(names, lane_weights(config)), other_language_weight(config, names)
    lanes = [_gated(lane, evidence, share) for lane in evidence.lanes]
    scores = combine(lanes, weights) if config.fusion == "convex" else reciprocal_ranks(lanes, weights)
    if not scores:
        return scores
    document_of = {page_id: evidence.places[page_id].document for page_id in scores}
    by_words = _document_words(evidence, share)
    by_pages = document_means(scores, document_of, _DOCUMENT_PAGES)
    judged = {
        document: config.document_weight * (by_words.get(document, 0.0) + by_pages[document])
        for document in sorted(set(document_of.values()))
    }
    scores = {page_id: score + judged[document_of[page_id]] for page_id, score in scores.items()}
    best = sorted(judged, key=lambda document: (-judged[document], document))[:_NAMED_DOCUMENTS]
    for page_id in evidence.named:
        document = evidence.places[page_id].document
        if document in best:
            scores[page_id] = scores.get(page_id, judged[document]) + _NAMED_BONUS
    return scores


def rank_pages(evidence: Evidence, scores: Mapping[int, float]) -> list[int]:
    """Page ids, best score first; ties by the document's path, then the page number."""
    places = evidence.places
    # Rounded: the order in which equal terms were added must not decide.
    return sorted(
        scores,
        key=lambda page_id: (-round(scores[page_id], 9), places[page_id].path, places[page_id].number),
    )


def _gated(lane: LaneResult, evidence: Evidence, share: float) -> LaneResult:
    """Words tell little about a page in another language."""
    return replace(lane, damped=dict.fromkeys(evidence.foreign, share)) if lane.name == LEXICAL else lane


def _document_words(evidence: Evidence, share: float) -> dict[int, float]:
    """The documents' shares by words, damped as those of the pages that were found in them are, on average."""
    if not evidence.foreign:
        return dict(evidence.documents)
    kept: dict[int, list[float]] = {}
    for page_id, place in evidence.places.items():
        kept.setdefault(place.document, []).append(share if page_id in evidence.foreign else 1.0)
    return {
        document: words * sum(kept[document]) / len(kept[document])
        for document, words in evidence.documents.items()
    }
