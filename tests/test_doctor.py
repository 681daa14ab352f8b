"""The doctor's findings, one kind at a time."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from ragvl import doctor
from ragvl.doctor import Check, Verdict, diagnose

HEAVY = ("torch", "faiss", "onnxruntime", "openvino", "pymupdf", "numpy", "pydantic")


def _checks(name: str, index: Path) -> list[Check]:
    return [check for check in diagnose(index).checks if check.name == name]


def _without(monkeypatch: pytest.MonkeyPatch, *absent: str) -> None:
    """Have every package be installed but some."""

    def version(name: str) -> str:
        if name in absent:
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr("ragvl.doctor.version", version)


def test_every_part_is_looked_at(tmp_path: Path) -> None:
    """Each part is told by name, and what is not well comes with a remedy."""
    checks = diagnose(tmp_path / "none").checks
    names = [check.name for check in checks]
    expected = (
        "python ragvl packages index encoder inference ocr pdf faiss libreoffice disk processor gpu terminal"
    )
    assert set(expected.split()) <= set(names)
    assert all(check.remedy for check in checks if check.verdict is not Verdict.OK)


def test_import_is_light() -> None:
    """The module imports no engine and no package that could be broken."""
    code = f"import sys, ragvl.doctor; print([name for name in {HEAVY!r} if name in sys.modules])"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout == "[]\n"


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not installed is missing, with the command that installs it."""
    _without(monkeypatch, "apsw", "tokenizers")
    (check,) = _checks("packages", tmp_path)
    assert Verdict.MISSING is check.verdict
    assert check.remedy == "pip install apsw tokenizers"
    assert not diagnose(tmp_path).sound


@pytest.mark.parametrize(
    ("absent", "verdict", "told"),
    [
        ((), Verdict.OK, "passages with openvino, queries with onnxruntime"),
        (("openvino",), Verdict.WARN, "passages with onnxruntime, queries with onnxruntime"),
        (("onnxruntime",), Verdict.WARN, "passages with openvino, queries with openvino"),
        (("openvino", "onnxruntime"), Verdict.MISSING, "neither"),
    ],
)
def test_inference_engines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: tuple[str, ...], verdict: Verdict, told: str
) -> None:
    """One engine is enough, two are better; which is used for what is told."""
    _without(monkeypatch, *absent)
    (check,) = _checks("inference", tmp_path)
    assert verdict is check.verdict
    assert told in check.detail


def test_pdf_second_opinion_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pypdfium2 ragvl works with less, without PyMuPDF it does not."""
    _without(monkeypatch, "pypdfium2")
    assert Verdict.WARN is _checks("pdf", tmp_path)[0].verdict
    _without(monkeypatch, "pymupdf")
    assert Verdict.MISSING is _checks("pdf", tmp_path)[0].verdict


def test_encoder_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Model files are compared with the checksums in their manifest."""
    monkeypatch.setattr(doctor, "__file__", str(tmp_path / "doctor.py"))
    assert Verdict.MISSING is _checks("encoder", tmp_path)[0].verdict
    folder = tmp_path / "indexers" / "models" / "tiny"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"weights")
    listed = {"model.onnx": {"sha256": hashlib.sha256(b"weights").hexdigest()}}
    (folder / "manifest.json").write_text(json.dumps({"files": listed}), "utf-8")
    assert _checks("encoder", tmp_path)[0].detail == "tiny: files sound"
    (folder / "model.onnx").write_bytes(b"damaged")
    assert _checks("encoder", tmp_path)[0].detail == "tiny: model.onnx does not match its checksum"
    (folder / "model.onnx").unlink()
    assert "No such file" in _checks("encoder", tmp_path)[0].detail
    (folder / "manifest.json").write_text("[]", "utf-8")
    assert _checks("encoder", tmp_path)[0].detail == "tiny: the manifest is damaged"


def test_ocr_models_are_those_that_are_used() -> None:
    """The doctor looks for the very files that OCR loads."""
    from ragvl.indexers import ocr_models

    assert doctor.OCR_MODELS == (ocr_models.DETECTOR_FILE, ocr_models.RECOGNISER_FILE)


def test_libreoffice_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without LibreOffice the command that installs it is named."""
    monkeypatch.setattr("ragvl.doctor.shutil.which", lambda _name: None)
    monkeypatch.setattr(doctor, "_MAC_OFFICE", tmp_path / "absent")
    monkeypatch.setattr("ragvl.doctor.sys.platform", "linux")
    (check,) = _checks("libreoffice", tmp_path)
    assert (check.verdict, check.remedy) == (Verdict.WARN, "sudo apt install libreoffice")


def test_little_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is nearly full is told before it is full."""
    monkeypatch.setattr(doctor, "_MIN_FREE_BYTES", 1 << 80)
    assert Verdict.WARN is _checks("disk", tmp_path / "deep" / "none")[0].verdict


def test_gpu_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that hangs or fails is told, and is no failure."""

    def run(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 10)

    monkeypatch.setattr("ragvl.doctor.shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("ragvl.doctor.subprocess.run", run)
    (check,) = _checks("gpu", tmp_path)
    assert Verdict.OK is check.verdict
    assert "does not answer" in check.detail


def test_broken_part_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that cannot even be looked at does not hide the others."""

    def broken(*_: object) -> None:
        raise OSError("libfaiss.so: cannot open shared object file")

    monkeypatch.setattr("ragvl.doctor.importlib.util.find_spec", broken)
    checks = diagnose(tmp_path).checks
    (ocr,) = [check for check in checks if check.name == "ocr"]
    assert (ocr.verdict, "libfaiss" in ocr.detail) == (Verdict.MISSING, True)
    assert "terminal" in [check.name for check in checks]


def test_index_that_cannot_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library does not even import, the index is a finding, too."""
    monkeypatch.setitem(sys.modules, "ragvl.library", None)
    (check,) = _checks("index", tmp_path)
    assert check.verdict is Verdict.MISSING
    assert "ragvl.library" in check.detail
