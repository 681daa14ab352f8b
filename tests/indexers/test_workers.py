"""Reading in worker processes: what is lost, what is kept, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ragvl.config import OcrConfig, PassageConfig, ReadingConfig
from ragvl.errors import RagvlError, ReadError
from ragvl.indexers.readers.media import media_type_of
from ragvl.indexers.workers import DocumentRead, ReadingPool, ReadRequest
from ragvl.types import DocumentStatus, TextSource
from tests.hostile import (
    GOOD_TEXT,
    comic,
    docx,
    epub,
    good_pdf,
    locked_pdf,
    make_page_pdf,
    make_pdf,
    make_stream,
    nested_forms,
    show_text,
    svg,
)
from tests.indexers.conftest import ReadOne


def test_a_document_comes_back_whole(tmp_path: Path, read_one: ReadOne) -> None:
    """Forty pages go through several tasks and come back in their order, with a title."""
    (tmp_path / "a.pdf").write_bytes(
        make_page_pdf(show_text("Handbook", size=30, y=750) + show_text("word"), pages=40)
    )
    read = read_one(tmp_path / "a.pdf")
    assert (read.status, read.reason) == (DocumentStatus.OK, "")
    assert list(range(1, 41)) == [page.number for page in read.pages]
    assert (read.page_count, read.title) == (40, "Handbook")
    assert {TextSource.LAYER} == {page.text_source for page in read.pages}


def test_a_password_opens_what_it_locks(tmp_path: Path, read_one: ReadOne) -> None:
    """Without it the document is `locked`; PyMuPDF makes one that the right password opens."""
    made = (
        "import pymupdf; d = pymupdf.open(); d.new_page().insert_text((72, 72), 'secret plans'); "
        f"d.save({os.fspath(tmp_path / 'a.pdf')!r}, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw='open sesame')"
    )
    subprocess.run([sys.executable, "-c", made], check=True)
    (tmp_path / "b.pdf").write_bytes(locked_pdf())
    assert DocumentStatus.LOCKED is read_one(tmp_path / "a.pdf").status
    assert DocumentStatus.LOCKED is read_one(tmp_path / "a.pdf", "wrong").status
    assert DocumentStatus.LOCKED is read_one(tmp_path / "b.pdf").status
    assert read_one(tmp_path / "a.pdf", "open sesame").pages[0].text == "secret plans"


@pytest.mark.parametrize(
    ("name", "content", "title", "pages", "text"),
    [
        ("a.epub", epub(), "The harbour book", 1, f"Cranes {GOOD_TEXT}"),
        ("a.cbz", comic(), "", 2, ""),
    ],
)
def test_what_else_mupdf_opens_is_read(
    tmp_path: Path, read_one: ReadOne, name: str, content: bytes, title: str, pages: int, text: str
) -> None:
    """E-books, drawings and comics are documents too."""
    (tmp_path / name).write_bytes(content)
    read = read_one(tmp_path / name)
    assert (DocumentStatus.OK, pages) == (read.status, read.page_count), read.reason
    assert text == " ".join(" ".join(page.text for page in read.pages).split())
    assert not title or title == read.title


def test_what_a_drawing_refers_to_is_not_fetched(
    tmp_path: Path, read_one: ReadOne, capfd: pytest.CaptureFixture[str]
) -> None:
    """A picture at an address is left out, the document says so, and nothing is printed."""
    (tmp_path / "a.svg").write_bytes(svg())
    read = read_one(tmp_path / "a.svg")
    assert read.status is DocumentStatus.PARTIAL
    assert "ignoring external image" in read.reason
    assert read.pages[0].text == GOOD_TEXT
    assert capfd.readouterr() == ("", "")


def test_a_page_is_drawn_in_a_worker(tmp_path: Path, pool: ReadingPool) -> None:
    """The picture is WebP; a page that does not exist is an error of that document."""
    (tmp_path / "a.pdf").write_bytes(good_pdf())
    (tmp_path / "a.md").write_text("# Heading\n\ntext 港\n")
    for name in ("a.pdf", "a.md"):
        image = pool.render(tmp_path / name, media_type_of(tmp_path / name), 1, dpi=50)
        assert image[8:12] == b"WEBP"
    with pytest.raises(ReadError, match="no page 2"):
        pool.render(tmp_path / "a.pdf", "application/pdf", 2, dpi=50)


def test_a_temporary_folder_with_too_long_a_path_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the first process fails with an error that says nothing."""
    folder = "/tmp/" + "x" * 90
    monkeypatch.setattr("tempfile.tempdir", folder)
    with pytest.raises(RagvlError, match=f"{folder}; set TMPDIR"):
        ReadingPool(ReadingConfig(), PassageConfig())


def test_requests_are_taken_as_the_consumer_takes_results(tmp_path: Path, pool: ReadingPool) -> None:
    """A thousand documents are not opened ahead of a slow consumer."""
    (tmp_path / "a.pdf").write_bytes(good_pdf())
    taken = []

    def requests() -> object:
        for key in range(1000):
            taken.append(key)
            yield ReadRequest(key, tmp_path / "a.pdf", "application/pdf")

    progress: list[tuple[int, int]] = []
    reading = pool.read(requests(), lambda key, pages, _: progress.append((key, pages)))  # type: ignore[arg-type]
    first = [next(reading) for _ in range(3)]
    reading.close()  # type: ignore[attr-defined] # a generator
    assert {DocumentStatus.OK} == {read.status for read in first}
    assert len(taken) < 12
    assert (first[0].key, 1) in progress


def test_only_the_bad_page_is_lost(tmp_path: Path) -> None:
    """A page that never returns costs its deadline, not the pages beside it."""
    (tmp_path / "a.pdf").write_bytes(_one_bad_page_of(5))
    read = _read(tmp_path / "a.pdf", page_timeout_s=1.5)
    assert DocumentStatus.PARTIAL is read.status
    assert [page.number for page in read.pages] == [1, 2, 4, 5]
    assert "1 of 5 pages not read (3): timeout" in read.reason


def test_a_document_of_bad_pages_only_is_not_read(tmp_path: Path) -> None:
    """When no page survives, the document has the status of its pages."""
    (tmp_path / "a.pdf").write_bytes(_one_bad_page_of(4, bad={0, 1, 2, 3}))
    read = _read(tmp_path / "a.pdf", page_timeout_s=0.5)
    assert read.status is DocumentStatus.TIMEOUT
    assert (read.page_count, read.pages) == (4, ())


def test_ocr_works_within_the_memory_of_a_worker(tmp_path: Path) -> None:
    """The limit leaves the engine room."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (900, 300), "white")
    ImageDraw.Draw(image).text(
        (40, 100), "Harbour crane 6,779", fill="black", font=ImageFont.load_default(48)
    )
    image.save(tmp_path / "a.png")
    config = ReadingConfig(workers=1, worker_memory_mb=1024)
    with ReadingPool(config, PassageConfig()) as pool:
        (read,) = pool.read([ReadRequest(1, tmp_path / "a.png", "image/png")])
    assert read.pages[0].text == "Harbour crane 6,779"
    assert TextSource.OCR is read.pages[0].text_source


_SCRIPT = """
import pathlib, signal, sys
# A shell starts background jobs with SIGINT ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
from ragvl.config import OcrConfig, PassageConfig, ReadingConfig
from ragvl.indexers.workers import ReadingPool, ReadRequest
config = ReadingConfig(workers=2, document_timeout_s=60, page_timeout_s=60, ocr=OcrConfig(pages=False, figures=False))
with ReadingPool(config, PassageConfig()) as pool:
    requests = [ReadRequest(i, pathlib.Path(name), sys.argv[1]) for i, name in enumerate(sys.argv[2:])]
    print("begun", flush=True)
    for read in pool.read(requests):
        print(read.status, flush=True)
heavy = {"pymupdf", "pypdfium2", "rapidocr", "openvino", "onnxruntime", "cv2"} & set(sys.modules)
print("imported", sorted(heavy))
"""


def test_a_script_without_a_guard_can_read(tmp_path: Path) -> None:
    """No `if __name__ == "__main__"` is needed, and nothing heavy is imported beside the workers."""
    (tmp_path / "script.py").write_text(_SCRIPT)
    (tmp_path / "a.pdf").write_bytes(good_pdf())
    command = [sys.executable, "script.py", "application/pdf", "a.pdf"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == ["begun", "ok", "imported []"]
    assert done.stderr == ""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_nothing_outlives_its_parent(tmp_path: Path, blow: signal.Signals) -> None:
    """Workers that hang in a parser are gone when their parent is, however it goes, and are silent about it."""
    (tmp_path / "script.py").write_text(_SCRIPT)
    (tmp_path / "a.pdf").write_bytes(nested_forms())
    command = [sys.executable, "script.py", "application/pdf", "a.pdf", "a.pdf"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as parent:
        assert _until(lambda: _busy_in(parent.pid) >= 2)
        below = _session(parent.pid)
        os.killpg(parent.pid, blow) if blow is signal.SIGINT else os.kill(parent.pid, blow)
        _, errors = parent.communicate(timeout=20)
    assert len(below) >= 4
    assert _until(lambda: not _session(parent.pid))
    assert errors.count(b"Traceback") <= 1


def test_libreoffice_does_not_outlive_a_killed_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conversion is ended by the end of the worker that asked for it."""
    program = tmp_path / "soffice"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "script.py").write_text(_SCRIPT)
    (tmp_path / "a.docx").write_bytes(docx())
    media_type = media_type_of(tmp_path / "a.docx")
    with subprocess.Popen(
        [sys.executable, "script.py", media_type, "a.docx"], cwd=tmp_path, stdout=subprocess.PIPE
    ) as parent:
        assert _until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "")
        converter = int((tmp_path / "pid").read_text())
        assert _runs(converter)
        parent.kill()
    assert _until(lambda: not _runs(converter))


def _read(path: Path, *, page_timeout_s: float) -> DocumentRead:
    config = ReadingConfig(
        workers=1,
        document_timeout_s=10,
        page_timeout_s=page_timeout_s,
        ocr=OcrConfig(pages=False, figures=False),
    )
    with ReadingPool(config, PassageConfig()) as pool:
        (read,) = pool.read([ReadRequest(1, path, "application/pdf")])
    return read


def _one_bad_page_of(count: int, bad: set[int] | None = None) -> bytes:
    """A PDF of which some pages (the third, if none are named) draw forms within forms without end."""
    wrong = {2} if bad is None else bad
    forms = [
        make_stream(
            b"/X Do " * 10,
            b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >>"
            % (7 + level),
        )
        for level in range(10)
    ]
    last = make_stream(
        show_text("x"),
        b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F1 3 0 R >> >>",
    )
    pages = [
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources "
        b"<< /Font << /F1 3 0 R >> /XObject << /X 6 0 R >> >> >>" % (5 if index in wrong else 4)
        for index in range(count)
    ]
    kids = b" ".join(b"%d 0 R" % (17 + index) for index in range(count))
    return make_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            make_stream(show_text("good page")),
            make_stream(b"/X Do " * 10),
            *forms,
            last,
            *pages,
        ]
    )


def _until(holds: object, within_s: float = 10) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if holds():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def _stat(pid: str | int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _session(session: int) -> list[int]:
    """Processes of one session that are not zombies."""
    pids = [path.name for path in Path("/proc").iterdir() if path.name.isdecimal()]
    stats = {pid: _stat(pid) for pid in pids}
    return [int(pid) for pid, stat in stats.items() if stat and stat[3] == str(session) and stat[0] != "Z"]


def _busy_in(session: int) -> int:
    """Processes of one session that have computed for half a second."""
    return sum(int((_stat(pid) or ["0"] * 13)[11]) > 50 for pid in _session(session))


def _runs(pid: int) -> bool:
    stat = _stat(pid)
    return bool(stat) and stat[0] != "Z"
