"""Where a page matches the words of a query."""

from __future__ import annotations

import numpy as np
import pytest

from ragvl.heat import HeatCell, heat_map
from ragvl.protocols import PageVectors, QueryVectors, VectorSource
from ragvl.types import BBox

IMAGE, TEXT = VectorSource.IMAGE, VectorSource.TEXT
SIDE = 50.0


def axis(number: int, length: float = 1.0) -> list[float]:
    """A vector along one of eight axes; the last stands for what all have in common."""
    vector = [0.0] * 8
    vector[number], vector[7] = length, (1 - length**2) ** 0.5
    return vector


def square(row: int, column: int) -> BBox:
    return (column * SIDE, row * SIDE, (column + 1) * SIDE, (row + 1) * SIDE)


def page(
    matches: dict[tuple[int, int], list[float]], *more: tuple[VectorSource, BBox, list[float]]
) -> PageVectors:
    """A page of ten by ten patches, some of which match something, and more vectors."""
    rows = [(IMAGE, square(y, x), matches.get((y, x), axis(0, 0.1))) for y in range(10) for x in range(10)]
    rows += more
    return PageVectors(
        np.array([vector for _, _, vector in rows], dtype=np.float32),
        np.array([source for source, _, _ in rows], dtype=np.uint8),
        np.array([box for _, box, _ in rows], dtype=np.float32),
    )


def query(*tokens: tuple[tuple[int, int], int]) -> QueryVectors:
    return QueryVectors(
        np.array([axis(number) for _, number in tokens], dtype=np.float32), tuple(span for span, _ in tokens)
    )


def places(cells: tuple[HeatCell, ...]) -> list[BBox]:
    return [cell.box_pt for cell in cells]


def test_each_word_is_warm_where_it_matches() -> None:
    """A word's best place has strength 1; the whole shows the places of all words."""
    shown = page({(2, 3): axis(1, 0.8), (7, 7): axis(2, 0.8), (7, 8): axis(2, 0.5)})
    heat = heat_map("red ship", query(((0, 3), 1), ((4, 8), 2)), shown)
    assert [(word.start, word.end) for word in heat.words] == [(0, 3), (4, 8)]
    red, ship = heat.words
    assert red.cells == (HeatCell(square(2, 3), 1.0),)
    assert places(ship.cells) == [square(7, 7), square(7, 8)]
    assert ship.cells[0].strength == 1.0
    assert 0.3 < ship.cells[1].strength < 0.7
    assert set(places(heat.whole)) == {square(2, 3), square(7, 7), square(7, 8)}


def test_tokens_of_a_word_are_joined_by_the_best() -> None:
    """A word in two pieces is warm where either matches, as strongly as the better one."""
    shown = page({(1, 1): axis(1, 0.9), (1, 2): axis(2, 0.9)})
    heat = heat_map("ferryman, now", query(((0, 5), 1), ((5, 8), 2)), shown)
    assert [cell.strength for cell in heat.words[0].cells] == [1.0, 1.0]
    assert (heat.words[1].start, heat.words[1].end, heat.words[1].cells) == (10, 13, ())


def test_tokens_without_a_span_count_only_for_the_whole() -> None:
    """What a model adds to a query belongs to no word, and still finds places."""
    shown = page({(1, 1): axis(1, 0.9), (5, 5): axis(2, 0.9)})
    heat = heat_map("red", query(((0, 3), 1), ((0, 0), 2)), shown)
    assert places(heat.words[0].cells) == [square(1, 1)]
    assert set(places(heat.whole)) == {square(1, 1), square(5, 5)}


def test_noise_stays_cold() -> None:
    """On a page where everything differs a little, only what stands out is kept."""
    chance = np.random.default_rng(0)
    shown = page({(2, 3): axis(1, 0.8)})
    noisy = shown.vectors + chance.normal(0, 0.03, shown.vectors.shape).astype(np.float32)
    heat = heat_map("red", query(((0, 3), 1)), PageVectors(noisy, shown.sources, shown.boxes_pt))
    assert places(heat.words[0].cells) == [square(2, 3)]


def test_text_does_not_outshine_images() -> None:
    """Text is nearer to any query than images are; each source is measured from its own floor."""
    words = [(TEXT, (10.0 * x, 600.0, 10.0 * x + 9, 610.0), axis(1, 0.6)) for x in range(20)]
    words[4] = (TEXT, words[4][1], axis(1, 0.9))
    heat = heat_map("red", query(((0, 3), 1)), page({(2, 3): axis(1, 0.5)}, *words))
    assert set(places(heat.words[0].cells)) == {square(2, 3), words[4][1]}


def test_overview_says_less_about_the_place() -> None:
    """A box over the whole page is weaker than a patch with the same similarity; the same box is kept once."""
    match = axis(1, 0.8)
    overview = (IMAGE, (0.0, 0.0, 500.0, 500.0), match)
    again = (IMAGE, square(2, 3), axis(1, 0.6))
    heat = heat_map("red", query(((0, 3), 1)), page({(2, 3): match}, overview, again))
    patch, whole_page = heat.words[0].cells
    assert (patch.box_pt, patch.strength) == (square(2, 3), 1.0)
    assert whole_page.strength < 0.5


def test_one_vector_for_a_page_shows_no_place() -> None:
    """Where a page is one vector, nothing can be said about places."""
    one = PageVectors(
        np.array([axis(1)], dtype=np.float32), np.zeros(1, np.uint8), np.array([[0, 0, 9, 9]], np.float32)
    )
    heat = heat_map("red", query(((0, 3), 1)), one)
    assert (heat.words[0].cells, heat.whole) == ((), ())


def test_scripts_without_spaces_go_by_their_tokens() -> None:
    """In Japanese each token is a choice of its own; beside it, words are words."""
    shown = page({(1, 1): axis(1, 0.9), (5, 5): axis(2, 0.9)})
    heat = heat_map("売上高は 2025", query(((0, 3), 1), ((3, 4), 2), ((5, 9), 3)), shown)
    assert [(word.start, word.end) for word in heat.words] == [(0, 3), (3, 4), (5, 9)]
    assert places(heat.words[1].cells) == [square(5, 5)]


def test_spans_beyond_the_query_are_harmless() -> None:
    """A prefix or a suffix of the model's own is cut to what was typed."""
    heat = heat_map("売上", query(((0, 99), 1), ((40, 50), 2)), page({(1, 1): axis(1, 0.9)}))
    assert [(word.start, word.end) for word in heat.words] == [(0, 2)]
    assert heat_map("", query(((0, 0), 1)), page({})).words == ()


def test_boxes_that_are_none_are_left_out() -> None:
    """A vector without a place, or with a damaged one, is not drawn."""
    match = axis(1, 0.95)
    odd = [
        (IMAGE, box, match)
        for box in ((float("nan"),) * 4, (9.0, 9.0, 9.0, 20.0), (0.0, 0.0, float("inf"), 5.0))
    ]
    heat = heat_map("red", query(((0, 3), 1)), page({(2, 3): axis(1, 0.8)}, *odd))
    assert places(heat.words[0].cells) == [square(2, 3)]


def test_only_so_many_places_are_kept() -> None:
    """A page full of matches does not make a file without end; the strongest stay."""
    weak = [(TEXT, (float(x), 500.0, x + 0.9, 510.0), axis(1, 0.3)) for x in range(400)]
    many = [(TEXT, (float(x), 600.0, x + 0.9, 610.0), axis(1, 0.6 + x / 1000)) for x in range(300)]
    cells = heat_map("red", query(((0, 3), 1)), page({}, *weak, *many)).words[0].cells
    assert [round(cell.box_pt[0]) for cell in cells] == list(range(299, 139, -1))


def test_vectors_of_two_encoders_are_refused() -> None:
    """A query of another dimension cannot be compared, and says so."""
    other = QueryVectors(np.ones((1, 4), np.float32), ((0, 3),))
    with pytest.raises(ValueError, match="4 dimensions, the page of 8"):
        heat_map("red", other, page({}))
