"""`ragvl search`: hits as a person and as a program read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ragvl.cli import shown


def test_hits_are_listed_best_first(ragvl: Any, library: Any) -> None:
    """A hit shows rank, path, page of pages, score, lanes, heading and the passage."""
    outcome = ragvl("search", "capital expenditures")
    lines = outcome.stdout.splitlines()
    assert outcome.code == 0
    assert lines[0] == " 1  10k/3M.pdf  page 31/160  0.910  lexical #2, text #1"
    assert lines[1] == "    Cash flow"
    assert lines[2] == "    The capital expenditures of the company were $1,577 million in 2018."


def test_filters_reach_the_library(ragvl: Any, library: Any) -> None:
    """Filters are passed on under the names that the library knows; without any, none are."""
    ragvl(
        "search",
        "x",
        "-k",
        "3",
        "--path",
        "a/*",
        "--path",
        "b/*",
        "--type",
        "image/*",
        "--from",
        "2018-01-01",
    )
    assert library.asked["k"] == 3
    expected = {"path": ["a/*", "b/*"], "media_type": ["image/*"], "modified_from": "2018-01-01"}
    assert expected == library.asked["where"]
    ragvl("search", "x")
    assert None is library.asked["where"]


def test_json_ranks_hits_and_leaves_page_texts_out(ragvl: Any, library: Any) -> None:
    """Field names are those of the dataclasses; whole texts and packed words stay out."""
    written = json.loads(ragvl("search", "capital", "--json").stdout)
    assert written["query"] == "capital"
    (hit,) = written["hits"]
    assert (hit["rank"], hit["page"]["number"], hit["page"]["text_source"]) == (1, 31, "layer")
    assert {"text", "words"}.isdisjoint(hit["page"])
    assert hit["page"]["document"]["modified_at"] == "2024-05-17T08:30:00+00:00"
    assert hit["passages"][0]["boxes_pt"][0] == [72.0, 100.0, 500.0, 112.0]
    assert "shown" not in written


def test_no_hit_is_told(ragvl: Any, library: Any) -> None:
    """Nothing found is no failure; an empty list stands in the JSON."""
    library.hits = []
    outcome = ragvl("search", "x")
    assert outcome.code == 0
    assert "No page matches" in outcome.stdout
    assert json.loads(ragvl("search", "x", "--json").stdout)["hits"] == []


def test_documents_cannot_steer_the_terminal(ragvl: Any, library: Any, on_terminal: None) -> None:
    """Escape sequences, markup and turned text in names and passages are shown as harmless text."""
    hit = library.hits[0]
    evil = "\x1b]0;title\x07 [bold red]x[/] \x9b2J \u202egnp.exe\r over"
    library.hits = [_replaced(hit, path=evil, text=evil, heading=evil)]
    shown_text = ragvl("search", "over").stdout
    assert "[bold red]x[/]" in shown_text
    for steering in ("\x1b]", "\x07", "\x9b", "\u202e", "\r"):
        assert steering not in shown_text


def test_show_writes_a_private_page(
    ragvl: Any, library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--show` writes one page where only this user can read it, says where, and opens no browser in a pipe."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", _never)
    outcome = ragvl("search", "Capital / expenditure?", "--show")
    (page,) = tmp_path.glob("ragvl-*/*.html")
    assert page.name.startswith("capital-expenditure-")
    assert f"shown in {page}" in outcome.stdout
    assert page.parent.stat().st_mode & 0o777 == 0o700
    assert page.stat().st_mode & 0o777 == 0o600
    assert "Capital / expenditure?" in page.read_text("utf-8")


def test_foreign_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that others could have prepared is passed over for a new one."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first = shown.write_page("<p>", "x", None)
    first.parent.chmod(0o777)
    assert first.parent != shown.write_page("<p>", "x", None).parent


def test_out_chooses_the_file(ragvl: Any, library: Any, tmp_path: Path) -> None:
    """`--out` implies `--show` and names the file; JSON names it, too."""
    page = tmp_path / "page.html"
    written = json.loads(ragvl("search", "x", "--json", "--out", str(page)).stdout)
    assert str(page) == written["shown"]
    assert page.is_file()


@pytest.mark.parametrize(
    ("terminal", "environment", "opened"),
    [
        (True, {"DISPLAY": ":0"}, True),
        (True, {}, False),
        (False, {"DISPLAY": ":0"}, False),
        (True, {"DISPLAY": ":0", "CI": "true"}, False),
        (True, {"DISPLAY": ":0", "SSH_CONNECTION": "1"}, False),
    ],
)
def test_browser_opens_only_before_a_screen(
    ragvl: Any,
    library: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    terminal: bool,
    environment: dict[str, str],
    opened: bool,
) -> None:
    """The page is opened where stdout is a terminal on a machine with a display, and nowhere else."""
    uris: list[str] = []
    monkeypatch.setattr("webbrowser.open", uris.append)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "CI", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ragvl("search", "x", "--show")
    assert opened == bool(uris)
    assert all(uri.startswith("file:///") for uri in uris)


def _never(_uri: str) -> None:
    raise AssertionError("no browser here")


def _replaced(hit: Any, *, path: str, text: str, heading: str) -> Any:
    from dataclasses import replace

    page = replace(hit.page, document=replace(hit.page.document, path=path))
    return replace(hit, page=page, passages=(replace(hit.passages[0], text=text, heading=heading),))
