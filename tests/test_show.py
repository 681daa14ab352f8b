"""The pages that `--show` writes: safe, self-contained, and true about where each quote stands."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from PIL import Image

from ragvl.heat import HeatCell, HeatMap, HeatWord
from ragvl.show import HeatSource, answer_page, search_page
from ragvl.types import (
    Answer,
    BBox,
    BlockKind,
    Citation,
    Document,
    DocumentStatus,
    Hit,
    LaneRank,
    Page,
    Passage,
    Region,
    TextSource,
)

VOID = {"meta", "br", "link", "img", "input", "hr", "wbr"}
PAYLOADS = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)><a href="javascript:alert(1)">x</a>',
    "</title></style></svg><iframe srcdoc='<b>'></iframe><base href=//evil.example>",
    "' autofocus onfocus=alert(1) x='${body} $css &lt;b&gt; &#60;",
)


class Element:
    """A start tag, its attributes, and the tags around it."""

    def __init__(self, tag: str, attrs: dict[str, str], parents: tuple[Element, ...]) -> None:
        self.tag, self.attrs, self.parents = tag, attrs, parents

    @property
    def classes(self) -> list[str]:
        return self.attrs.get("class", "").split()

    def within(self, name: str) -> bool:
        """Whether a parent has this class."""
        return any(name in parent.classes for parent in self.parents)


class Parsed(HTMLParser):
    """A page read strictly: every tag that opens closes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.text = ""
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        values = {name: value or "" for name, value in attrs}
        self.elements.append(Element(tag, values, tuple(self._open)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        if not any(element.tag == "style" for element in self._open):
            self.text += data

    def find(self, tag: str, name: str = "") -> list[Element]:
        """Elements of one tag and, if given, of one class."""
        return [one for one in self.elements if one.tag == tag and (not name or name in one.classes)]


def image(width: int = 170, height: int = 220, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(buffer, kind)
    return buffer.getvalue()


def document(id: int = 1, **changes: object) -> Document:
    made = Document(
        id, f"docs/{id}.pdf", "0", "application/pdf", "", 9, 1, datetime(2026, 1, 1, tzinfo=UTC), OK
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]  # fields by name


OK = DocumentStatus.OK
BOX: BBox = (61.2, 79.2, 306.0, 99.0)


def hit(
    doc: Document, number: int = 2, *, box: BBox = BOX, text: str = "found words", heading: str = ""
) -> Hit:
    passage = Passage(1, number, BlockKind.TEXT, heading, text, 0, len(text), (box,))
    page = Page(doc.id * 100 + number, doc, number, 612.0, 792.0, text, TextSource.LAYER)
    return Hit(page, 0.5, (LaneRank("lexical", 3, 1.5),), (passage,))


def citation(doc: Document, number: int = 2, *, box: BBox = BOX, verified: bool = True) -> Citation:
    return Citation(doc, number, (Region(number, box),), "found words", verified)


def answer(**changes: object) -> Answer:
    doc = document()
    made = Answer(
        "What is it?", "It is this. [1]", (citation(doc),), False, 0.9, (hit(doc), hit(document(2), 5))
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def draw(_document: Document, _page_number: int) -> bytes:
    return image()


def warm(query: str = "What is it?") -> HeatMap:
    """Heat of the query's words but the second, each at a place of its own."""
    places = ((61.2, 79.2, 122.4, 99.0), (306.0, 396.0, 367.2, 415.8))
    spans = [(found.start(), found.end()) for found in re.finditer(r"\w+", query)][:3]
    cells = [(HeatCell(places[0], 1.0),), (), (HeatCell(places[1], 1.0), HeatCell(places[0], 0.3))]
    words = (HeatWord(*span, cell) for span, cell in zip(spans, cells, strict=False))
    return HeatMap(query, tuple(words), (HeatCell(places[0], 1.0), HeatCell(places[1], 0.6)))


def rects(page: Parsed) -> list[Element]:
    """Boxes marked in the pages of cards, neither in crops nor in enlarged views."""
    return [
        one
        for one in page.find("rect")
        if one.within("mark") and not one.within("crop") and not one.within("zoom") and one.within("card")
    ]


def places(elements: list[Element]) -> list[tuple[float, ...]]:
    keys = ("x", "y", "width", "height")
    return [tuple(float(one.attrs[key].rstrip("%")) for key in keys) for one in elements]


def test_answer_page_shows_question_answer_and_source() -> None:
    """The question, the answer, the quote, the document and its page number are there to read."""
    page = Parsed(answer_page(answer(), draw))
    for words in (
        "What is it?",
        "It is this.",
        "found words",
        "docs/1.pdf",
        "Page 2 of 9",
        "Verified",
        "90%",
    ):
        assert words in page.text


def test_markers_link_to_the_citations_that_exist() -> None:
    """[1] leads to the first citation; [2] and [0] refer to nothing and stay words."""
    page = Parsed(answer_page(answer(text="One [1], two [2], nil [0], again [1]."), draw))
    links = [one.attrs["href"] for one in page.find("a", "chip") if one.within("prose")]
    assert links == ["#cite-1", "#cite-1"]
    assert "two [2], nil [0]" in page.text


def test_regions_are_marked_at_their_place_in_percent() -> None:
    """A box in points stands on the page at the same fractions of its width and height."""
    page = Parsed(answer_page(answer(), draw))
    assert places(rects(page)) == [pytest.approx((10.0, 10.0, 40.0, 2.5))]


def test_crop_shows_the_region_from_the_same_image() -> None:
    """The close-up moves the page, not the box: view, offset and percentages agree."""
    page = Parsed(answer_page(answer(), draw))
    [crop] = page.find("svg", "crop")
    _, _, width, height = map(float, crop.attrs["viewbox"].split())
    [use] = [one for one in page.find("use") if one.within("crop")]
    [(x, y, w, h)] = places([one for one in page.find("rect") if one.within("crop") and one.within("mark")])
    assert (x / 100 * width - float(use.attrs["x"])) == pytest.approx(BOX[0], abs=0.01)
    assert (y / 100 * height - float(use.attrs["y"])) == pytest.approx(BOX[1], abs=0.01)
    assert (w / 100 * width, h / 100 * height) == pytest.approx((244.8, 19.8), abs=0.01)


def test_citations_on_one_page_share_a_card_and_are_numbered() -> None:
    """Two quotes of one page: one card, two marks with two pens, two numbers that do not overlap."""
    doc = document()
    both = (citation(doc), citation(doc, box=(61.2, 100.0, 306.0, 110.0)))
    page = Parsed(answer_page(answer(text="A [1] b [2]", citations=both, hits=(hit(doc),)), draw))
    circles = [one for one in page.find("circle") if not one.within("zoom")]
    assert len(page.find("article", "card")) == 1
    assert [one.parents[-1].classes for one in rects(page)] == [["mark", "pen-1"], ["mark", "pen-2"]]
    first, second = (float(one.attrs["cy"]) for one in circles)
    assert second - first >= 2 * float(circles[0].attrs["r"])


def test_each_page_is_asked_for_and_stored_once() -> None:
    """Card, crop and enlarged view share one image, also when a page is cited and found."""
    asked: list[tuple[int, int]] = []

    def count(doc: Document, number: int) -> bytes:
        asked.append((doc.id, number))
        return image(170 + doc.id, 220)

    page = answer_page(answer(), count)
    assert sorted(asked) == [(1, 2), (2, 5)]
    assert page.count("data:image/png;base64,") == 2
    assert len(re.findall(r'<use href="#sheet-1"', page)) == 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_media_type_is_read_from_the_bytes(kind: str) -> None:
    """The caller gives bytes only; the page names their type rightly."""
    page = search_page("q", [hit(document())], lambda _document, _number: image(kind=kind))
    assert f"data:image/{kind.lower()};base64," in page


@pytest.mark.parametrize("given", [None, b"", b"<svg onload=alert(1)>", image(kind="TIFF"), image()[:20]])
def test_page_that_cannot_be_drawn_says_why(given: bytes | None) -> None:
    """No image, or one that is not a picture of a known type, leaves a note in its place."""
    page = Parsed(answer_page(answer(), lambda _document, _number: given))
    assert "This page cannot be drawn any more." in page.text
    assert "docs/1.pdf may have been moved, changed or deleted" in page.text
    assert "found words" in page.text
    assert not page.find("image")


def test_unverified_quotes_stand_out() -> None:
    """A quote that was not found is said so above the answer's sources, on its badge and on its marker."""
    doc = document()
    both = (citation(doc), citation(doc, verified=False))
    page = Parsed(answer_page(answer(text="A [1] b [2]", citations=both), draw))
    assert "1 of 2 quotes was not found word for word on its page." in page.text
    assert "Not verified" in page.text
    assert "1 of 2 quotes verified" in page.text
    assert [one.classes for one in page.find("a", "pen-unverified")] == [["chip", "pen-unverified"]] * 2


def test_answer_without_citations_says_it_cannot_be_checked() -> None:
    """An answer that cites nothing is not shown as if it did."""
    page = Parsed(answer_page(answer(text="So it is.", citations=()), draw))
    assert "No page is cited," in page.text


def test_refused_answer_offers_the_nearest_pages() -> None:
    """A refusal is named as one, shows no support, and lists what came closest."""
    refused = answer(text="Nothing says so.", citations=(), refused=True)
    page = Parsed(answer_page(refused, draw))
    assert "Not answered" in page.text
    assert "Nearest pages" in page.text
    assert len(page.find("article", "hit")) == 2
    assert not page.find("li", "support")


@pytest.mark.parametrize(
    ("support", "words"),
    [
        (0.9, "Well supported"),
        (0.5, "Partly supported"),
        (0.0, "Weakly supported"),
        (float("nan"), "0%"),
        (7.0, "100%"),
    ],
)
def test_support_is_shown_in_words_and_percent(support: float, words: str) -> None:
    """Support reads as words; a number out of range cannot break the page."""
    assert words in Parsed(answer_page(answer(support=support), draw)).text


def test_other_hits_are_listed_with_rank_lanes_and_score() -> None:
    """What was found and not cited keeps its rank in a strip of small pages."""
    page = Parsed(answer_page(answer(), draw))
    [thumb] = page.find("li", "thumb")
    assert thumb.attrs["id"] == "hit-2"
    for words in ("Also looked at", "docs/2.pdf", "Page 5 of 9", "lexical 3", "score 0.5"):
        assert words in page.text


def test_search_page_shows_ranked_hits_with_their_passages() -> None:
    """Each hit is a card: rank, lanes, path, page, heading and passage, the query's words marked."""
    hits = [hit(document(), text="Words found here", heading="Part > One"), hit(document(2))]
    page = Parsed(search_page("found", hits, draw))
    for words in (
        "2 pages found",
        "docs/1.pdf",
        "Page 2 of 9",
        "Part > One",
        "Words found here",
        "lexical 3",
    ):
        assert words in page.text
    assert places(rects(page)) == [pytest.approx((10.0, 10.0, 40.0, 2.5))] * 2
    assert len(page.find("mark")) == 2


def test_search_page_without_hits_says_so() -> None:
    """Nothing found is a sentence, not an empty page."""
    assert "No page matches." in Parsed(search_page("zebra", [], draw)).text


def test_best_passage_is_marked_stronger_than_the_others() -> None:
    """The best passage is drawn last and strongly; the others faintly."""
    one = hit(document())
    second = dataclasses.replace(one.passages[0], boxes_pt=((61.2, 300.0, 306.0, 320.0),))
    page = Parsed(search_page("q", [dataclasses.replace(one, passages=(*one.passages, second))], draw))
    assert [rect.parents[-1].classes[1] for rect in rects(page)] == ["pen-faint", "pen-1"]
    assert "1 more passage on this page" in page.text


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(612, 792, (10.0, 10.0, 40.0, 2.5)), (595, 842, (10.281, 9.407, 41.123, 2.352))],
)
def test_page_size_comes_from_the_aspect_when_no_hit_has_it(
    width: int, height: int, expected: tuple[float, ...]
) -> None:
    """A cited page that no search found is Letter or A4 when its image has that shape."""
    page = Parsed(answer_page(answer(hits=()), lambda _document, _number: image(width, height)))
    assert places(rects(page)) == [pytest.approx(expected, abs=0.002)]


def test_place_is_not_guessed_for_a_page_of_unknown_size() -> None:
    """With no size to go by there is no mark, and the page says so."""
    page = Parsed(answer_page(answer(hits=()), lambda _document, _number: image(300, 100)))
    assert not rects(page)
    assert "Where it stands on the page is not known." in page.text


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((-50.0, 0.0, 61.2, 79.2), [(0.0, 0.0, 10.0, 10.0)]),
        ((550.8, 712.8, 900.0, 900.0), [(90.0, 90.0, 10.0, 10.0)]),
        ((700.0, 10.0, 800.0, 20.0), []),
        ((float("nan"), 10.0, 20.0, 20.0), []),
        ((30.0, 10.0, 20.0, 20.0), []),
    ],
)
def test_boxes_are_kept_on_the_page(box: BBox, expected: list[tuple[float, ...]]) -> None:
    """What lies off the page is cut; what is no box is left out."""
    page = Parsed(answer_page(answer(citations=(citation(document(), box=box),)), draw))
    assert places(rects(page)) == [pytest.approx(place) for place in expected]


def test_regions_of_another_page_are_not_drawn() -> None:
    """A region that names another page than its citation marks nothing."""
    stray = dataclasses.replace(citation(document()), regions=(Region(3, BOX),))
    assert not rects(Parsed(answer_page(answer(citations=(stray,)), draw)))


def hostile(payload: str) -> Answer:
    """An answer with the payload in every text that a document, a model or a user can write."""
    doc = document(path=payload, title=payload, status=DocumentStatus.PARTIAL, reason=payload)
    other = document(2, path=payload, title="")
    found = hit(other, text=payload, heading=payload)
    found = dataclasses.replace(found, lanes=(LaneRank(payload, 1, 1.0),))
    quoted = dataclasses.replace(citation(doc), quote=payload)
    return answer(
        question=payload, text=f"{payload} [1]", citations=(quoted,), hits=(found,), generator=payload
    )


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize("kind", ["answer", "refused", "search"])
def test_no_text_of_a_document_becomes_markup(payload: str, drawn: bool, kind: str) -> None:
    """Whatever a title, path, quote, passage or question holds, the page has the same tags as without it."""

    def write(payload: str) -> Parsed:
        given = dataclasses.replace(hostile(payload), refused=kind == "refused")
        show = (lambda _document, _number: image()) if drawn else (lambda _document, _number: None)
        heat = HeatMap(payload, (HeatWord(0, len(payload), warm().whole),), warm().whole)
        if kind == "search":
            return Parsed(search_page(payload, given.hits, show, lambda _hit: heat))
        return Parsed(answer_page(given, show, lambda _hit: heat))

    def skeleton(page: Parsed) -> list[tuple[str, tuple[str, ...]]]:
        kept = [one for one in page.elements if one.tag not in {"mark", "wbr"}]
        return [(one.tag, tuple(one.attrs)) for one in kept]

    page = write(payload)
    assert skeleton(page) == skeleton(write("harmless"))
    assert payload in page.text
    assert not {one.tag for one in page.elements} & {"script", "iframe", "base", "img", "object", "form"}
    assert not [
        name for one in page.elements for name in one.attrs if name.startswith("on") or name == "style"
    ]


@pytest.mark.parametrize(
    "html",
    [
        answer_page(answer(), draw),
        search_page("q", [hit(document())], draw),
        answer_page(answer(), draw, lambda _hit: warm()),
        search_page("What is it?", [hit(document()), hit(document(2))], draw, lambda _hit: warm()),
    ],
)
def test_page_loads_nothing_and_its_links_stay_inside(html: str) -> None:
    """No address but data of images; every reference names an element that is there, every id is unique."""
    page = Parsed(html)
    ids = [one.attrs["id"] for one in page.elements if "id" in one.attrs]
    assert len(ids) == len(set(ids))
    assert "http" not in html.replace("http-equiv", "")
    assert "url(" not in html and "@import" not in html
    assert not [one for one in page.elements if {"src", "srcset", "action", "data"} & set(one.attrs)]
    for one in page.elements:
        target = one.attrs.get("href", "")
        assert target.startswith("data:image/") if one.tag == "image" else not target or target[1:] in ids
        assert one.attrs.get("popovertarget", ids[0]) in ids
        assert one.attrs.get("aria-labelledby", ids[0]) in ids


@pytest.mark.parametrize("heat", [None, lambda _hit: warm()])
def test_policy_allows_the_style_of_this_page_and_images_in_it_only(heat: HeatSource | None) -> None:
    """The policy names the hash of the style, no script, no address."""
    html = answer_page(answer(), draw, heat)
    style = re.search("<style>(.*?)</style>", html, re.DOTALL)
    [policy] = [one.attrs["content"] for one in Parsed(html).find("meta") if "http-equiv" in one.attrs]
    assert style is not None
    digest = base64.b64encode(sha256(style[1].encode()).digest()).decode()
    expected = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert policy == expected


def test_control_characters_are_dropped_and_the_page_is_utf8() -> None:
    """Null bytes, escapes, direction overrides and half characters cannot reach the file."""
    doc = document(path="caf\udce9.pdf", title="a\x00b\x1b[31mc\u202ed")
    html = answer_page(answer(question="q\x07\x9f", citations=(citation(doc),), hits=()), draw)
    html.encode("utf-8")
    assert "caf\ufffd.pdf" in Parsed(html).text
    assert "ab[31mcd" in html
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", html)


def test_every_picture_has_words_and_the_page_a_language() -> None:
    """Pages are described, decoration is hidden, headings do not skip a level."""
    page = Parsed(answer_page(answer(), draw, lambda _hit: warm()))
    assert page.find("html")[0].attrs["lang"] == "en"
    for svg in page.find("svg"):
        assert (
            svg.attrs.get("aria-label")
            if svg.attrs.get("role") == "img"
            else svg.attrs["aria-hidden"] == "true"
        )
    levels = [int(one.tag[1]) for one in page.elements if re.fullmatch("h[1-6]", one.tag)]
    assert levels == [1, 2, 3, 2]


def test_partial_document_is_named_as_such() -> None:
    """A document that was read in part carries its reason."""
    doc = document(status=DocumentStatus.PARTIAL, reason="2 pages failed")
    assert "This document is partial: 2 pages failed" in Parsed(search_page("q", [hit(doc)], draw)).text


# --- heat ---------------------------------------------------------------------------------------


def layers(page: Parsed) -> list[str]:
    """The pictures over the first page of a card, by what chooses them."""
    uses = [one for one in page.find("use", "layer") if not one.within("zoom") and "ember" not in one.classes]
    return [one.attrs["href"] for one in uses]


def test_without_heat_the_page_has_none() -> None:
    """Nothing is drawn, said or styled for heat where there is none to show."""
    plain = search_page("What is it?", [hit(document())], draw)
    assert search_page("What is it?", [hit(document())], draw, lambda _hit: None) == plain
    assert "heat" not in plain and "Colour shows" not in plain


def test_whole_query_is_shown_and_each_word_can_be_chosen() -> None:
    """The query stands beside the page, its words that match somewhere are choices, all of them the first."""
    page = Parsed(search_page("What is it?", [hit(document())], draw, lambda _hit: warm()))
    assert layers(page) == ["#heat-1-0", "#heat-1-1", "#heat-1-3"]
    picks = page.find("input")
    assert [one.parents[-1].classes[1] for one in picks] == ["pick-0", "pick-1", "pick-3", "pick-off"]
    assert ["checked" in one.attrs for one in picks] == [True, False, False, False]
    assert {(one.attrs["type"], one.attrs["name"]) for one in picks} == {("radio", "heat-1")}
    assert all(one.parents[-1].tag == "label" and one.within("heat-words") for one in picks)
    assert "Where the page matches\nAll wordsWhat is it?Off" in page.text


def test_each_choice_has_its_rule() -> None:
    """Pointing at a word, or choosing it, shows its picture and hides that of the whole."""
    html = search_page("What is it?", [hit(document())], draw, lambda _hit: warm())
    assert ".layer-0 { opacity: var(--shown); }" in html
    for number in (1, 3):
        assert f".card:has(.pick-{number}:hover) .layer-{number}," in html
        assert f".card:not(:has(.pick:hover)):has(.pick-{number} :checked) .layer-{number}" in html


def test_pages_choose_apart() -> None:
    """Two pages have two groups of choices, and pictures of their own."""
    hits = [hit(document()), hit(document(2))]
    page = Parsed(search_page("What is it?", hits, draw, lambda _hit: warm()))
    assert {one.attrs["name"] for one in page.find("input")} == {"heat-1", "heat-2"}
    assert len(set(layers(page))) == 6


def test_pictures_are_small_and_warm_where_the_page_matches() -> None:
    """A picture is a small PNG, clear where nothing matches, densest at the strongest place."""
    html = search_page("What is it?", [hit(document())], draw, lambda _hit: warm())
    found = re.search(r'<symbol id="heat-1-0".*?base64,([^"]+)', html)
    assert found is not None and len(found[1]) < 2000
    with Image.open(io.BytesIO(base64.b64decode(found[1]))) as picture:
        alpha = picture.convert("RGBA").getchannel("A")

    def at(x_pt: float, y_pt: float) -> int:
        dense = alpha.getpixel((int(x_pt / 612 * alpha.width), int(y_pt / 792 * alpha.height)))
        assert isinstance(dense, int)
        return dense

    assert at(91, 89) > at(336, 405) > at(500, 700) == 0


def test_heat_of_an_answer_stands_where_the_page_is_cited() -> None:
    """A cited page has the list of words; the small pages below show the whole query only."""
    asked: list[int] = []

    def heat(of: Hit) -> HeatMap:
        asked.append(of.page.document.id)
        return warm()

    page = Parsed(answer_page(answer(), draw, heat))
    assert asked == [1, 2]
    assert layers(page) == ["#heat-1-0", "#heat-1-1", "#heat-1-3", "#heat-2-0"]
    assert len(page.find("fieldset")) == 1
    assert "It does not compare pages or words." in page.text


def test_cited_page_that_no_search_found_has_no_heat() -> None:
    """Without a hit there is nothing to ask for; the page is shown as it is."""
    page = Parsed(answer_page(answer(hits=()), draw, lambda _hit: warm()))
    assert not layers(page) and "verified" in page.text


def test_heat_needs_a_page_of_known_size() -> None:
    """Where the page cannot be drawn, heat is not even asked for."""

    def never(_hit: Hit) -> HeatMap:
        raise AssertionError

    page = Parsed(search_page("q", [hit(document())], lambda _document, _number: None, never))
    assert not layers(page)


def test_long_queries_have_a_limited_number_of_choices() -> None:
    """A query of a hundred words does not make a hundred pictures."""
    query = " ".join(f"word{number}" for number in range(100))
    spans = [found.span() for found in re.finditer(r"\w+", query)]
    words = tuple(HeatWord(*span, warm().whole) for span in spans)
    heat = HeatMap(query, words, warm().whole)
    page = Parsed(search_page(query, [hit(document())], draw, lambda _hit: heat))
    assert len(layers(page)) == 41
    assert query in page.text.replace("\n", "")


@pytest.mark.parametrize(
    "box", [(700.0, 10.0, 800.0, 20.0), (-50.0, -50.0, 5.0, 5.0), (600.0, 780.0, 900.0, 900.0)]
)
def test_places_at_the_edge_and_beyond(box: BBox) -> None:
    """A place that reaches over the edge, or lies beyond it, breaks nothing."""
    heat = HeatMap("it", (), (HeatCell(box, 1.0),))
    assert layers(Parsed(search_page("it", [hit(document())], draw, lambda _hit: heat))) == ["#heat-1-0"]
