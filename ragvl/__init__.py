"""
Multimodal RAG on your own machine: index a folder of documents, ask, get answers cited to the page.

    import ragvl

    library = ragvl.open("path/.ragvl")
    library.index("./docs")
    answer = library.ask("What was the capital expenditure in 2018?")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragvl.errors import RagvlError
from ragvl.types import Answer, Citation, Document, Hit, IndexReport, Page, Passage, Region

if TYPE_CHECKING:
    from ragvl.library import Library, open

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Citation",
    "Document",
    "Hit",
    "IndexReport",
    "Library",
    "Page",
    "Passage",
    "RagvlError",
    "Region",
    "__version__",
    "open",
]


def __getattr__(name: str) -> Any:
    if name in {"Library", "open"}:
        # Late: the facade reaches SQLite, FAISS and the encoder; `import ragvl` must stay light.
        from ragvl import library

        return getattr(library, name)
    raise AttributeError(f"module 'ragvl' has no attribute {name!r}")
