"""Office files through LibreOffice, and through a program that stands in for it."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ragvl.errors import ReadError
from ragvl.indexers.readers.office import convert_to_pdf
from ragvl.types import DocumentStatus
from tests.hostile import GOOD_TEXT, docx, docx_bomb, good_pdf


def _stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a program named soffice on the PATH, and nothing else."""
    folder.mkdir()
    program = folder / "soffice"
    program.write_text(f"#!{sys.executable}\nimport os, pathlib, sys, time\n{textwrap.dedent(body)}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.fspath(folder))


_CONVERT = """
source = pathlib.Path(sys.argv[-1])
out = pathlib.Path(sys.argv[sys.argv.index("--outdir") + 1])
(out / (source.stem + ".pdf")).write_bytes(pathlib.Path(os.environ["MADE"]).read_bytes())
(out / "arguments").write_text("\\n".join(sys.argv))
"""


def _document(folder: Path, name: str = "report.docx") -> Path:
    path = folder / name
    path.write_bytes(docx())
    return path


def test_a_conversion_has_its_own_profile_and_runs_no_macros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's own LibreOffice is not touched, and an odd file name never reaches the command line."""
    _stand_in(tmp_path / "bin", monkeypatch, _CONVERT)
    (tmp_path / "made.pdf").write_bytes(good_pdf())
    monkeypatch.setenv("MADE", os.fspath(tmp_path / "made.pdf"))
    (tmp_path / "out").mkdir()
    converted = convert_to_pdf(_document(tmp_path, "-o\nx ü.docx"), tmp_path / "out", 30)
    arguments = (tmp_path / "out" / "arguments").read_text().splitlines()
    settings = (tmp_path / "out" / "profile" / "user" / "registrymodifications.xcu").read_text()
    assert good_pdf() == converted.read_bytes()
    assert "--headless" in arguments
    assert f"-env:UserInstallation={(tmp_path / 'out' / 'profile').as_uri()}" in arguments
    assert os.fspath(tmp_path / "out" / "document.docx") == arguments[-1]
    assert '"DisableMacrosExecution" oor:op="fuse"><value>true' in settings


def test_without_libreoffice_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user learns what to install."""
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(ReadError, match="install LibreOffice") as caught:
        convert_to_pdf(_document(tmp_path), tmp_path, 30)
    assert DocumentStatus.UNSUPPORTED is caught.value.status


def test_a_conversion_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LibreOffice's programs start others; none of them survives the deadline."""
    body = f"""
    os.fork()
    (pathlib.Path({os.fspath(tmp_path / "pids")!r}) / str(os.getpid())).touch()
    time.sleep(60)
    """
    (tmp_path / "pids").mkdir()
    (tmp_path / "out").mkdir()
    _stand_in(tmp_path / "bin", monkeypatch, body)
    with pytest.raises(ReadError) as caught:
        convert_to_pdf(_document(tmp_path), tmp_path / "out", 2)
    assert DocumentStatus.TIMEOUT is caught.value.status
    pids = [int(path.name) for path in (tmp_path / "pids").iterdir()]
    assert len(pids) == 2
    assert _gone(pids)


def test_a_conversion_that_makes_nothing_is_corrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LibreOffice ends with 0 whatever happens; what counts is the PDF."""
    _stand_in(tmp_path / "bin", monkeypatch, "sys.exit(0)")
    (tmp_path / "out").mkdir()
    with pytest.raises(ReadError) as caught:
        convert_to_pdf(_document(tmp_path), tmp_path / "out", 30)
    assert DocumentStatus.CORRUPT is caught.value.status


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the archive says it holds is believed."""
    _stand_in(tmp_path / "bin", monkeypatch, "raise SystemExit(3)")
    (tmp_path / "bomb.docx").write_bytes(docx_bomb())
    with pytest.raises(ReadError) as caught:
        convert_to_pdf(tmp_path / "bomb.docx", tmp_path, 30)
    assert DocumentStatus.TOO_LARGE is caught.value.status


@pytest.mark.office
@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_libreoffice_converts_a_document(tmp_path: Path) -> None:
    """The real program, with our settings, makes a PDF that holds the text."""
    from ragvl.indexers.readers.pdfium import PdfiumReader

    (tmp_path / "out").mkdir()
    converted = convert_to_pdf(_document(tmp_path), tmp_path / "out", 60)
    with PdfiumReader().open(converted, password=None, max_pixels=1_000_000) as document:
        page = document.read_page(1)
    words = [word.text for block in page.blocks for line in block.lines for word in line.words]
    assert GOOD_TEXT.split() == words


def _gone(pids: list[int], within_s: float = 3) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
