"""
Kill indexing and compaction with SIGKILL at random moments, again and again; nothing acknowledged may be lost.

    python tests/reliability/kill_indexing.py --kills 200 --seed 1

A child process indexes a folder in small batches and notes each document that a commit has made durable, in a log
that it flushes to the disk. It is killed, its worker processes must end too, and a fresh process opens the index:
every noted document must be there and be found, and `verify` must find nothing. Then the child goes on. When the
index is complete, its results must equal those of a run that was never killed; then the child removes, compacts
and adds again under the same kills, until a new index is begun.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness import finish, make_documents, open_library, own_word, results

import ragvl.indexers.indexer
from ragvl.types import IndexProgress

_MARK = "RAGVL_KILL_TEST"
_BATCH_PASSAGES = 6
_ORPHANS_END_S = 10.0
_ROUNDS = 4  # of removing and compacting, before a new index is begun


# --- the child: index, or remove and compact; note what is done -----------------------------------


def work(index: Path, documents: Path, log: Path, churn: bool) -> None:
    """Do what is to be killed."""
    ragvl.indexers.indexer._BATCH_PASSAGES = _BATCH_PASSAGES
    with log.open("a", encoding="utf-8") as file, open_library(index) as library:

        def note(*lines: str) -> None:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())

        def note_commit(progress: IndexProgress) -> None:
            if progress.step == "commit":
                note(*(f"have {document.path}" for document in library.documents()))

        for _ in range(_ROUNDS if churn else 0):
            paths = [document.path for document in library.documents()]
            for path in paths[:: max(1, len(paths) // 5)]:
                note(f"removing {path}")
                library.remove(path)
                note(f"gone {path}")
            note("compacting")
            library.compact()
            note("adding")
            library.index(documents, progress=note_commit)
        if not churn:
            note("adding")
            library.index(documents, progress=note_commit)
        note("done")


# --- a fresh process that looks at what is left ---------------------------------------------------


def look(index: Path, present: list[str], absent: list[str]) -> dict[str, object]:
    """Open the index as any user would, and compare it with what was acknowledged."""
    if not (index / "ragvl.db").exists():
        return {"complaints": [f"no index, {len(present)} documents lost"] if present else [], "results": []}
    with open_library(index) as library:
        listed = {document.path for document in library.documents()}
        complaints = [f"lost: {path}" for path in present if path not in listed]
        complaints += [f"came back: {path}" for path in absent if path in listed]
        for path in set(present) & listed:
            found = library.search(own_word(path), k=3)
            lanes = {lane.lane for hit in found if hit.page.document.path == path for lane in hit.lanes}
            if lanes != {"image", "lexical", "text"}:
                complaints.append(f"{path} is found by {sorted(lanes)} only")
        complaints += [f"verify: {damage.file}: {damage.what}" for damage in library.verify().damages]
        return {"complaints": complaints, "results": results(library)}


# --- the parent: kill, count, compare -------------------------------------------------------------


@dataclass
class Expected:
    """What the log says: documents that must be there, and that must not; of the others nothing is known."""

    present: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    read_bytes: int = 0
    last: str = ""

    def follow(self, log: Path) -> None:
        """Take in what the child has written since; a torn last line was not acknowledged."""
        with log.open("rb") as file:
            file.seek(self.read_bytes)
            whole = file.read().rpartition(b"\n")[0]
        self.read_bytes += len(whole) + 1 if whole else 0
        for line in whole.decode().splitlines():
            self.last, _, path = line.partition(" ")
            if self.last == "have":
                self.present.add(path)
            elif self.last == "removing":
                self.present.discard(path)
            elif self.last == "gone":
                self.absent.add(path)
            elif self.last == "adding":
                self.absent.clear()


class Trial:
    """Kills one child after another over indexes of one folder of documents."""

    def __init__(self, scratch: Path, documents: int, seed: int) -> None:
        self.chance = random.Random(seed)
        self.documents = scratch / "documents"
        make_documents(self.documents, documents, seed)
        self.scratch = scratch
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self._begin("unbroken")
        self._run(churn=False, killed=False)
        self.unbroken = self._look()
        self._begin("0")

    def kill_one(self) -> None:
        """Start the child, kill it at a random moment, and look at the index."""
        churn = self.complete
        finished = not self._run(churn=churn, killed=True)
        self.counts["completed runs" if finished else "kills"] += 1
        if not finished:
            self.counts[f"kills while {self._doing()}"] += 1
        found = self._look()
        if finished and found != self.unbroken:
            self.failures.append(f"results differ from those of an unbroken run: {found}")
        if finished and churn:
            self._begin(str(self.counts["completed runs"]))
        self.complete = finished and not churn

    def _begin(self, name: str) -> None:
        """Start with a new index."""
        self.index = self.scratch / f"index-{name}" / ".ragvl"
        self.log = self.scratch / f"log-{name}"
        self.log.touch()
        self.expected = Expected()
        self.complete = False

    def _run(self, *, churn: bool, killed: bool) -> bool:
        """Run the child; whether it was killed before it was done."""
        mark = uuid.uuid4().hex
        arguments = ["--child", str(self.index), str(self.documents), str(self.log)]
        child = subprocess.Popen(
            [sys.executable, __file__, *arguments, *(["--churn"] if churn else [])],
            env={**os.environ, _MARK: mark, "TMPDIR": str(self.scratch), "PYTHONWARNINGS": "ignore"},
        )
        if killed:
            self._wait_for_the_moment(child)
            child.send_signal(signal.SIGKILL)
        code = child.wait()
        self.expected.follow(self.log)
        if code not in (0, -signal.SIGKILL):
            self.failures.append(f"the child ended with {code}")
        if _until(lambda: not _marked(mark), _ORPHANS_END_S):
            return code != 0
        orphans = _marked(mark)
        self.failures.append(f"left behind: {orphans}")
        for process in orphans:
            os.kill(process, signal.SIGKILL)
        return code != 0

    def _wait_for_the_moment(self, child: subprocess.Popen[bytes]) -> None:
        """Wait for some lines of the log and then a little longer, or now and then for any moment at all."""
        if self.chance.random() < 0.25:
            time.sleep(self.chance.uniform(0.0, 3.0))
            return
        awaited = b"compacting\n" if self.complete and self.chance.random() < 0.6 else b"\n"
        most = self.log.read_bytes().count(awaited) + self.chance.choice(
            (1, 2, 3) if awaited != b"\n" else (1, 2, 6, 20, 60, 150)
        )
        _until(lambda: child.poll() is not None or self.log.read_bytes().count(awaited) >= most, 20)
        time.sleep(self.chance.uniform(0.0, 0.1))

    def _look(self) -> object:
        job = json.dumps([sorted(self.expected.present), sorted(self.expected.absent)])
        command = [sys.executable, __file__, "--look", str(self.index)]
        done = subprocess.run(command, input=job, capture_output=True, text=True, check=False)
        self.counts["openings"] += 1
        self.counts["acknowledged documents looked for"] += len(self.expected.present)
        if done.returncode:
            self.failures.append(f"cannot be opened: {done.stderr.strip()[-300:]}")
            return None
        told = json.loads(done.stdout)
        self.failures += told["complaints"]
        return told["results"]

    def _doing(self) -> str:
        return {"removing": "removing", "compacting": "compacting"}.get(self.expected.last, "indexing")


def _marked(mark: str) -> list[int]:
    """Processes, the dead aside, that were started under a mark."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{_MARK}={mark}".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def _until(holds: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=3, type=Path, metavar=("INDEX", "DOCUMENTS", "LOG"))
    parser.add_argument("--churn", action="store_true", help="for the child: remove and compact")
    parser.add_argument("--look", type=Path, metavar="INDEX")
    options = parser.parse_args()
    if options.child:
        work(*options.child, churn=options.churn)
        return
    if options.look:
        sys.stdout.write(json.dumps(look(options.look, *json.load(sys.stdin))))
        return
    began = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="ragvl-kill-"))
    try:
        trial = Trial(scratch, options.documents, options.seed)
        while trial.counts["kills"] < options.kills and len(trial.failures) < 5:
            trial.kill_one()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    finish({"seed": options.seed, "documents": options.documents, **trial.counts}, trial.failures, began)


if __name__ == "__main__":
    main()
