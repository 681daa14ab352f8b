"""Putting the best pages into a new order, in a given time or not at all."""

from __future__ import annotations

import math
from typing import Any

import pytest
from PIL import Image

from ragvl.config import RerankConfig
from ragvl.retrievers.reranking.candidates import Candidate, rerank
from tests.retrievers.reranking.scripted import Clock, ScriptedReranker


def _page(page_id: int, *texts: str, drawn: bool = True) -> Candidate:
    picture = Image.new("RGB", (page_id, 1)) if drawn else None
    return Candidate(page_id, texts, " ".join(texts), lambda: picture)


def _number(text: str, image: Any) -> float:
    return float(text)


def test_a_page_is_as_good_as_its_best_passage() -> None:
    """One passage that answers is enough, however many do not."""
    pages = [_page(1, "2", "2", "2"), _page(2, "0", "9"), _page(3, "5")]
    found = rerank(ScriptedReranker(_number), RerankConfig(model="m"), "q", pages)
    assert found == [(2, 9.0), (3, 5.0), (1, 2.0)]


def test_equal_scores_keep_the_old_order() -> None:
    """What the lanes found decides, not float noise."""
    pages = [_page(7, "1.000001"), _page(3, "1.000002"), _page(5, "1")]
    found = rerank(ScriptedReranker(_number), RerankConfig(model="m"), "q", pages)
    assert [page_id for page_id, _ in found or ()] == [7, 3, 5]


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("text", [("a", False), ("b", False), ("c", False)]),
        ("image", [("", True), ("c", False)]),
        ("both", [("a b", True), ("c", False)]),
    ],
)
def test_a_page_is_shown_as_configured(kind: Any, shown: list[tuple[str, bool]]) -> None:
    """As passages, image, or text and image; a page that cannot be drawn is shown as text."""
    scripted = ScriptedReranker(lambda text, image: 1.0)
    rerank(
        scripted, RerankConfig(model="m", kind=kind), "q", [_page(1, "a", "b"), _page(2, "c", drawn=False)]
    )
    (batch,) = scripted.batches
    assert [(text, image is not None) for text, image in batch] == shown


def test_batches_are_as_large_as_configured() -> None:
    """Passages of several pages share a batch."""
    scripted = ScriptedReranker(_number)
    pages = [_page(number, "1", "2") for number in range(3)]
    rerank(scripted, RerankConfig(model="m", batch_size=4), "q", pages)
    assert [len(batch) for batch in scripted.batches] == [4, 2]


def test_without_enough_time_nothing_is_reordered(caplog: pytest.LogCaptureFixture) -> None:
    """Half an order would bury what was not looked at; the log says what to do."""
    clock = Clock()

    def slow(text: str, image: Any) -> float:
        clock.now += 3.0
        return float(text)

    scripted = ScriptedReranker(slow)
    config = RerankConfig(model="m", batch_size=1, budget_s=5.0)
    assert rerank(scripted, config, "q", [_page(1, "1"), _page(2, "2"), _page(3, "3")], clock) is None
    assert len(scripted.batches) == 2  # the third would begin after its time
    assert "2 of 3" in caplog.text
    assert "retrieval.rerank.budget_s" in caplog.text


def test_the_last_batch_may_end_late() -> None:
    """When all pages have a score, the work is done: it is not thrown away."""
    clock = Clock()

    def slow(text: str, image: Any) -> float:
        clock.now += 9.0
        return float(text)

    config = RerankConfig(model="m", budget_s=5.0, batch_size=1)
    assert rerank(ScriptedReranker(slow), config, "q", [_page(1, "1")], clock) == [(1, 1.0)]


def test_drawing_pages_takes_of_the_time() -> None:
    """Pages are drawn one after the other, not all of them before the time counts."""
    clock = Clock()
    drawn: list[int] = []

    def page(page_id: int) -> Candidate:
        def draw() -> Image.Image:
            drawn.append(page_id)
            clock.now += 3.0
            return Image.new("RGB", (1, 1))

        return Candidate(page_id, ("t",), "t", draw)

    config = RerankConfig(model="m", kind="image", budget_s=5.0, batch_size=1)
    scripted = ScriptedReranker(lambda text, image: 1.0)
    assert rerank(scripted, config, "q", [page(1), page(2), page(3)], clock) is None
    assert drawn == [1, 2]


def test_loading_the_model_is_not_of_the_time() -> None:
    """Else the first search of a process would never be reranked."""
    clock = Clock()

    class Slow(ScriptedReranker):
        def prepare(self) -> None:
            clock.now += 60.0
            super().prepare()

    slow = Slow(_number)
    config = RerankConfig(model="m", budget_s=5.0)
    assert rerank(slow, config, "q", [_page(1, "1"), _page(2, "2")], clock) == [(2, 2.0), (1, 1.0)]
    assert slow.prepared == 1


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_that_is_no_number_leaves_the_order(score: float, caplog: pytest.LogCaptureFixture) -> None:
    """Half precision overflows with some models."""
    scripted = ScriptedReranker(lambda text, image: score)
    assert rerank(scripted, RerankConfig(model="m"), "q", [_page(1, "1"), _page(2, "2")]) is None
    assert "not reranked" in caplog.text
