"""The GPU check, where there is no GPU: what it says, how it survives missing parts, what its page shows."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ragvl.generator.nemotron.settings import LanguageSettings

SCRIPTS = Path(__file__).parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
try:
    script = importlib.import_module("gpu_check")
    report = importlib.import_module("gpu_sections.report")
    timing = importlib.import_module("gpu_sections.timing")
    model = importlib.import_module("gpu_sections.model")
finally:
    sys.path.remove(str(SCRIPTS))

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@without_gpu
def test_without_a_gpu_it_says_what_it_needs(tmp_path: Path) -> None:
    """Exit code 2, nothing on stdout, the reason and the needs on stderr, no file written."""
    run = subprocess.run(
        [sys.executable, str(SCRIPTS / "gpu_check.py"), "--into", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.startswith("Nothing was run: ")
    assert "an NVIDIA GPU of compute capability 8.0 or newer" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_section_that_dies_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code and the last words of its process are the reason."""
    monkeypatch.setitem(script.SECTIONS, "roofs", "gpu_sections.no_such_module:run")
    monkeypatch.setattr(script, "__file__", str(SCRIPTS / "no_such_script.py"))
    section = script._section("roofs", {}, 60.0)
    assert section["status"] == "failed"
    assert section["reason"].startswith("exit code 2: ")
    assert "no_such_script.py" in section["reason"]


def test_a_section_that_hangs_is_stopped() -> None:
    """A section gets its time and no more."""
    section = script._section("roofs", {}, 0.01)
    assert section["status"] == "failed"
    assert section["reason"] == "not done after 0 s"


def test_a_missing_part_is_not_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is not installed, or a reason given, leaves the section as not run."""
    known, result = tmp_path / "known.json", tmp_path / "result.json"
    known.write_text("{}")
    monkeypatch.setitem(script.SECTIONS, "roofs", "gpu_sections.no_such_module:run")
    assert script._child("roofs", str(known), str(result)) == 0
    found = json.loads(result.read_text())
    assert found["status"] == "not run"
    assert found["reason"] == "a part is missing: No module named 'gpu_sections.no_such_module'"

    def refused(_known: object) -> None:
        raise timing.NotRun("12 GiB of GPU memory are free, 36 are needed")

    monkeypatch.setattr(model, "decode", refused)
    script._child("decode", str(known), str(result))
    assert json.loads(result.read_text())["reason"] == "12 GiB of GPU memory are free, 36 are needed"


def test_sections_exist() -> None:
    """Every entry of the table names a function."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        for target in script.SECTIONS.values():
            module, _, function = target.partition(":")
            assert callable(getattr(importlib.import_module(module), function))
    finally:
        sys.path.remove(str(SCRIPTS))


def test_random_model_has_the_true_models_parts() -> None:
    """A small one reads a prompt on a processor, and its numbers stay in range; the true one has 62 layers."""
    settings = LanguageSettings(
        pattern="M-M*-",
        vocab_size=64,
        hidden_size=32,
        intermediate_size=64,
        attention_heads=4,
        key_value_heads=2,
        attention_head_dim=16,
        mamba_heads=4,
        mamba_head_dim=16,
        mamba_groups=2,
        state_size=16,
    )
    for fp8 in (False, True):
        made = model.random_model(fp8=fp8, settings=settings, device="cpu")
        assert sum(tensor.nbytes for tensor in model._matrices(made)) > 0
        with torch.no_grad():
            logits = made.new_state(1, 4)
            found = made.decode(
                torch.tensor([3]),
                logits,
                torch.ones(1, dtype=torch.int32),
                torch.zeros(1, settings.vocab_size),
            )
        assert bool(found.isfinite().all())
        assert 0.01 < float(found.std()) < 100
    assert len(model.SETTINGS.pattern) == 62
    assert (model.SETTINGS.mamba_layers, model.SETTINGS.attention_layers) == (28, 6)


def test_page_shows_tables_and_reasons() -> None:
    """Rows become a table with nested numbers in columns of their own; a pipe cannot break it."""
    page = report.markdown(
        {
            "environment": {"gpu": "NVIDIA H200"},
            "sections": {
                "scan": {
                    "status": "ok",
                    "result": {"rows": [{"length": 128, "ragvl": {"median_ms": 0.12345}}, {"length": 256}]},
                },
                "decode": {"status": "not run", "reason": "too little memory"},
                "kernels": {
                    "status": "ok",
                    "result": {"operations": {"gemv": {"sound": False, "error": "a|b", "samples": {}}}},
                },
            },
        }
    )
    assert "- gpu: NVIDIA H200" in page
    assert "| length | ragvl median ms |\n| --- | --- |\n| 128 | 0.1235 |\n| 256 | - |" in page
    assert "## decode: not run\n\ntoo little memory" in page
    assert "- error: a/b" in page


def test_what_is_not_sound_shows_in_the_exit_code() -> None:
    """A failed section, a kernel that differs, or a graph with other bits; what was not run does not count."""
    assert script._sound({"status": "not run"})
    assert script._sound({"status": "ok", "result": {"sound": True}})
    assert not script._sound({"status": "failed"})
    assert not script._sound({"status": "ok", "result": {"sound": False}})
    assert not script._sound({"status": "ok", "result": {"graph_gives_the_bits_of_eager": False}})
