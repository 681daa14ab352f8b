"""The report over runs: safe, self-contained, and true about what the runs say."""

from __future__ import annotations

import base64
import dataclasses
import re
from hashlib import sha256
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from ragvl.evals.report import ReportError, report_page
from ragvl.evals.types import CorpusPage, EvalSet
from tests.evals.report.conftest import QUERIES, MakeRun

VOID = {"meta", "br", "wbr", "input", "link", "img", "hr"}
PAYLOAD = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>${body}"


class Parsed(HTMLParser):
    """A page read strictly: every tag that opens closes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data


def words_of(html: str) -> str:
    return " ".join(Parsed(html).text.split())


def section(html: str, anchor: str) -> str:
    """The words of one section."""
    found = re.search(rf'<section id="{anchor}".*?</section>', html, re.DOTALL)
    return words_of(found[0]) if found else ""


def test_page_loads_and_runs_nothing(make_run: MakeRun, pages: EvalSet) -> None:
    """Only the page's own style is allowed, by hash; there is no script, no handler and no address."""
    html = report_page([make_run("ragvl", answers=True), make_run("bm25")], lambda name: pages)
    parsed = Parsed(html)
    assert not {"script", "link", "iframe", "object", "base", "img"} & {tag for tag, _ in parsed.tags}
    for _, attrs in parsed.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
        assert attrs.get("href", "#").startswith(("#", "data:image/webp;base64,"))
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style
    policy = next(attrs["content"] for _, attrs in parsed.tags if attrs.get("http-equiv"))
    assert base64.b64encode(sha256(style[1].encode()).digest()).decode() in policy
    assert "url(" not in style[1]
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_what_runs_hold_is_data(make_run: MakeRun, pages: EvalSet) -> None:
    """Markup in questions, names and errors is shown as text."""
    run = make_run(PAYLOAD, failed=(1,), board=PAYLOAD)
    hostile = tuple(dataclasses.replace(query, text=PAYLOAD, answers=(PAYLOAD,)) for query in run.queries)
    html = report_page([dataclasses.replace(run, queries=hostile)], lambda name: pages)
    assert "<script" not in html
    assert "<img" not in html
    assert Parsed(html).text.count(PAYLOAD) > 5


def test_every_chart_says_what_it_shows(make_run: MakeRun) -> None:
    """Each drawing of the report is well-formed and has a title and a description with its figures."""
    html = report_page([make_run("ragvl", answers=True), make_run("bm25", [1.0] * QUERIES)])
    charts = re.findall(r'<svg class="(?:bar|plane).*?</svg>(?!</svg>)', html, re.DOTALL)
    assert len(charts) > 8
    for chart in re.findall(r'<svg class="bar.*?</svg>', html, re.DOTALL):
        drawn = ElementTree.fromstring(chart)
        assert drawn.findtext("title")
        assert re.match(r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\], over \d+ queries", drawn.findtext("desc") or "")
    assert "0.333" in html


def test_bar_is_as_long_as_its_mean(make_run: MakeRun) -> None:
    """A mean of one third fills a third of the row, and the whisker ends at the bounds."""
    run = make_run("ragvl")
    html = report_page([run])
    estimate = run.metrics.metrics["ndcg@10"] if run.metrics else None
    assert estimate and estimate.low is not None and estimate.high is not None
    assert 'class="fill" width="33.33%"' in html
    assert f'<line x1="{100 * estimate.low:.2f}%" x2="{100 * estimate.high:.2f}%" y1="9" y2="9"/>' in html


def test_difference_inside_the_noise_is_called_so(make_run: MakeRun) -> None:
    """Two runs that differ in one query of twelve cannot be told apart."""
    base = [float(number % 3 == 0) for number in range(QUERIES)]
    other = [1.0, *base[1:-1], 1.0]
    html = report_page([make_run("before", base), make_run("after", other)])
    assert "inside the noise" in section(html, "differences")
    assert "cannot be told apart by these queries" in words_of(html)


def test_clear_difference_has_a_direction(make_run: MakeRun) -> None:
    """A run that is right everywhere is better than one that is wrong everywhere, and the other way round."""
    right, wrong = make_run("right", [1.0] * QUERIES), make_run("wrong", [0.0] * QUERIES)
    assert "better" in section(report_page([right, wrong]), "differences")
    told = section(report_page([wrong, right]), "differences")
    assert "worse" in told
    assert "-1.000 [-1.000, -1.000]" in told


def test_two_runs_of_one_system_have_names_of_their_own(make_run: MakeRun) -> None:
    """Runs of the same system are told apart by their ids."""
    first, second = make_run("ragvl"), make_run("ragvl")
    renamed = dataclasses.replace(second, record=dataclasses.replace(second.record, id="annual-ragvl-2"))
    text = words_of(report_page([first, renamed]))
    assert "ragvl · annual-ragvl-2" in text
    assert re.search(r"ragvl · annual-ragvl\b(?!-)", text)


def test_groups_are_counted(make_run: MakeRun) -> None:
    """Each value of a dimension stands with the number of its queries."""
    told = section(report_page([make_run()]), "groups")
    assert "By evidence source" in told
    assert re.search(r"table ?6 queries", told)


def test_answers_show_what_the_search_costs(make_run: MakeRun) -> None:
    """Answers from the pages found stand beside those from the judged pages, with context recall and the curve."""
    html = report_page([make_run(answers=True)])
    told = section(html, "answers")
    assert "Context recall" in told
    assert "from the judged pages" in told
    assert "67 % of the questions answered" in told
    assert "<polyline" in html
    assert not section(report_page([make_run()]), "answers")


def test_misses_show_judged_and_found_pages(make_run: MakeRun, pages: EvalSet) -> None:
    """The worst queries are shown with pictures of their pages, at most two a document, boxes marked."""
    html = report_page([make_run("ragvl", [0.0] * QUERIES)], lambda name: pages)
    told = section(html, "misses")
    assert told.count("Judged") == 8
    assert "d0 page 1" in told
    assert "no judged page within 100" in told
    assert 'class="mark pen-1"' in html
    assert html.count("<symbol") <= QUERIES


def test_a_picture_is_kept_once(make_run: MakeRun, pages: EvalSet) -> None:
    """A page that several queries show is stored a single time."""
    html = report_page([make_run("ragvl", [0.0] * QUERIES)], lambda name: pages)
    assert html.count("data:image/webp") == html.count("<symbol")
    assert html.count('<use href="#sheet-1"') > 1


def test_page_that_cannot_be_drawn_is_said_to_be(make_run: MakeRun, pages: EvalSet) -> None:
    """A broken image leaves a note in its place, and the report is written."""

    def broken() -> None:
        raise OSError("gone")

    corpus = tuple(CorpusPage(page.id, page.document, page.number, image=broken) for page in pages.pages)  # type: ignore[arg-type]  # fails before it returns
    html = report_page(
        [make_run("ragvl", [0.0] * QUERIES)], lambda name: dataclasses.replace(pages, pages=corpus)
    )
    assert "This page cannot be drawn any more." in html


def test_without_the_data_misses_are_named(make_run: MakeRun) -> None:
    """Where the dataset is not there, pages are named and not drawn."""
    html = report_page([make_run("ragvl", [0.0] * QUERIES)])
    assert "p0" in section(html, "misses")
    assert "<symbol" not in html


def test_failed_queries_are_listed(make_run: MakeRun) -> None:
    """A failed query stands with its reason, and not among the misses."""
    html = report_page([make_run("ragvl", [0.0] * QUERIES, failed=(3,))])
    assert "OSError: the disk <went> away" in section(html, "failures")
    assert "Query q3;" not in section(html, "misses")
    assert not section(report_page([make_run()]), "failures")


def test_says_how_to_get_it_again(make_run: MakeRun) -> None:
    """Command, versions, revision, machine and what was left out of the data are all there."""
    html = report_page([make_run(board="ViDoRe v3, English queries")])
    told = section(html, "provenance")
    for part in (
        "ragvl eval run 'my questions'",
        "0.1.0",
        "2.3.1",
        "a fast one",
        "ab" * 32,
        "Two questions were left",
    ):
        assert part in told
    assert "ViDoRe v3, English queries" in words_of(html)
    assert "broken.pdf: not a PDF" in section(html, "indexing")
    assert "12.5" in section(html, "indexing")


def test_runs_on_other_data_are_refused(make_run: MakeRun) -> None:
    """Runs on another set, or on other queries of it, do not share a report."""
    with pytest.raises(ReportError, match="make one report for each dataset"):
        report_page([make_run(), make_run(dataset="other")])
    with pytest.raises(ReportError, match="asked different queries of annual"):
        report_page([make_run(), make_run(digest="cd" * 32)])


def test_unfinished_run_is_refused(make_run: MakeRun) -> None:
    """A run without metrics is named, with what to do."""
    with pytest.raises(ReportError, match="is not finished: 12 of 12 queries"):
        report_page([dataclasses.replace(make_run(), metrics=None)])
    with pytest.raises(ReportError, match="no run"):
        report_page([])


def test_misses_are_those_of_the_first_run(make_run: MakeRun) -> None:
    """A query that only the other run missed is not shown."""
    right = [1.0] * QUERIES
    first, other = make_run("first", [*right[:-1], 0.0]), make_run("other", [0.0] * QUERIES)
    told = section(report_page([first, other]), "misses")
    assert told.count("Judged") == 1
    assert f"Query q{QUERIES - 1};" in told
