"""The doctor's look at the generator that runs here, on machines of all kinds."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ragvl.config import Config, GeneratorConfig, NemotronConfig
from ragvl.doctor import Verdict
from ragvl.doctor import generator as looks
from ragvl.errors import DeviceMemoryError
from ragvl.generator.nemotron.measuring import Speed


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU with Triton, and a library that asks for Nemotron."""
    config = Config(generator=GeneratorConfig(name="nemotron", nemotron=NemotronConfig(device="cpu")))

    class Opened:
        def __enter__(self) -> SimpleNamespace:
            return SimpleNamespace(config=config)

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda _device: "a GPU")
    monkeypatch.setattr("ragvl.library.open", lambda _index: Opened())
    monkeypatch.setattr("ragvl.generator.kernels.choice.runs_kernels", lambda _device: True)
    monkeypatch.setattr("ragvl.generator.kernels.self_check.kernel_agrees", lambda *_: True)
    monkeypatch.setattr("ragvl.generator.nemotron.session.open_session", lambda *_: object())
    monkeypatch.setattr(
        "ragvl.generator.nemotron.measuring.measure", lambda _session: Speed(2.0, 4000, 0.5, 127, 2.0)
    )


def test_all_is_well(machine: None) -> None:
    """Kernels agree, and the speed is told with what it was measured on."""
    kernels, speed = looks.generator(Path("index"))
    assert (kernels.verdict, kernels.detail) == (Verdict.OK, "all 8 agree with plain PyTorch on a GPU")
    assert "reads 8,000 tokens a second (4,000 tokens of text), writes 63.5 a second" in speed.detail


def test_a_kernel_differs(machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named; ragvl works without it."""
    monkeypatch.setattr(
        "ragvl.generator.kernels.self_check.kernel_agrees", lambda operation, *_: operation != "gemv"
    )
    kernels, _ = looks.generator(None)
    assert kernels.verdict is Verdict.WARN
    assert kernels.detail.startswith("gemv of 8 not used")


def test_the_model_cannot_be_used(machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told, and nothing is measured."""

    def refuse(*_: object) -> object:
        raise DeviceMemoryError("it needs more")

    monkeypatch.setattr("ragvl.generator.nemotron.session.open_session", refuse)
    _, speed = looks.generator(None)
    assert (speed.verdict, speed.detail) == (Verdict.WARN, "not measured: it needs more")


def test_there_is_no_gpu(machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU nothing is loaded."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    kernels, speed = looks.generator(None)
    assert kernels.detail.startswith("not checked: no GPU here")
    assert speed.detail.startswith("not measured: no GPU here for nvidia/")


def test_torch_is_not_installed(machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that adds it."""
    monkeypatch.setattr("ragvl.doctor.generator.version_of", lambda _name: "")
    assert {check.remedy for check in looks.generator(None)} == {'pip install "ragvl[vl]"'}
