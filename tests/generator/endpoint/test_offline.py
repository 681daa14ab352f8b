"""With the default profile nothing leaves the machine, and what talks to servers is not even imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import socket, sys
from pathlib import Path

def forbidden(self, address, *rest):
    if self.family != socket.AF_UNIX:
        raise SystemExit(f"a connection to {address}")
    return connect(self, address)

def looked_up(host, *rest, **more):
    raise SystemExit(f"a name was looked up: {host}")

connect = socket.socket.connect
socket.socket.connect = socket.socket.connect_ex = forbidden
socket.getaddrinfo = socket.gethostbyname = looked_up

import ragvl
from ragvl.testing import write_documents

def main():
    folder = Path(sys.argv[1])
    write_documents(folder, {"crane.txt": "The crane lifts forty tonnes.", "dredger.pdf": ["The dredger is idle."]})
    with ragvl.open(folder / ".ragvl") as library:
        report = library.index(folder)
        assert not report.failed, report
        assert library.search("crane")
        assert library.ask("How much does the crane lift?").text
    loaded = sorted(name for name in ("httpx2", "httpx", "ragvl.generator.endpoint") if name in sys.modules)
    if loaded:
        raise SystemExit(f"imported: {loaded}")

if __name__ == "__main__":
    main()
"""


def _run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = folder / "program.py"
    script.write_text(program, encoding="utf-8")
    documents = folder / "documents"
    documents.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAGVL_")}
    return subprocess.run(
        [sys.executable, str(script), str(documents)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=300,
    )


def test_nothing_leaves_the_machine(tmp_path: Path) -> None:
    """Indexing, searching and asking, where every connection but a local pipe ends the program."""
    done = _run(_PROGRAM, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_guard_sees_a_connection(tmp_path: Path) -> None:
    """The same program with the profile for servers is stopped at its first connection."""
    asking = _PROGRAM.replace('folder / ".ragvl")', 'folder / ".ragvl", profile="endpoint")')
    done = _run(asking, tmp_path)
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr


@pytest.mark.parametrize("module", ["ragvl", "ragvl.cli", "ragvl.library", "ragvl.generator.extractive"])
def test_the_client_is_imported_late(module: str) -> None:
    """Only the generator that talks to servers brings the library for it."""
    code = f"import sys, {module}; sys.exit('httpx2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
