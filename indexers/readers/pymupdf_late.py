"""PyMuPDF, imported without its layout model and silent."""

from __future__ import annotations

import logging
import sys
from types import ModuleType

_LAYOUT = "pymupdf.layout"


def import_pymupdf() -> ModuleType:
    """Import PyMuPDF; call it late, and only in a process that reads documents."""
    # The layout model brings ONNX Runtime and networkx into each worker, 1 s at start; its table finder hangs.
    absent = _LAYOUT not in sys.modules
    if absent:
        sys.modules[_LAYOUT] = None  # type: ignore[assignment] # documented: makes the import fail
    try:
        import pymupdf
    finally:
        if absent:
            sys.modules.pop(_LAYOUT, None)
    # What it has to say is kept and asked for; standard output belongs to the caller.
    pymupdf.set_messages(pylogging=True, pylogging_level=logging.DEBUG)
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    module: ModuleType = pymupdf
    return module
