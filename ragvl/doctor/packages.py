"""Python and the packages that ragvl needs: asked of their metadata, not imported."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import ragvl
from ragvl.doctor.findings import Check, Verdict, needed, version_of

_PACKAGES = (
    "numpy",
    "apsw",
    "tokenizers",
    "pillow",
    "pydantic",
    "pyyaml",
    "pathspec",
    "pebble",
    "watchfiles",
)


def python() -> Iterator[Check]:
    """Python itself, and ragvl."""
    found = platform.python_version()
    recent = sys.version_info >= (3, 11)
    remedy = "" if recent else "install Python 3.11 or newer"
    yield Check("python", needed(recent), f"{found} on {platform.system()} {platform.machine()}", remedy)
    yield Check("ragvl", Verdict.OK, f"{ragvl.__version__} in {Path(ragvl.__file__).parent}")


def packages() -> Iterator[Check]:
    """Packages that have no look of their own."""
    found = {name: version_of(name) for name in _PACKAGES}
    missing = [name for name, has in found.items() if not has]
    if missing:
        remedy = f"pip install {' '.join(missing)}"
        yield Check("packages", Verdict.MISSING, f"not installed: {', '.join(missing)}", remedy)
    else:
        yield Check("packages", Verdict.OK, ", ".join(f"{name} {has}" for name, has in found.items()))


def inference() -> Iterator[Check]:
    """The engines that run the models in the package."""
    openvino, onnxruntime = version_of("openvino"), version_of("onnxruntime")
    engines = {"openvino": openvino, "onnxruntime": onnxruntime}
    has = ", ".join(f"{name} {found}" for name, found in engines.items() if found)
    if not has:
        yield Check(
            "inference", Verdict.MISSING, "neither openvino nor onnxruntime", "pip install onnxruntime"
        )
        return
    # As `ragvl.indexers.encoders.embedded` chooses: the faster for bulk, the one ready sooner for a query.
    passages = "openvino" if openvino else "onnxruntime"
    queries = "onnxruntime" if onnxruntime else "openvino"
    detail = f"{has}; passages with {passages}, queries with {queries}"
    verdict = Verdict.OK if openvino and onnxruntime else Verdict.WARN
    lacking = "" if openvino and onnxruntime else f"pip install {'onnxruntime' if openvino else 'openvino'}"
    yield Check("inference", verdict, detail, lacking)


def pdf() -> Iterator[Check]:
    """What reads PDF, and the second opinion."""
    mupdf, pdfium = version_of("pymupdf"), version_of("pypdfium2")
    verdict = needed(bool(mupdf)) if not mupdf or pdfium else Verdict.WARN
    missing = [name for name, has in (("pymupdf", mupdf), ("pypdfium2", pdfium)) if not has]
    detail = f"pymupdf {mupdf or 'not installed'}, pypdfium2 {pdfium or 'not installed'}"
    yield Check("pdf", verdict, detail, f"pip install {' '.join(missing)}" if missing else "")


def faiss() -> Iterator[Check]:
    """What compares vectors."""
    kinds = ("faiss-gpu-cu12", "faiss-gpu-cu11", "faiss-gpu", "faiss-cpu")
    found = [f"{kind} {has}" for kind in kinds if (has := version_of(kind))]
    if not found and importlib.util.find_spec("faiss"):
        found = ["installed, not by pip"]
    yield Check(
        "faiss",
        needed(bool(found)),
        ", ".join(found) or "not installed",
        "" if found else "pip install faiss-cpu",
    )
