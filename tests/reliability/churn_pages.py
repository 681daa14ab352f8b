"""
Delete and update documents many times, with reopenings between: no removed page is ever found, and the index stays small.

    python tests/reliability/churn_pages.py --operations 1000

Each operation removes one document, changes another and adds a third. Every search asks for words that were removed as
well as for words that are there, in all lanes. At the end the index is compared with one that is built afresh from what is
left.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from harness import WORDS, finish, open_library, open_writer, put

from ragvl.types import Hit

_STARTING = 300
_BETWEEN_LOOKS = 50
_ASKED = 12


class Churn:
    """An index under change, and what it must hold."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.failures: list[str] = []
        self.counts: Counter[str] = Counter()
        self.held: dict[str, str] = {}  # text by name
        self.removed: list[str] = []  # words that only removed pages had
        self._chance = random.Random(seed)
        self._number = 0
        with open_writer(folder, paged=True) as writer:
            for _ in range(_STARTING // _BETWEEN_LOOKS):
                with writer.batch() as batch:
                    for _ in range(_BETWEEN_LOOKS):
                        name = f"doc-{self._number}.txt"
                        put(batch, name, self._new_text(name))

    def operate(self, times: int) -> None:
        """Remove, change and add, so many times each, a commit a time."""
        with open_writer(self.folder, paged=True) as writer:
            for _ in range(times):
                gone, changed = self._chance.sample(sorted(self.held), 2)
                with writer.batch() as batch:
                    batch.drop_file(gone.encode())
                    self._forget(gone)
                    self.counts["deleted"] += 1
                    self._forget(changed)
                    put(batch, changed, self._new_text(changed))
                    self.counts["updated"] += 1
                    name = f"doc-{self._number}.txt"
                    put(batch, name, self._new_text(name))
                writer.merge()
            writer.tidy()

    def look(self) -> None:
        """Search for what is gone and for what is there."""
        with open_library(self.folder) as library:
            asked = self._chance.sample(self.removed, min(_ASKED, len(self.removed)))
            asked += self._chance.sample([text.split()[0] for text in self.held.values()], _ASKED)
            for word in asked:
                hits = library.search(word, k=20)
                self.counts["searches"] += 1
                for hit in hits:
                    if self.held.get(hit.page.document.path) != hit.page.text:
                        self.failures.append(f"{word}: {hit.page.document.path} is shown as it was")
                if word not in self.removed and not (
                    hits and hits[0].page.text.startswith(word) and _is_found_surely(hits[0])
                ):
                    self.failures.append(f"{word} is not found by its own word")
            self.failures += [f"verify: {damage}" for damage in library.verify().damages]

    def _new_text(self, name: str) -> str:
        text = f"only{self._number} {' '.join(self._chance.choices(WORDS, k=60))}"
        self._number += 1
        self.held[name] = text
        return text

    def _forget(self, name: str) -> None:
        self.removed.append(self.held.pop(name).split()[0])


def _is_found_surely(hit: Hit) -> bool:
    """By the lanes that see single words; in a whole text's vector one of sixty may drown."""
    return {"image", "lexical"} <= {rank.lane for rank in hit.lanes}


def size_bytes(folder: Path) -> int:
    """Of an index, its log included."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--operations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="ragvl-churn-"))
    try:
        churn = Churn(scratch / "index", options.seed)
        while churn.counts["deleted"] < options.operations and len(churn.failures) < 5:
            churn.operate(min(_BETWEEN_LOOKS, options.operations - churn.counts["deleted"]))
            churn.look()
        with open_writer(scratch / "fresh", paged=True) as writer, writer.batch() as batch:
            for name, text in churn.held.items():
                put(batch, name, text)
        ratio = size_bytes(scratch / "index") / size_bytes(scratch / "fresh")
        if ratio > 1.5:
            churn.failures.append(f"the index is {ratio:.2f} times as large as a fresh one")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    finish({**churn.counts, "size to a fresh index": round(ratio, 2)}, churn.failures, began)


if __name__ == "__main__":
    main()
