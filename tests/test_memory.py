"""How much memory models may take: what is free, less a reserve, or what is said."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ragvl import memory
from ragvl.errors import ConfigError, MissingExtraError
from ragvl.memory import Budgets, budgets, host_free_bytes, readable, spare

GIB = 1 << 30


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host that says to have 32 GiB, in a container without limits."""
    (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable:   {32 * GIB >> 10} kB\n", "ascii")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    return tmp_path


def _torch(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False, free: int = 0) -> None:
    """Have torch be installed and see these devices."""
    torch = SimpleNamespace(
        device=str,
        cuda=SimpleNamespace(
            is_available=lambda: cuda > 0,
            device_count=lambda: cuda,
            mem_get_info=lambda _device: (free, 80 * GIB),
        ),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
        mps=SimpleNamespace(recommended_max_memory=lambda: free, driver_allocated_memory=lambda: GIB),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())


def test_processor_shares_the_host(host: Path) -> None:
    """Without a device of its own memory there is one budget, and no use in parking."""
    assert budgets("cpu") == Budgets(30 * GIB, 0)
    assert budgets("cpu", memory_mb=512, host_memory_mb=512) == Budgets(512 << 20, 0)


def test_container_limits_the_host(host: Path) -> None:
    """What a container may still take is less than what the machine has; its file cache can be had back."""
    (host / "memory.max").write_text(f"{8 * GIB}\n", "ascii")
    (host / "memory.current").write_text(f"{5 * GIB}\n", "ascii")
    (host / "memory.stat").write_text(f"anon 7\ninactive_file {GIB}\n", "ascii")
    assert host_free_bytes() == 4 * GIB
    (host / "memory.max").write_text("max\n", "ascii")
    assert host_free_bytes() == 32 * GIB


def test_host_that_does_not_tell(host: Path) -> None:
    """Half of all memory is taken to be free where nothing says how much is."""
    (host / "meminfo").unlink()
    assert host_free_bytes() > 0


def test_gpu_is_measured(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU gives what is free less a reserve; half of what the host has free is for parked models."""
    _torch(monkeypatch, cuda=1, free=64 * GIB)
    assert budgets() == budgets("cuda:0") == Budgets(60 * GIB, 16 * GIB)
    assert budgets(memory_mb=1024, host_memory_mb=0) == Budgets(GIB, 0)


def test_apple_gpu_shares_the_host(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apple's GPU computes in the host's memory."""
    _torch(monkeypatch, mps=True, free=17 * GIB)
    assert budgets() == Budgets(15 * GIB, 0)


@pytest.mark.parametrize("device", ["cuda:1", "mps", "cuda:x", "tpu"])
def test_absent_device_is_refused(device: str, host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that is not there is named."""
    _torch(monkeypatch, cuda=1)
    with pytest.raises(ConfigError, match=f'no device "{device}"'):
        budgets(device)


def test_without_torch_there_is_the_processor(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "auto" needs no torch; a GPU does, and the command that installs it is told."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert budgets().host_bytes == 0
    with pytest.raises(MissingExtraError, match=r'pip install "ragvl\[vl\]"'):
        budgets("cuda")


def test_reserve_and_words() -> None:
    """Nothing is left of a device that is nearly full; sizes read as people write them."""
    assert (spare(GIB // 2), spare(8 * GIB)) == (0, 7 * GIB)
    assert (readable(252 << 20), readable(24 * GIB + GIB // 2)) == ("252 MiB", "24.5 GiB")
