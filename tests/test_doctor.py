"""The doctor's findings, one kind at a time."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ragvl
from ragvl.config import load_config
from ragvl.doctor import Check, Verdict, diagnose, machine, models, programs

Configured = Callable[[Mapping[str, Any]], None]
HEAVY = ("torch", "faiss", "onnxruntime", "openvino", "pymupdf", "numpy", "pydantic")


def _checks(name: str, index: Path) -> list[Check]:
    return [check for check in diagnose(index).checks if check.name == name]


def _without(monkeypatch: pytest.MonkeyPatch, *absent: str) -> None:
    """Have every package be installed but some."""

    def version(name: str) -> str:
        if name in absent:
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr("ragvl.doctor.findings.version", version)


def test_every_part_is_looked_at(tmp_path: Path) -> None:
    """Each part is told by name, and what is not well comes with a remedy."""
    checks = diagnose(tmp_path / "none").checks
    names = [check.name for check in checks]
    expected = (
        "python ragvl packages index encoder inference ocr pdf faiss libreoffice disk processor gpu memory model fits "
        "terminal"
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
    monkeypatch.setattr(ragvl, "__file__", str(tmp_path / "__init__.py"))
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

    assert programs.OCR_MODELS == (ocr_models.DETECTOR_FILE, ocr_models.RECOGNISER_FILE)


def test_libreoffice_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without LibreOffice the command that installs it is named."""
    monkeypatch.setattr("ragvl.doctor.programs.shutil.which", lambda _name: None)
    monkeypatch.setattr(programs, "_MAC_OFFICE", tmp_path / "absent")
    monkeypatch.setattr("ragvl.doctor.programs.sys.platform", "linux")
    (check,) = _checks("libreoffice", tmp_path)
    assert (check.verdict, check.remedy) == (Verdict.WARN, "sudo apt install libreoffice")


def test_little_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is nearly full is told before it is full."""
    monkeypatch.setattr(machine, "_MIN_FREE_BYTES", 1 << 80)
    assert Verdict.WARN is _checks("disk", tmp_path / "deep" / "none")[0].verdict


def test_gpu_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that hangs or fails is told, and is no failure."""

    def run(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 10)

    monkeypatch.setattr("ragvl.doctor.gpus.shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("ragvl.doctor.gpus.subprocess.run", run)
    (check,) = _checks("gpu", tmp_path)
    assert Verdict.OK is check.verdict
    assert "does not answer" in check.detail


def test_broken_part_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that cannot even be looked at does not hide the others."""

    def broken(*_: object) -> None:
        raise OSError("libfaiss.so: cannot open shared object file")

    monkeypatch.setattr("ragvl.doctor.programs.importlib.util.find_spec", broken)
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


# --- what would fit -----------------------------------------------------------------------------


@pytest.fixture
def with_gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets a test say what nvidia-smi prints."""

    def says(printed: str) -> None:
        monkeypatch.setattr("ragvl.doctor.gpus.shutil.which", lambda name: f"/bin/{name}")
        monkeypatch.setattr(
            "ragvl.doctor.gpus.subprocess.run", lambda *_, **__: SimpleNamespace(stdout=printed)
        )

    return says


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Configured:
    """Lets a test say what the index is configured with."""

    def says(overrides: Mapping[str, Any]) -> None:
        monkeypatch.setattr(models, "_config", lambda _index: load_config("embedded", overrides))

    return says


def _told(name: str) -> list[str]:
    return [check.detail for check in models.models(None) if check.name == name]


def test_known_models_that_fit_a_gpu(with_gpu: Callable[[str], None]) -> None:
    """For each known model it is told in which precision it fits into what the GPU has free."""
    with_gpu("NVIDIA GeForce RTX 4090, 24564, 23000\n")
    assert _told("memory") == ["NVIDIA GeForce RTX 4090, 22.5 GiB of 24.0 GiB free: models may take 21.1 GiB"]
    small, _, _, nemotron = _told("fits")
    assert small.startswith("ColModernVBERT, 252M: fits in bfloat16 (1.4 GiB), float32 (")
    assert nemotron == (
        "Nemotron Nano 12B v2 VL: fits in FP8 (17.2 GiB), NVFP4 (12.8 GiB); not in BF16 (27.4 GiB)"
    )


def test_gpu_that_shares_the_hosts_memory(with_gpu: Callable[[str], None]) -> None:
    """A driver that tells no memory is not taken for a GPU without any."""
    with_gpu("NVIDIA GB10, [N/A], [N/A]\n")
    assert "of the host's memory free" in _told("memory")[0]


def test_memory_that_is_configured(configured: Configured) -> None:
    """What the configuration allows goes before what is measured."""
    configured({"device": {"memory_mb": 512}})
    assert _told("memory")[0].endswith("device.memory_mb 512: models may take 512 MiB")
    assert _told("fits")[0].startswith("ColModernVBERT, 252M: does not fit in bfloat16")


def test_models_of_the_default_profile(configured: Configured) -> None:
    """Out of the box a small encoder runs on the processor, and nothing else does."""
    configured({})
    text, page, generator = _told("model")
    assert text.startswith("text encoder granite-embedding-30m-english: ") and text.endswith(
        " MiB, on the processor"
    )
    assert (page, generator) == (
        "page encoder: none, the image lane is off",
        "generator extractive: needs no model",
    )


def _write_model(folder: Path, name: str, tensors: Mapping[str, tuple[str, list[int], int]]) -> None:
    """Write a safetensors file that has only its header: nothing may read further."""
    folder.mkdir(parents=True, exist_ok=True)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for tensor, (dtype, shape, size) in tensors.items():
        header[tensor] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    written = json.dumps(header).encode()
    (folder / name).write_bytes(len(written).to_bytes(8, "little") + written)


@pytest.mark.parametrize(("precision", "size"), [("float32", "5.0 GiB"), ("bfloat16", "3.0 GiB")])
def test_model_folder_is_measured(tmp_path: Path, configured: Configured, precision: str, size: str) -> None:
    """Numbers are cast to the configured precision; what is packed stays as it is; shards are added up."""
    half = ("BF16", [1024, 524_288], 1 << 30)
    _write_model(tmp_path, "model-1.safetensors", {"a": half})
    _write_model(tmp_path, "model-2.safetensors", {"b": half, "c": ("F8_E4M3", [1 << 30], 1 << 30)})
    _write_model(tmp_path, "another-format.safetensors", {"a": half})
    shards = {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-2.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}), "utf-8")
    configured({"image": {"encoder": "vision", "model": str(tmp_path), "precision": precision}})
    assert _told("model")[1].startswith(f"page encoder {tmp_path}: {size} in {precision}, ")


def test_adapter_counts_with_its_model(tmp_path: Path, configured: Configured) -> None:
    """The few tensors of an adapter are not taken for the whole model."""
    _write_model(tmp_path / "base", "model.safetensors", {"a": ("F32", [1 << 28], 1 << 30)})
    _write_model(tmp_path / "lora", "adapter_model.safetensors", {"b": ("F32", [1 << 28], 1 << 30)})
    adapts = {"base_model_name_or_path": str(tmp_path / "base")}
    (tmp_path / "lora" / "adapter_config.json").write_text(json.dumps(adapts), "utf-8")
    configured({"image": {"encoder": "vision", "model": str(tmp_path / "lora"), "precision": "float32"}})
    assert ": 2.0 GiB in float32" in _told("model")[1]


def test_model_that_does_not_fit_is_a_warning(
    with_gpu: Callable[[str], None], configured: Configured
) -> None:
    """A configured model that is not here yet is sized as published, and told before it is downloaded in vain."""
    with_gpu("NVIDIA T4, 15360, 8000\n")
    configured({"image": {"encoder": "vision", "model": "tencent/EVIE-4.5B"}})
    check = [check for check in models.models(None) if check.name == "model"][1]
    assert Verdict.WARN is check.verdict
    assert "8.4 GiB in bfloat16, as published; not on this machine yet" in check.detail
    assert "does not fit into 6.8 GiB" in check.detail
    assert check.remedy


def test_reranker_on_the_processor(with_gpu: Callable[[str], None], configured: Configured) -> None:
    """A reranker is sized like an encoder, in the precision of the device that it is configured for."""
    with_gpu("NVIDIA T4, 15360, 1000\n")
    rerank = {"model": "ModernVBERT/colmodernvbert", "device": "cpu"}
    configured({"retrieval": {"rerank": rerank}})
    check = [check for check in models.models(None) if check.name == "model"][2]
    assert Verdict.OK is check.verdict
    assert check.detail.startswith("reranker ModernVBERT/colmodernvbert: 961 MiB in float32, as published")


def test_unknown_and_damaged_models(tmp_path: Path, configured: Configured) -> None:
    """A model that nobody knows is said to be unknown; a damaged file is named."""
    configured({"image": {"encoder": "vision", "model": "someone/something"}})
    assert _told("model")[1].endswith("not on this machine yet, size not known")
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 16)
    configured({"image": {"encoder": "vision", "model": str(tmp_path)}})
    check = [check for check in models.models(None) if check.name == "model"][1]
    assert Verdict.MISSING is check.verdict
    assert "model.safetensors is no safetensors file, or damaged" in check.detail


def test_model_in_the_cache_of_the_hub_is_measured(
    tmp_path: Path, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that was downloaded before is found under its name, without asking the network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--someone--something"
    _write_model(repository / "snapshots" / "0a1b", "model.safetensors", {"a": ("BF16", [1 << 29], 1 << 30)})
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0a1b", "ascii")
    configured({"image": {"encoder": "vision", "model": "someone/something", "precision": "bfloat16"}})
    assert _told("model")[1].startswith("page encoder someone/something: 1.0 GiB in bfloat16, ")


def test_served_model_takes_nothing_here(configured: Configured) -> None:
    """A generator behind an address needs no memory of this process."""
    configured({"generator": {"name": "endpoint"}})
    assert "takes no memory of this process" in _told("model")[2]
