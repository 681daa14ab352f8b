"""Kernel or twin: the choice, and the check that it depends on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from ragvl.generator.kernels import choice, self_check
from ragvl.generator.kernels.conv1d_prefill import conv1d_prefill
from ragvl.generator.kernels.mamba_decode.samples import samples as decode_samples
from ragvl.generator.kernels.self_check import difference

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def no_verdicts() -> Iterator[None]:
    """Begin and end without verdicts."""
    self_check.forget()
    yield
    self_check.forget()


@pytest.fixture
def with_kernel(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Pretend that this device runs kernels, and put a function in their place."""

    def install(kernel: Callable[..., Any]) -> None:
        monkeypatch.setattr(choice, "runs_kernels", lambda device: True)
        monkeypatch.setattr(choice, "kernel_of", lambda operation: kernel)

    return install


@pytest.mark.parametrize("operation", choice.OPERATIONS)
def test_twins_run_on_a_processor(operation: str) -> None:
    """Every operation has a twin, and it is chosen where there is no GPU."""
    assert choice.choose(operation, CPU) is choice.twin_of(operation)


def test_kernels_run_on_a_gpu_with_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are needed."""
    monkeypatch.setattr(choice, "_has_triton", lambda: True)
    assert [choice.runs_kernels(torch.device(name)) for name in ("cuda", "cpu", "mps")] == [
        True,
        False,
        False,
    ]
    monkeypatch.setattr(choice, "_has_triton", lambda: False)
    assert not choice.runs_kernels(torch.device("cuda"))


def test_a_kernel_that_agrees_is_used(with_kernel: Callable[[Callable[..., Any]], None]) -> None:
    """It is compared once, and then called every time."""
    calls = []

    def kernel(*arguments: Any, **options: Any) -> Any:
        calls.append(options.keys())
        return choice.twin_of("conv1d_prefill")(*arguments, **options)

    with_kernel(kernel)
    for _ in range(3):
        assert choice.choose("conv1d_prefill", CPU) is kernel
    assert len(calls) == 2


@pytest.mark.parametrize("operation", ["conv1d_prefill", "mamba_decode", "ssd_prefill"])
def test_a_wrong_kernel_is_not_used(
    operation: str, with_kernel: Callable[[Callable[..., Any]], None], caplog: pytest.LogCaptureFixture
) -> None:
    """A kernel whose results are one in fifty off is reported with its distance, once, and the twin runs."""
    twin = choice.twin_of(operation)

    def wrong(*arguments: Any, **options: Any) -> Any:
        result = twin(*arguments, **options)
        (result if isinstance(result, torch.Tensor) else result[0]).mul_(1.02)
        return result

    with_kernel(wrong)
    with caplog.at_level(logging.WARNING):
        assert choice.choose(operation, CPU) is twin
        assert choice.choose(operation, CPU) is twin
    (record,) = caplog.records
    assert f"the {operation} kernel is not used on cpu" in record.getMessage()
    assert "differs by 0.0" in record.getMessage()


def test_a_state_left_wrong_counts(with_kernel: Callable[[Callable[..., Any]], None]) -> None:
    """What a kernel writes into its arguments is compared too."""

    def forgetful(**arguments: Any) -> Any:
        ring = arguments["conv_ring"].clone()
        result = choice.twin_of("mamba_decode")(**arguments)
        arguments["conv_ring"].copy_(ring)
        return result

    with_kernel(forgetful)
    assert choice.choose("mamba_decode", CPU) is choice.twin_of("mamba_decode")


def test_a_failing_kernel_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
    with_kernel: Callable[[Callable[..., Any]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A compiler's or driver's error is shown, and the model still runs."""

    def failing(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("out of resource: shared memory")

    with_kernel(failing)
    xBC = torch.ones(1, 3, 2)
    with caplog.at_level(logging.WARNING):
        y, _ = conv1d_prefill(xBC, torch.ones(2, 4), None, activation=None)
    assert y[0, :, 0].tolist() == [1, 2, 3]
    assert "RuntimeError: out of resource: shared memory" in caplog.text


def test_sizes_that_a_kernel_does_not_cover_go_to_the_twin(
    with_kernel: Callable[[Callable[..., Any]], None],
) -> None:
    """Without a check."""

    def unreachable(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("the kernel was called")

    with_kernel(unreachable)
    assert choice.choose("ssd_prefill", CPU, fits=False) is choice.twin_of("ssd_prefill")


def test_unknown_operations_are_refused() -> None:
    """The message lists those that there are."""
    with pytest.raises(ValueError, match="no kernel operation 'sssd'; there are conv1d_prefill, "):
        choice.choose("sssd", CPU)


@pytest.mark.parametrize("operation", choice.OPERATIONS)
def test_samples_satisfy_the_twin(operation: str, with_kernel: Callable[[Callable[..., Any]], None]) -> None:
    """The samples of every operation run, and a twin agrees with itself on them."""
    twin = choice.twin_of(operation)
    with_kernel(twin)
    assert self_check.kernel_agrees(operation, CPU, choice.kernel_of, twin)


def test_samples_do_not_change() -> None:
    """The check draws the same numbers every time."""
    (first,), (second,) = decode_samples(CPU), decode_samples(CPU)
    assert difference(first.arguments["xBC"], second.arguments["xBC"]) == 0


def test_difference_sees_everything() -> None:
    """Values, what is finite, shapes, dtypes and structure."""
    ones, infinite = torch.ones(3), float("inf")
    assert difference(ones * 1.01, ones) == pytest.approx(0.01, rel=1e-3)
    assert difference((ones, {"a": ones * 1.5}), (ones, {"a": ones})) == pytest.approx(0.5)
    assert difference(torch.tensor([1.0, float("nan"), 1.0]), ones) == infinite
    assert difference(torch.ones(2), ones) == infinite
    assert difference(ones.double(), ones) == infinite
    assert difference((ones,), (ones, ones)) == infinite
    assert difference(None, ones) == infinite
    assert difference(torch.tensor([1, 2]), torch.tensor([1, 3])) == infinite
    assert difference((None, 3), (None, 3)) == 0
