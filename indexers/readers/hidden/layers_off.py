"""Words in layers of a PDF that are switched off: MuPDF leaves them out, this counts them."""

from __future__ import annotations

from typing import Any

from ragvl.indexers.readers.hidden.layer import FLAGS, TextLayer
from ragvl.indexers.readers.pymupdf_late import import_pymupdf

pymupdf = import_pymupdf()
mupdf = pymupdf.mupdf

_MIN_WORDS = 5  # watermarks and stamps that may be switched on have fewer


class OffLayers:
    """The layers of one document that are off."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._any: bool | None = None
        self._all_on: Any = None

    def count_words(self, page: Any, layer: TextLayer) -> int:
        """How many words a page has in layers that are off; 0 for a few."""
        if self._any is None:
            groups = self._document.get_ocgs() if self._document.is_pdf else {}
            self._any = any(not group["on"] for group in groups.values())
            if self._any:
                self._all_on = _with_all_on(self._document)
        if self._all_on is None:
            return 0
        words = self._all_on[page.number].get_textpage(flags=FLAGS).extractWORDS()
        count = len(words) - len(layer.words)
        return count if count >= _MIN_WORDS else 0


def _with_all_on(document: Any) -> Any:
    """The same document with all layers on: MuPDF reads their state once. None for one that is locked."""
    other = pymupdf.open(document.name) if document.name else pymupdf.open("pdf", document.stream)
    if other.needs_pass:
        return None
    catalogue = other.pdf_catalog()
    other.xref_set_key(catalogue, "OCProperties/D/OFF", "[]")
    other.xref_set_key(catalogue, "OCProperties/D/BaseState", "/ON")
    mupdf.ll_pdf_read_ocg(mupdf.pdf_specifics(other.this).m_internal)
    return other
