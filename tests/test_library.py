"""The facade, with the real reading processes and the encoder that ships with ragvl."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import ragvl
from ragvl.errors import (
    ConfigError,
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexNotFoundError,
)
from ragvl.indexers.store.database import open_database, write_settings
from ragvl.library import Library, find_index
from ragvl.testing import HashEncoder, write_documents
from ragvl.types import Answer, TextDelta
from tests.reliability.harness import make_file, open_library, open_writer, put

DOCUMENTS = {
    "port/cranes.pdf": [
        "Annual report of the port\nThe port authority runs nine cranes.",
        "Equipment\nThe large harbour crane lifts forty tonnes at a reach of thirty metres.",
    ],
    "port/tides.md": "# Tides\n\nHigh water at the north pier is at 06:40 on Monday.\n",
    "menu.txt": "Soup of the day: tomato with basil. The kitchen closes at nine.\n",
}
QUESTION = "How much can the large harbour crane lift?"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder whose documents are indexed; tests that change it take a copy."""
    project = tmp_path_factory.mktemp("project")
    write_documents(project / "docs", DOCUMENTS)
    for path, day in (("port/cranes.pdf", 3), ("port/tides.md", 2), ("menu.txt", 1)):
        seconds = datetime(2020, 1, day, tzinfo=UTC).timestamp()
        os.utime(project / "docs" / path, (seconds, seconds))
    with ragvl.open(project / ".ragvl") as library:
        report = library.index(project / "docs")
    assert (report.pages, report.failed) == (4, ())
    return project


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return shutil.copytree(made, tmp_path / "project")


@pytest.fixture(scope="module")
def library(made: Path) -> Iterator[Library]:
    """The library, to be read only."""
    with ragvl.open(made / ".ragvl") as opened:
        yield opened


# --- search and ask -------------------------------------------------------------------------------


def test_search_finds_the_page(library: Library) -> None:
    """By both lanes, with the passage and its boxes, and the same list each time."""
    hits = library.search(QUESTION)
    best = hits[0]
    assert (best.page.document.path, best.page.number) == ("docs/port/cranes.pdf", 2)
    assert sorted(lane.lane for lane in best.lanes) == ["lexical", "text"]
    assert "forty tonnes" in best.passages[0].text
    assert best.passages[0].boxes_pt
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert library.search(QUESTION) == hits


def test_search_understands_other_words(library: Library) -> None:
    """A question that shares no word with the page is found by meaning."""
    assert (
        library.search("When does the restaurant stop serving food?")[0].page.document.path == "docs/menu.txt"
    )


def test_k_limits_the_hits(library: Library) -> None:
    """At least one must be asked for, of some words."""
    assert [len(library.search("port crane tide soup", k=k)) for k in (1, 3, 50)] == [1, 3, 4]
    with pytest.raises(ValueError, match="at least 1"):
        library.search("crane", k=0)
    with pytest.raises(ValueError, match="empty"):
        library.search("  ")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"path": "docs/port/*"}, {"cranes.pdf", "tides.md"}),
        ({"path": "menu.txt"}, {"menu.txt"}),
        ({"path": ["*.md", "*.txt"]}, {"tides.md", "menu.txt"}),
        ({"media_type": "application/pdf"}, {"cranes.pdf"}),
        ({"modified_from": "2020-01-02"}, {"cranes.pdf", "tides.md"}),
        ({"modified_from": "2020-01-02", "modified_until": "2020-01-02"}, {"tides.md"}),
        ({"path": "nothing/*"}, set()),
    ],
)
def test_filters_hold(library: Library, where: dict[str, Any], found: set[str]) -> None:
    """Whatever the query, only documents that pass are found."""
    hits = library.search("crane tide soup port", where=where)
    assert {hit.page.document.path.rpartition("/")[2] for hit in hits} == found


def test_an_unknown_filter_is_an_error(library: Library) -> None:
    """With the nearest known one."""
    with pytest.raises(ValueError, match="did you mean 'path'"):
        library.search("crane", where={"paht": "x"})


def test_ask_answers_with_a_citation(library: Library) -> None:
    """The quote stands on the page that is cited, with its place."""
    answer = library.ask(QUESTION)
    assert not answer.refused
    assert "forty tonnes" in answer.text
    (citation, *_) = answer.citations
    assert (citation.document.path, citation.page_number, citation.verified) == (
        "docs/port/cranes.pdf",
        2,
        True,
    )
    assert all(region.page_number == 2 for region in citation.regions)
    assert (answer.question, answer.hits) == (QUESTION, tuple(library.search(QUESTION)))
    assert set(answer.timings_s) == {"search", "context", "answer"}


def test_ask_stream_ends_with_the_answer(library: Library) -> None:
    """The pieces together are its text."""
    *pieces, answer = library.ask_stream(QUESTION)
    assert isinstance(answer, Answer)
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == answer.text


def test_documents_are_listed_in_the_order_of_paths(library: Library) -> None:
    """With what is known of them."""
    listed = library.documents()
    assert [document.path for document in listed] == [
        "docs/menu.txt",
        "docs/port/cranes.pdf",
        "docs/port/tides.md",
    ]
    assert [(document.page_count, document.status) for document in listed] == [
        (1, "ok"),
        (2, "ok"),
        (1, "ok"),
    ]
    assert listed[0].modified_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_another_process_finds_the_same(made: Path, library: Library) -> None:
    """Search does not depend on who indexed, nor on what the process did before."""
    code = (
        "import json, sys, ragvl\n"
        "hits = ragvl.open(sys.argv[1]).search(sys.argv[2])\n"
        "print(json.dumps([[hit.page.document.path, hit.page.number, hit.score] for hit in hits]))"
    )
    command = [sys.executable, "-c", code, str(made / ".ragvl"), QUESTION]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    hits = library.search(QUESTION)
    assert json.loads(told) == [[hit.page.document.path, hit.page.number, hit.score] for hit in hits]


# --- keeping it in step ---------------------------------------------------------------------------


def test_index_again_brings_it_in_step(project: Path) -> None:
    """Changed, added, removed and unchanged in one run, found at once by a library that was open before."""
    with ragvl.open(project / ".ragvl") as library:
        before = library.search("soup")[0]
        (project / "docs" / "menu.txt").write_text("Soup of the day: leek and potato.\n")
        (project / "docs" / "port" / "tides.md").unlink()
        write_documents(project / "docs", {"ferry.pdf": ["The ferry to the island leaves at noon."]})
        report = library.index(project / "docs")
        assert (report.added, report.updated, report.removed, report.unchanged) == (
            ("docs/ferry.pdf",),
            ("docs/menu.txt",),
            ("docs/port/tides.md",),
            1,
        )
        assert "tomato" in before.page.text
        assert "leek" in library.search("soup")[0].page.text
        assert library.search("When does the ferry leave?")[0].page.document.path == "docs/ferry.pdf"
        assert not library.verify().damages


def test_remove_takes_documents_out(project: Path) -> None:
    """By a glob or the end of a path; what is not there is an error, and nothing happens."""
    with ragvl.open(project / ".ragvl") as library:
        with pytest.raises(ValueError, match="ragvl list"):
            library.remove("nothing.pdf")
        assert [document.path for document in library.remove("cranes.pdf")] == ["docs/port/cranes.pdf"]
        assert all(hit.page.document.path != "docs/port/cranes.pdf" for hit in library.search(QUESTION))
        assert [document.path for document in library.remove("docs/*")] == [
            "docs/menu.txt",
            "docs/port/tides.md",
        ]
        assert (library.documents(), library.search(QUESTION)) == ([], [])
        assert library.ask(QUESTION).refused
        assert library.compact() > 0
        assert not library.verify().damages
    assert (project / "docs" / "menu.txt").exists()


def test_compact_changes_no_result(project: Path) -> None:
    """The same hits, before, after, and for a library that was open all the time."""
    with ragvl.open(project / ".ragvl") as library:
        library.remove("menu.txt")
        before = library.search(QUESTION)
        library.compact()
        assert library.search(QUESTION) == before
        assert not library.verify().damages


def test_a_damaged_segment_is_repaired(project: Path) -> None:
    """Until then the other lane answers; afterwards the results are those of before."""
    with ragvl.open(project / ".ragvl") as library:
        before = library.search(QUESTION)
    segment = next((project / ".ragvl").rglob("*.seg"))
    content = bytearray(segment.read_bytes())
    content[-1] ^= 1
    segment.write_bytes(content)
    with ragvl.open(project / ".ragvl") as library:
        assert {lane.lane for hit in library.search(QUESTION) for lane in hit.lanes} == {"lexical"}
        assert [damage.file for damage in library.verify().damages] == [f"segments/text/{segment.name}"]
        assert not library.verify(repair=True).damages
        assert library.search(QUESTION) == before


def test_a_damaged_database_is_told(project: Path) -> None:
    """By opening, searching or verifying, whichever meets it; repairing it is not pretended."""
    path = project / ".ragvl" / "ragvl.db"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with ragvl.open(project / ".ragvl") as library:
        assert [damage.file for damage in library.verify(repair=True).damages][:1] == ["ragvl.db"]
    path.write_bytes(content[:8192] + bytes(len(content) - 8192))
    with (
        pytest.raises(IndexDamagedError, match="Nothing was deleted"),
        ragvl.open(project / ".ragvl") as library,
    ):
        library.search(QUESTION)


# --- opening --------------------------------------------------------------------------------------


def test_without_an_index_everything_says_what_to_do(tmp_path: Path) -> None:
    """Opening makes nothing; each use names `ragvl index`."""
    with ragvl.open(tmp_path / ".ragvl", encoder=HashEncoder()) as library:
        for use in (
            lambda: library.search("x"),
            library.documents,
            library.verify,
            library.compact,
            lambda: library.remove("x"),
        ):
            with pytest.raises(IndexNotFoundError, match="ragvl index"):
                use()
        with pytest.raises(ValueError, match="at least one"):
            library.index()
        with pytest.raises(FileNotFoundError):
            library.index(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_the_index_is_found_upward(made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As git finds its own; the environment overrides it; elsewhere it is a new one here."""
    monkeypatch.delenv("RAGVL_INDEX", raising=False)
    assert find_index(made / "docs" / "port") == made / ".ragvl"
    assert find_index(tmp_path) == tmp_path / ".ragvl"
    monkeypatch.setenv("RAGVL_INDEX", str(made / ".ragvl"))
    assert find_index(tmp_path) == made / ".ragvl"


@pytest.fixture
def hashed(tmp_path: Path) -> Path:
    """An index made with the hash encoder, without reading files."""
    with open_writer(tmp_path / ".ragvl") as writer, writer.batch() as batch:
        put(batch, "crane.txt", "The crane lifts forty tonnes.")
    return tmp_path / ".ragvl"


OTHER_SETTINGS = {
    "reading.ocr.pages": {"reading": {"ocr": {"pages": False}}},
    "reading.ocr.figures": {"reading": {"ocr": {"figures": False}}},
    "reading.ocr.dpi": {"reading": {"ocr": {"dpi": 200.0}}},
    "reading.ocr.min_figure_share": {"reading": {"ocr": {"min_figure_share": 0.2}}},
    "passages.target_words": {"passages": {"target_words": 99}},
    "passages.max_words": {"passages": {"max_words": 199}},
}


@pytest.mark.parametrize("field", sorted(OTHER_SETTINGS))
def test_other_settings_are_refused(hashed: Path, field: str) -> None:
    """Indexing names the field, both values and the remedy; searching does not mind how files are read."""
    with ragvl.open(hashed, overrides=OTHER_SETTINGS[field], encoder=HashEncoder()) as library:
        with pytest.raises(IndexMismatchError, match=rf"{field} is .* in the index and .* now\. .*--index"):
            library.index(hashed.parent)
        assert len(library.search("crane")) == 1


@pytest.mark.parametrize(
    ("field", "encoder"),
    [
        ("text.encoder", HashEncoder(name="other")),
        ("text.fingerprint", HashEncoder(fingerprint="other weights")),
        ("text.dimension", HashEncoder(dimension=32)),
    ],
)
def test_another_encoder_is_refused(hashed: Path, field: str, encoder: HashEncoder) -> None:
    """By searching as by indexing: vectors of two spaces cannot be compared."""
    with ragvl.open(hashed, encoder=encoder) as library:
        for use in (lambda: library.search("crane"), lambda: library.index(hashed.parent)):
            with pytest.raises(
                IndexMismatchError, match=rf"{field} is .* in the index and .* now\. .*--index"
            ):
                use()
        assert len(library.documents()) == 1


def test_an_encoder_of_ones_own_must_be_brought_again(hashed: Path) -> None:
    """Its name alone does not say where it is."""
    with (
        ragvl.open(hashed) as library,
        pytest.raises(ConfigError, match="no text encoder named 'hash'"),
    ):
        library.search("crane")
    with ragvl.open(hashed, encoder=HashEncoder()) as library:
        assert library.config.text.encoder == "hash"
        assert library.search("crane")[0].page.document.path == "crane.txt"


def test_a_newer_format_is_refused(hashed: Path) -> None:
    """Before anything else is read."""
    connection = open_database(hashed, writable=True)
    write_settings(connection, {"format_version": 99})
    connection.close()
    with pytest.raises(IndexMismatchError, match="format_version is 99, this ragvl reads 2. Upgrade ragvl"):
        ragvl.open(hashed, encoder=HashEncoder())


def test_a_second_writer_is_refused_at_once(hashed: Path) -> None:
    """Within a second, by every way to write; reading goes on."""
    with open_library(hashed) as library, open_writer(hashed):
        for use in (
            lambda: library.index(hashed.parent),
            library.compact,
            lambda: library.remove("crane.txt"),
        ):
            began = time.monotonic()
            with pytest.raises(IndexLockedError, match=f"process {os.getpid()}"):
                use()
            assert time.monotonic() - began < 1
        assert len(library.search("crane")) == 1


# --- at the same time -----------------------------------------------------------------------------


def test_threads_search_while_one_writes(hashed: Path) -> None:
    """Every search finds both halves of a pair by both lanes, or neither, through commits, merges and compactions."""
    stop = threading.Event()
    with open_library(hashed) as library:

        def search() -> int:
            searches = 0
            while not stop.is_set():
                newest = max((int(path.rpartition("-")[2]) for path in _pairs(library)), default=0)
                hits = library.search(f"pair{newest}", k=5)
                found = [hit for hit in hits if f"pair{newest} " in hit.page.text]
                assert len(found) in (0, 2)
                assert all(len(hit.lanes) == 2 for hit in found)
                searches += 1
            return searches

        with ThreadPoolExecutor(3) as pool:
            threads = [pool.submit(search) for _ in range(3)]
            try:
                _write_pairs(library)
            finally:
                stop.set()
            assert all(thread.result() > 3 for thread in threads)
        assert not library.verify().damages


def _pairs(library: Library) -> list[str]:
    pairs = [document.path for document in library.documents() if "-" in document.path]
    names = [path.rpartition("-")[2] for path in pairs]
    assert all(names.count(name) == 2 for name in names)
    return pairs


def _write_pairs(library: Library) -> None:
    for start in range(0, 40, 10):
        with open_writer(library.folder) as writer:
            for number in range(start, start + 10):
                with writer.batch() as batch:
                    for half in ("left", "right"):
                        put(batch, f"{half}-{number}", f"pair{number} stands {half}")
                        batch.drop_file(f"{half}-{number - 15}".encode())
            writer.tidy()
        library.compact()


def test_a_closed_library_opens_again(hashed: Path) -> None:
    """Closing twice is harmless; a search afterwards opens the index anew."""
    library = open_library(hashed)
    library.search("crane")
    library.close()
    library.close()
    assert len(library.search("crane")) == 1
    library.close()
    assert not list(hashed.glob("*-wal"))


def test_page_images_come_from_the_indexed_content_only(project: Path) -> None:
    """A file that changed since is not shown in the name of what was indexed."""
    with ragvl.open(project / ".ragvl") as library:
        document = next(d for d in library.documents() if d.path.endswith(".pdf"))
        image = library.page_image(document, 2)
        assert image is not None
        assert image.startswith(b"RIFF")
        (project / "docs" / "port" / "cranes.pdf").write_bytes(b"%PDF-1.7 something else")
        assert library.page_image(document, 2) == image
        assert library.page_image(document, 1) is None


def test_copies_answer_to_a_filter_by_any_of_their_paths(hashed: Path) -> None:
    """A document is listed under the first of its paths."""
    with open_writer(hashed) as writer, writer.batch() as batch:
        batch.put_file(make_file("archive/hoist.txt", writer.files()[b"crane.txt"].document_id))
    with open_library(hashed) as library:
        (hit,) = library.search("crane", where={"path": "crane.txt"})
        assert hit.page.document.path == "archive/hoist.txt"
        assert library.search("hoist")[0].page.id == hit.page.id
