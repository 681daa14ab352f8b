"""
Flip single bits all over an index: each flip must be named by `verify`, and never reach an answer.

    python tests/reliability/flip_bits.py --flips 300 --seed 1

Bits are spread over every file of a closed index: the database, the vector segments, the kept page images. On each
damaged index a search must raise `IndexDamagedError`, or find exactly what it finds on the undamaged index, or,
where a segment is damaged, exactly what it finds without that segment (or, of a segment of pages, without needing its
damaged record); a kept image must be shown as it was, or not at all.
"""

from __future__ import annotations

import argparse
import logging
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness import QUERIES, WORDS, Result, finish, open_library, open_writer, put, results

from ragvl.errors import IndexDamagedError
from ragvl.indexers.store.rendered import keep_rendered, load_rendered
from ragvl.indexers.store.verify import verify_index

_DOCUMENTS = 90
_SEGMENTS = 3
_IMAGES = 6


def make_index(folder: Path) -> None:
    """An index with several segments, tombstones, free pages and kept images, closed."""
    chance = random.Random(0)
    with open_writer(folder, paged=True) as writer:
        for part in range(_SEGMENTS):
            with writer.batch() as batch:
                for number in range(part, _DOCUMENTS, _SEGMENTS):
                    text = [f"note {number} {' '.join(chance.choices(WORDS, k=40))}" for _ in range(2)]
                    put(batch, f"notes/{number:03d}.txt", *text)
        with writer.batch() as batch:
            for number in range(0, _DOCUMENTS, 9):
                batch.drop_file(f"notes/{number:03d}.txt".encode())
    for page in range(1, _IMAGES + 1):
        keep_rendered(folder, "ab" * 32, page, 110, chance.randbytes(5_000))


class Trial:
    """Flips bits in copies of one index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_index(folder)
        self.files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
        self.sound = self._results()
        self.images = self._images()
        self.without = {path: self._without(path) for path in self.files if path.suffix == ".seg"}
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []

    def flip(self, path: Path, place: int, bit: int) -> None:
        """Flip one bit, look, and put it right again."""
        content = path.read_bytes()
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        kind = {".db": "database", ".seg": "segment"}.get(path.suffix, "page image")
        where = f"{path.relative_to(self.folder)}, byte {place}, bit {bit}"
        self.counts[f"{kind} flips"] += 1
        if self._is_named(path):
            self.counts["named by verify"] += 1
        else:
            self.failures.append(f"verify does not name {where}: {verify_index(self.folder)}")
        self._compare(path, kind, where)
        if path.read_bytes() != bytes(damaged):
            self.failures.append(f"looking changed {where}")
        path.write_bytes(content)

    def _is_named(self, path: Path) -> bool:
        name = str(path.relative_to(self.folder))
        return name in {damage.file for damage in verify_index(self.folder).damages}

    def _compare(self, path: Path, kind: str, where: str) -> None:
        try:
            found = self._results()
        except IndexDamagedError:
            self.counts[f"{kind}: IndexDamagedError"] += 1
            allowed = kind == "database"
        else:
            self.counts[f"{kind}: {'without it' if kind == 'segment' else 'sound'} results"] += 1
            # Records of pages are read and checked one by one: a search that needs no damaged one is sound.
            without = self.without.get(path, self.sound)
            either = "segments/image" in where
            allowed = all(
                one == other or (either and one == whole)
                for one, other, whole in zip(found, without, self.sound, strict=True)
            )
        shown = self._images()
        allowed &= all(image in (None, whole) for image, whole in zip(shown, self.images, strict=True))
        allowed &= kind != "page image" or shown.count(None) == 1
        if not allowed:
            self.failures.append(f"served from a damaged {kind}: {where}")

    def _results(self) -> list[list[Result]]:
        with open_library(self.folder) as library:
            library.documents()
            return results(library, QUERIES, k=80)

    def _images(self) -> list[bytes | None]:
        return [load_rendered(self.folder, "ab" * 32, page, 110) for page in range(1, _IMAGES + 1)]

    def _without(self, path: Path) -> list[list[Result]]:
        """What is found when a segment is not there at all."""
        content = path.read_bytes()
        path.unlink()
        found = self._results()
        path.write_bytes(content)
        return found


def places(files: Sequence[Path], flips: int, chance: random.Random) -> Iterator[tuple[Path, int, int]]:
    """As many flips in each file; in each, some in its first bytes, the others anywhere."""
    for number in range(flips):
        path = files[number % len(files)]
        size = path.stat().st_size
        yield path, chance.randrange(min(size, 128) if chance.random() < 0.15 else size), chance.randrange(8)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--flips", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    began = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="ragvl-flips-"))
    try:
        trial = Trial(scratch / ".ragvl")
        if verify_index(trial.folder).damages:
            trial.failures.append("the undamaged index is damaged")
        if trial.sound in trial.without.values():
            trial.failures.append("a segment is not needed by any query: the trial proves nothing")
        databases = [path for path in trial.files if path.suffix == ".db"]
        segments = [path for path in trial.files if path.suffix == ".seg"]
        images = [path for path in trial.files if path.suffix == ".webp"]
        chance = random.Random(options.seed)
        half = options.flips // 2
        for share, files in (
            (half, databases),
            (options.flips - half - half // 2, segments),
            (half // 2, images),
        ):
            for path, place, bit in places(files, share, chance):
                trial.flip(path, place, bit)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    finish({"seed": options.seed, "files": len(trial.files), **trial.counts}, trial.failures, began)


if __name__ == "__main__":
    main()
