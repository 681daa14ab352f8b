"""Where the index of a corpus is kept between runs, and what making it has cost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ragvl.evals.types import EvalSet, IndexingFigures

__all__ = ["IndexCache", "corpus_key"]

_FIGURES = "figures.json"


def corpus_key(corpus: EvalSet, configuration: Mapping[str, object]) -> str:
    """
    Name a corpus and what is made of it, so that the same gets the same name.

    Args:
        configuration: JSON values that decide what is made of it.
    """
    pages = [(page.id, page.document, page.number) for page in corpus.pages]
    said = json.dumps([corpus.name, corpus.revision, pages, configuration], sort_keys=True)
    shown = "".join(char if char.isascii() and char.isalnum() else "-" for char in corpus.name)[:40]
    return f"{shown}-{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class IndexCache:
    """The folder of one index; its figures add up over calls, should one be stopped half-way."""

    folder: Path

    def figures(self) -> IndexingFigures | None:
        """What making the index cost; None while it is not finished."""
        kept = self._kept()
        if not kept.get("finished"):
            return None
        return IndexingFigures(**{**kept["figures"], "failed": tuple(kept["figures"]["failed"])})

    def note(self, figures: IndexingFigures, *, finished: bool) -> IndexingFigures:
        """Add what a call cost to what earlier ones did; return the sum."""
        before = self._kept().get("figures", {"pages": 0, "seconds": 0.0, "peak_memory_bytes": 0})
        total = IndexingFigures(
            pages=before["pages"] + figures.pages,
            seconds=before["seconds"] + figures.seconds,
            bytes=figures.bytes,
            peak_memory_bytes=max(before["peak_memory_bytes"], figures.peak_memory_bytes),
            failed=figures.failed,
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{_FIGURES}.part"
        part.write_text(json.dumps({"finished": finished, "figures": asdict(total)}), encoding="utf-8")
        part.replace(self.folder / _FIGURES)
        return total

    def _kept(self) -> dict[str, Any]:
        path = self.folder / _FIGURES
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
