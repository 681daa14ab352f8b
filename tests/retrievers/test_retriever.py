"""Searching an index: lanes, fusion, and a second look."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from PIL import Image

from ragvl.config import RetrievalConfig
from ragvl.indexers.store.database import open_database
from ragvl.indexers.store.reader import IndexReader
from ragvl.library import Library
from ragvl.protocols import Filter, ScoredPage
from ragvl.retrievers.filters import EVERYTHING
from ragvl.retrievers.retriever import Retriever
from ragvl.testing import HashEncoder, write_documents
from ragvl.types import Hit, Page
from tests.retrievers.reranking.scripted import ScriptedReranker

CRANE = ["The crane lifts forty tonnes.", "The crane was painted in spring.", "Of the tide nothing is known."]


class _FakeImages:
    """An image lane that finds the pages it was told to."""

    name = "image"

    def __init__(self, *page_ids: int) -> None:
        self.found = [ScoredPage(page_id, 0.9 - place / 10) for place, page_id in enumerate(page_ids)]

    def search(self, query: str, k: int, where: Filter) -> list[ScoredPage]:
        return self.found[:k]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexReader]:
    """A cover and three pages about a crane, and a note in French."""
    tmp_path = tmp_path_factory.mktemp("port")
    write_documents(
        tmp_path / "docs", {"port.pdf": ["Of ports", *CRANE], "grue.txt": "Une crane grue table forty."}
    )
    with Library(tmp_path / "index", None, {}, HashEncoder()) as library:
        library.index(tmp_path / "docs")
    connection = open_database(tmp_path / "index", writable=True)
    connection.execute("UPDATE pages SET language = CASE WHEN text LIKE 'Une%' THEN 'fr' ELSE 'en' END")
    connection.close()
    reader = IndexReader(tmp_path / "index")
    yield reader
    reader.close()


def _retriever(reader: IndexReader, *parts: Any, **settings: Any) -> Retriever:
    return Retriever(reader, HashEncoder(), RetrievalConfig(**settings), *parts)


def _search(retriever: Retriever, query: str = "What does the crane lift?", k: int = 10) -> list[Hit]:
    return retriever.search(query, k, EVERYTHING)


def _texts(hits: Sequence[Hit]) -> list[str]:
    return [hit.page.text for hit in hits]


def test_both_lanes_find_the_page(reader: IndexReader) -> None:
    """A hit tells which lanes found it and where."""
    best = _search(_retriever(reader))[0]
    assert best.page.text == CRANE[0]
    assert [lane.lane for lane in best.lanes] == ["lexical", "text"]


def test_the_image_lane_takes_part(reader: IndexReader) -> None:
    """A page that only its image speaks for is found, and leads when the lane's weight is large."""
    plain = _search(_retriever(reader))
    tide = next(hit.page.id for hit in plain if hit.page.text == CRANE[2])
    seen = _search(
        _retriever(reader, _FakeImages(tide), image_weight=1.0, lexical_weight=0.1, text_weight=0.1)
    )
    assert seen[0].page.id == tide
    assert "image" in [lane.lane for lane in seen[0].lanes]


def test_lanes_without_weight_are_not_asked(reader: IndexReader) -> None:
    """They cost time and say nothing."""
    hits = _search(_retriever(reader, text_weight=0.0))
    assert {lane.lane for hit in hits for lane in hit.lanes} == {"lexical"}


def test_words_count_less_in_another_language(reader: IndexReader) -> None:
    """The French note shares words with an English question; with the gate it falls behind."""
    question = "Which of the machines can put forty of them on the table?"
    config = {"document_weight": 0.0, "text_weight": 0.1}
    assert _search(_retriever(reader, other_language_weight=1.0, **config), question)[0].page.text.startswith(
        "Une"
    )
    gated = _search(_retriever(reader, other_language_weight=0.1, **config), question)
    assert gated[0].page.document.path.endswith("port.pdf")


def test_a_reranker_decides_the_order_of_the_best(reader: IndexReader) -> None:
    """Lanes stay with the hit, the reranker's place comes to them; scores fall from hit to hit as before."""
    plain = _search(_retriever(reader))
    scripted = ScriptedReranker(lambda text, image: float("painted" in text))
    hits = _search(_retriever(reader, None, scripted, rerank={"model": "m"}))
    assert hits[0].page.text == CRANE[1]
    assert [lane.lane for lane in hits[0].lanes][-1] == "rerank"
    assert (hits[0].lanes[-1].rank, hits[0].lanes[-1].score) == (1, 1.0)
    assert _texts(hits[1:]) == [text for text in _texts(plain) if text != CRANE[1]]
    assert [hit.score for hit in hits] == [hit.score for hit in plain]


def test_pages_behind_the_candidates_stay_where_they_are(reader: IndexReader) -> None:
    """They are not looked at, and no page comes to lie behind them for that."""
    plain = _search(_retriever(reader))
    scripted = ScriptedReranker(lambda text, image: -float("lifts" in text))
    hits = _search(_retriever(reader, None, scripted, rerank={"model": "m", "candidates": 2}))
    assert _texts(hits) == [plain[1].page.text, plain[0].page.text, *_texts(plain[2:])]
    assert [hit.lanes for hit in hits[2:]] == [hit.lanes for hit in plain[2:]]


def test_fewer_hits_than_candidates_are_the_best_of_them(reader: IndexReader) -> None:
    """The second look goes deeper than what is shown."""
    scripted = ScriptedReranker(lambda text, image: float("tide" in text))
    assert _texts(_search(_retriever(reader, None, scripted, rerank={"model": "m"}), k=1)) == [CRANE[2]]


def test_passages_are_shown_with_their_place(reader: IndexReader) -> None:
    """A page rarely names its document; the reranker is told."""
    scripted = ScriptedReranker(lambda text, image: 0.0)
    _search(_retriever(reader, None, scripted, rerank={"model": "m"}))
    shown = [text for batch in scripted.batches for text, _ in batch]
    assert f"Of ports, page 2\n{CRANE[0]}" in shown


def test_a_reranker_that_gives_up_changes_nothing(
    reader: IndexReader, caplog: pytest.LogCaptureFixture
) -> None:
    """The order of the lanes stands as a whole, without a rank that was not finished."""
    scripted = ScriptedReranker(lambda text, image: float("nan"))
    assert _search(_retriever(reader, None, scripted, rerank={"model": "m"})) == _search(_retriever(reader))
    assert "not reranked" in caplog.text


def test_a_reranker_that_sees_is_shown_pages(reader: IndexReader) -> None:
    """Images come from whoever draws pages; one that cannot be drawn is shown as text."""

    def draw(page: Page) -> bytes | None:
        if page.number == 1:
            return None
        buffer = io.BytesIO()
        Image.new("L", (30, 40)).save(buffer, "PNG")
        return buffer.getvalue()

    scripted = ScriptedReranker(lambda text, image: 0.0)
    settings = {"rerank": {"model": "m", "kind": "image"}}
    _search(_retriever(reader, None, scripted, draw, **settings))
    (batch,) = scripted.batches
    assert {(image.mode, image.size) for _, image in batch if image} == {("RGB", (30, 40))}
    assert all(text for text, image in batch if not image)
