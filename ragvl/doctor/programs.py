"""Models that come with ragvl, and programs that it calls."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import ragvl
from ragvl.doctor.findings import Check, Verdict, needed, version_of

OCR_MODELS = ("PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")
_MAC_OFFICE = Path("/Applications/LibreOffice.app/Contents/MacOS/soffice")


def encoder() -> Iterator[Check]:
    """The encoders in the package, byte for byte."""
    models = Path(ragvl.__file__).parent / "indexers" / "models"
    manifests = sorted(models.glob("*/manifest.json"))
    remedy = "pip install --force-reinstall ragvl"
    if not manifests:
        yield Check("encoder", Verdict.MISSING, f"no model in {models}", remedy)
    for manifest in manifests:
        damage = _model_damage(manifest)
        detail = f"{manifest.parent.name}: {damage or 'files sound'}"
        yield Check("encoder", needed(not damage), detail, remedy if damage else "")


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


def ocr() -> Iterator[Check]:
    """The models that OCR loads."""
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
        yield Check("ocr", Verdict.OK, f"rapidocr {version_of('rapidocr')}, models present")


def office() -> Iterator[Check]:
    """What turns Office documents into PDF."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    if not found and _MAC_OFFICE.is_file():
        found = str(_MAC_OFFICE)
    if found:
        yield Check("libreoffice", Verdict.OK, found)
        return
    remedy = "brew install --cask libreoffice" if sys.platform == "darwin" else "sudo apt install libreoffice"
    yield Check("libreoffice", Verdict.WARN, "not found: Office documents cannot be read", remedy)
