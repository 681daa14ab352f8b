"""Office files: LibreOffice turns them into PDF, PyMuPDF reads that."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ragvl.errors import ReadError
from ragvl.indexers.readers.archives import check_archive
from ragvl.indexers.readers.media import media_type_of, usual_suffix
from ragvl.protocols import OpenDocument
from ragvl.types import DocumentStatus

_PROGRAMS = ("soffice", "libreoffice", "/Applications/LibreOffice.app/Contents/MacOS/soffice")
_MAX_UNPACKED_BYTES = 512 * 1024 * 1024
_TIMEOUT_S = 60.0

# No macro runs, no linked file or address is loaded.
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop>
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop>
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop>
</item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>0</value></prop>
</item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>2</value></prop>
</item>
</oor:items>
"""
_NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy", "ftp_proxy", "all_proxy"), "http://127.0.0.1:9")


class OfficeReader:
    """Reader for documents, slides and sheets of Microsoft Office and OpenDocument."""

    @contextmanager
    def open(self, path: Path, *, password: str | None, max_pixels: int) -> Iterator[OpenDocument]:
        """
        Convert a file and open the result.

        Raises:
            ReadError: UNSUPPORTED without LibreOffice; TOO_LARGE, TIMEOUT or CORRUPT.
        """
        from ragvl.indexers.readers.mupdf import MuPdfReader

        with tempfile.TemporaryDirectory(prefix="ragvl-office-") as folder:
            converted = convert_to_pdf(path, Path(folder), _TIMEOUT_S)
            with MuPdfReader().open(converted, password=password, max_pixels=max_pixels) as document:
                yield document


def convert_to_pdf(path: Path, folder: Path, timeout_s: float) -> Path:
    """
    Convert an office file with LibreOffice.

    Args:
        folder: an empty folder of this conversion's own; profile and result are put there.
        timeout_s: after which LibreOffice and all its children are ended.

    Returns:
        The PDF, inside `folder`.

    Raises:
        ReadError: UNSUPPORTED without LibreOffice; TOO_LARGE, TIMEOUT or CORRUPT.
    """
    check_archive(path, _MAX_UNPACKED_BYTES)
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        raise ReadError(
            DocumentStatus.UNSUPPORTED,
            "office files are read through LibreOffice, which is not installed; install LibreOffice "
            "(the command soffice must be on the PATH) or save the file as PDF",
        )
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_SETTINGS, encoding="utf-8")
    # A plain name in a folder of our own: no odd characters, no leading dash, no lock file beside the original.
    source = folder / f"document{usual_suffix(media_type_of(path))}"
    source.symlink_to(path.absolute())
    command = [
        program,
        f"-env:UserInstallation={profile.as_uri()}",
        *("--headless", "--norestore", "--nologo", "--nodefault", "--nofirststartwizard", "--nolockcheck"),
        *("--convert-to", "pdf", "--outdir", str(folder), str(source)),
    ]
    _run(command, timeout_s)
    result = source.with_suffix(".pdf")
    if not result.is_file() or not result.stat().st_size:
        raise ReadError(DocumentStatus.CORRUPT, "LibreOffice could not convert it")
    return result


def _run(command: list[str], timeout_s: float) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(__file__).with_name("supervise.py")), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **_NO_NETWORK},
        start_new_session=True,
    )
    try:
        supervisor.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise ReadError(DocumentStatus.TIMEOUT, f"LibreOffice took longer than {timeout_s:g} s") from None
    finally:
        # Whatever is left of the session goes, also when LibreOffice ended and a child of it did not.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(supervisor.pid, signal.SIGKILL)
        supervisor.wait()
        if supervisor.stdin:
            supervisor.stdin.close()
