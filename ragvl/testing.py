"""
Fakes for tests of what is built on ragvl: encoders without a model, and tiny documents.

    library = ragvl.open(folder / ".ragvl", encoder=HashEncoder())
    write_documents(folder, {"notes.txt": "The crane lifts forty tonnes.", "report.pdf": ["page one", "page two"]})
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ragvl.protocols import PageVectors, QueryVectors, VectorSource

if TYPE_CHECKING:
    from ragvl.protocols import FloatArray, PageView

__all__ = ["HashEncoder", "HashPageEncoder", "make_pdf", "write_documents"]

_WORD = re.compile(r"\w+")
_SHEET = "/MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
_LINE_PT = 14
_COLOURS = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "red": (220, 30, 30),
    "green": (30, 160, 60),
    "blue": (40, 70, 200),
    "yellow": (250, 210, 40),
}
_PATCHES = 4  # a side


class HashEncoder:
    """
    A text encoder that needs no model: a text is the sum of its words, each a vector made of the word's hash.

    Vectors are the same on every machine, whatever the order of calls; texts that share words are near one another.

    Attributes:
        name, fingerprint, dimension: see `ragvl.protocols.TextEncoder`.
    """

    def __init__(self, *, name: str = "hash", fingerprint: str = "shake-256", dimension: int = 64) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.dimension = dimension
        self._words: dict[str, FloatArray] = {}

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts as (n, dimension) float32, unit length along the last axis."""
        rows = np.stack([self._encode(text) for text in texts]) if texts else np.empty((0, self.dimension))
        return rows.astype(np.float32)

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Encode queries as passages are."""
        return self.encode_passages(texts)

    def _encode(self, text: str) -> FloatArray:
        # Sums of odd whole numbers are exact, so that the order of words cannot show.
        words = _WORD.findall(text.lower()) or [""]
        total: FloatArray = np.sum([self._word(word) for word in words], axis=0)
        length = float(np.linalg.norm(total))
        return total / length if length else self._word("") / np.linalg.norm(self._word(""))

    def _word(self, word: str) -> FloatArray:
        if word not in self._words:
            digest = hashlib.shake_256(word.encode("utf-8", "surrogatepass")).digest(self.dimension)
            self._words[word] = np.frombuffer(digest, dtype=np.uint8) * 2.0 - 255.0
        return self._words[word]


class HashPageEncoder:
    """
    A page encoder that needs no model: it sees the colours of a page's patches, by their names, and reads its words.

    "red" meets what is red and what says so. Patches are a grid of 4 by 4.

    Attributes:
        name, space, fingerprint, dimension, late_interaction: see `ragvl.protocols.PageEncoder`.
    """

    def __init__(
        self, *, name: str = "hash-pages", fingerprint: str = "shake-256", late_interaction: bool = True
    ) -> None:
        self._words = HashEncoder()
        self.name = name
        self.space = self.fingerprint = fingerprint
        self.dimension = self._words.dimension
        self.late_interaction = late_interaction

    def encode_pages(self, pages: Sequence[PageView]) -> list[PageVectors]:
        """Encode pages, one result each, in order."""
        return [self._encode_page(page) for page in pages]

    def encode_queries(self, texts: Sequence[str]) -> list[QueryVectors]:
        """Encode queries, a vector a word, or one for all."""
        found = []
        for text in texts:
            spans = tuple(word.span() for word in _WORD.finditer(text)) if self.late_interaction else ()
            words = [text[start:end] for start, end in spans] or [text]
            found.append(QueryVectors(self._words.encode_queries(words), spans or ((0, len(text)),)))
        return found

    def _encode_page(self, page: PageView) -> PageVectors:
        small = np.asarray(page.image.resize((_PATCHES, _PATCHES)), dtype=np.int64).reshape(-1, 3)
        names = list(_COLOURS)
        colours = np.array(list(_COLOURS.values()))
        nearest = ((small[:, None] - colours) ** 2).sum(axis=2).argmin(axis=1)
        seen = [names[place] for place in nearest.tolist()]
        said = [page.text[start:end] for start, end, _ in page.words]
        step = page.width_pt / _PATCHES, page.height_pt / _PATCHES
        cells = [
            (column * step[0], row * step[1], (column + 1) * step[0], (row + 1) * step[1])
            for row in range(_PATCHES)
            for column in range(_PATCHES)
        ]
        if not self.late_interaction:
            whole = np.array([[0, 0, page.width_pt, page.height_pt]], dtype=np.float32)
            vector = self._words.encode_passages([" ".join([*set(seen), *said])])
            return PageVectors(vector, np.array([VectorSource.IMAGE], dtype=np.uint8), whole)
        sources = [VectorSource.IMAGE] * len(seen) + [VectorSource.TEXT] * len(said)
        boxes = [*cells, *(box for _, _, box in page.words)]
        return PageVectors(
            self._words.encode_passages(seen + said),
            np.array(sources, dtype=np.uint8),
            np.array(boxes, dtype=np.float32),
        )


def make_pdf(pages: Sequence[str]) -> bytes:
    """
    A PDF whose pages hold these texts, one line of the page a line of the text.

    The same texts give the same bytes. Characters outside Latin-1 become "?".
    """
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for index, text in enumerate(pages):
        shown = _shown(text)
        objects += [
            f"<< /Type /Page /Parent 2 0 R {_SHEET} /Contents {5 + 2 * index} 0 R >>",
            f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream",
        ]
    return _assemble([one.encode("latin-1", "replace") for one in objects])


def write_documents(folder: Path, documents: Mapping[str, str | Sequence[str]]) -> None:
    """Write files into a folder: a string as a text file, a sequence of strings as the pages of a PDF."""
    for name, content in documents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else make_pdf(content))


def _shown(text: str) -> str:
    """The content stream of a page."""
    lines = [re.sub(r"([\\()])", r"\\\1", line) for line in text.splitlines()]
    return f"BT /F1 11 Tf {_LINE_PT} TL 72 770 Td " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"


def _assemble(objects: Sequence[bytes]) -> bytes:
    body, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, len(body))
    )
