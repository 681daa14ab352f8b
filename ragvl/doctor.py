"""
What ragvl finds on this machine: packages, models, programs, the index, and room to work in.

It works where ragvl itself does not, so it imports little and asks package metadata instead; a part that cannot be
looked at becomes a finding.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ragvl import __version__
from ragvl.errors import IndexNotFoundError, RagvlError

if TYPE_CHECKING:
    from ragvl.library import Library

__all__ = ["Check", "Diagnosis", "Verdict", "diagnose"]

OCR_MODELS = ("PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")

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
_MIN_FREE_BYTES = 2 << 30
_MIN_MEMORY_BYTES = 4 << 30
_GPU_ANSWERS_WITHIN_S = 10
_MAC_OFFICE = Path("/Applications/LibreOffice.app/Contents/MacOS/soffice")


class Verdict(StrEnum):
    """What became of a check."""

    OK = "ok"
    WARN = "warn"  # ragvl works, with less
    MISSING = "missing"  # something needed is not there, or not sound


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: its name, the verdict, what was found, and the command or step that mends it ("" for none)."""

    name: str
    verdict: Verdict
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings; `sound` when nothing needed is missing."""

    checks: tuple[Check, ...]

    @property
    def sound(self) -> bool:
        """Whether ragvl can work here."""
        return all(check.verdict is not Verdict.MISSING for check in self.checks)


def diagnose(index: Path | None = None) -> Diagnosis:
    """
    Look at this machine.

    Args:
        index: the index folder; None finds it as the command line does.
    """
    looks: dict[str, Callable[[], Iterator[Check]]] = {
        "python": _python,
        "packages": _packages,
        "index": lambda: _index(index),
        "encoder": _encoder,
        "inference": _inference,
        "ocr": _ocr,
        "pdf": _pdf,
        "faiss": _faiss,
        "libreoffice": _office,
        "disk": lambda: _disk(index),
        "processor": _processor,
        "gpu": _gpu,
        "terminal": _terminal,
    }
    return Diagnosis(tuple(check for name, look in looks.items() for check in _looked(name, look)))


def _looked(name: str, look: Callable[[], Iterator[Check]]) -> list[Check]:
    """Run one look; whatever goes wrong in it is a finding, for the others must still be told."""
    try:
        return list(look())
    except Exception as error:  # noqa: BLE001 -- a broken installation can fail in any way
        remedy = "pip install --force-reinstall ragvl"
        return [Check(name, Verdict.MISSING, f"{type(error).__name__}: {error}", remedy)]


# --- packages -----------------------------------------------------------------------------------


def _python() -> Iterator[Check]:
    found = platform.python_version()
    recent = sys.version_info >= (3, 11)
    remedy = "" if recent else "install Python 3.11 or newer"
    yield Check("python", _needed(recent), f"{found} on {platform.system()} {platform.machine()}", remedy)
    yield Check("ragvl", Verdict.OK, f"{__version__} in {Path(__file__).parent}")


def _packages() -> Iterator[Check]:
    found = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, has in found.items() if not has]
    if missing:
        remedy = f"pip install {' '.join(missing)}"
        yield Check("packages", Verdict.MISSING, f"not installed: {', '.join(missing)}", remedy)
    else:
        yield Check("packages", Verdict.OK, ", ".join(f"{name} {has}" for name, has in found.items()))


def _inference() -> Iterator[Check]:
    openvino, onnxruntime = _version("openvino"), _version("onnxruntime")
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


def _pdf() -> Iterator[Check]:
    mupdf, pdfium = _version("pymupdf"), _version("pypdfium2")
    verdict = _needed(bool(mupdf)) if not mupdf or pdfium else Verdict.WARN
    missing = [name for name, has in (("pymupdf", mupdf), ("pypdfium2", pdfium)) if not has]
    detail = f"pymupdf {mupdf or 'not installed'}, pypdfium2 {pdfium or 'not installed'}"
    yield Check("pdf", verdict, detail, f"pip install {' '.join(missing)}" if missing else "")


def _faiss() -> Iterator[Check]:
    kinds = ("faiss-gpu-cu12", "faiss-gpu-cu11", "faiss-gpu", "faiss-cpu")
    found = [f"{kind} {has}" for kind in kinds if (has := _version(kind))]
    if not found and importlib.util.find_spec("faiss"):
        found = ["installed, not by pip"]
    yield Check(
        "faiss",
        _needed(bool(found)),
        ", ".join(found) or "not installed",
        "" if found else "pip install faiss-cpu",
    )


# --- models and programs ------------------------------------------------------------------------


def _encoder() -> Iterator[Check]:
    models = Path(__file__).parent / "indexers" / "models"
    manifests = sorted(models.glob("*/manifest.json"))
    remedy = "pip install --force-reinstall ragvl"
    if not manifests:
        yield Check("encoder", Verdict.MISSING, f"no model in {models}", remedy)
    for manifest in manifests:
        damage = _model_damage(manifest)
        detail = f"{manifest.parent.name}: {damage or 'files sound'}"
        yield Check("encoder", _needed(not damage), detail, remedy if damage else "")


def _model_damage(manifest: Path) -> str:
    """What is wrong with the files that a manifest lists; "" when nothing is."""
    try:
        files = json.loads(manifest.read_text("utf-8"))["files"]
        for name, expected in files.items():
            with (manifest.parent / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != expected["sha256"]:
                    return f"{name} does not match its checksum"
    except OSError as error:
        return f"cannot read {error.filename}: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "the manifest is damaged"
    return "" if files else "the manifest lists no files"


def _ocr() -> Iterator[Check]:
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        yield Check("ocr", Verdict.MISSING, "rapidocr is not installed", "pip install rapidocr")
        return
    folder = Path(spec.submodule_search_locations[0]) / "models"
    missing = [name for name in OCR_MODELS if not (folder / name).is_file()]
    if missing:
        detail = f"{', '.join(missing)} not in {folder}"
        yield Check("ocr", Verdict.MISSING, detail, "pip install --upgrade 'rapidocr>=3.8'")
    else:
        yield Check("ocr", Verdict.OK, f"rapidocr {_version('rapidocr')}, models present")


def _office() -> Iterator[Check]:
    found = shutil.which("soffice") or shutil.which("libreoffice")
    if not found and _MAC_OFFICE.is_file():
        found = str(_MAC_OFFICE)
    if found:
        yield Check("libreoffice", Verdict.OK, found)
        return
    remedy = "brew install --cask libreoffice" if sys.platform == "darwin" else "sudo apt install libreoffice"
    yield Check("libreoffice", Verdict.WARN, "not found: Office documents cannot be read", remedy)


# --- index and machine --------------------------------------------------------------------------


def _index(named: Path | None) -> Iterator[Check]:
    # Late: the facade needs the packages that are looked for above.
    from ragvl.library import find_index, open

    folder = (named or find_index()).absolute()
    try:
        with open(folder) as library:
            documents = len(library.documents())
            profile = library.config.profile
            refusal = _refusal(library)
    except IndexNotFoundError:
        yield Check("index", Verdict.WARN, f"none at {folder}", "ragvl index PATH")
        return
    except RagvlError as error:
        yield Check("index", Verdict.MISSING, str(error), "ragvl verify --repair")
        return
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    yield Check("index", Verdict.OK, f"{folder}: {documents:,} documents, {size / 2**20:,.1f} MiB")
    yield Check("profile", Verdict.OK, profile)
    yield Check("calibration", Verdict.OK, refusal)


def _refusal(library: Library) -> str:
    """When answers are refused, and who chose that."""
    name, configured, calibration = (
        library.config.generator.name,
        library.config.generator.refuse_below,
        library.calibration(),
    )
    if configured is not None:
        return f"{name}: refuses below {configured:.2f}, as configured"
    if calibration is None:
        return f"{name}: as shipped"
    return (
        f"{name}: refuses below {calibration.refuse_below:.2f}, chosen on {calibration.asked:,} questions of "
        f"{calibration.questions!r} on {calibration.made_at[:10]}; at most {calibration.error:.0%} of the answers "
        f"given cite a wrong page, at {calibration.confidence:.0%} confidence"
    )


def _disk(index: Path | None) -> Iterator[Check]:
    place = (index or Path.cwd()).absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    little = free < _MIN_FREE_BYTES
    remedy = "free some space, or put the index elsewhere with --index" if little else ""
    yield Check(
        "disk", Verdict.WARN if little else Verdict.OK, f"{free / 2**30:,.1f} GiB free at {place}", remedy
    )


def _processor() -> Iterator[Check]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    little = memory < _MIN_MEMORY_BYTES
    remedy = "index with --set reading.workers=1" if little else ""
    detail = f"{usable} cores, {memory / 2**30:,.1f} GiB memory"
    yield Check("processor", Verdict.WARN if little else Verdict.OK, detail, remedy)


def _gpu() -> Iterator[Check]:
    torch = _version("torch")
    with_torch = f"torch {torch}" if torch else "torch not installed"
    yield Check("gpu", Verdict.OK, f"{_gpu_names() or 'none, and none is needed'}; {with_torch}")


def _gpu_names() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    command = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=_GPU_ANSWERS_WITHIN_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "an NVIDIA driver that does not answer"
    return "; ".join(line.strip() for line in asked.stdout.splitlines())


def _terminal() -> Iterator[Check]:
    encoding = (getattr(sys.stdout, "encoding", "") or "unknown").lower()
    columns = shutil.get_terminal_size().columns
    kind = f"terminal, {columns} columns" if sys.stdout.isatty() else "no terminal"
    readable = encoding.replace("-", "") == "utf8"
    remedy = "" if readable else "export PYTHONUTF8=1"
    yield Check("terminal", Verdict.OK if readable else Verdict.WARN, f"{kind}, {encoding}", remedy)


def _needed(there: bool) -> Verdict:
    return Verdict.OK if there else Verdict.MISSING


def _version(distribution: str) -> str:
    """The installed version of a package; "" when it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
