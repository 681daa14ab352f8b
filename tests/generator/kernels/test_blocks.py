"""How kernels cut tensors, and which row of a table a device uses."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from ragvl.generator.kernels import architecture
from ragvl.generator.kernels.blocks import are_rows, in_powers, power_of_two


@pytest.mark.parametrize(
    ("size", "parts"),
    [
        (1, (1, 0)),
        (2, (2, 0)),
        (3, (2, 1)),
        (80, (64, 16)),
        (1280, (1024, 256)),
        (5120, (4096, 1024)),
        (127, (64, 64)),
    ],
)
def test_two_powers_cover_a_size(size: int, parts: tuple[int, int]) -> None:
    """The second is 0 when the first is enough."""
    assert in_powers(size) == parts
    assert sum(parts) >= size


def test_next_power() -> None:
    """A power of two is its own."""
    assert [power_of_two(size) for size in (1, 2, 3, 5, 64, 65)] == [1, 2, 4, 8, 64, 128]


def test_rows_of_one_stride_are_told_from_others() -> None:
    """A slice of the last axis has them, a transposed tensor and a slice of a middle axis have not."""
    buffer = torch.zeros(2, 3, 10)
    assert are_rows(buffer, buffer[..., 2:7], buffer[:1, :2], buffer[:, :1], None)
    assert not are_rows(buffer.transpose(1, 2))
    assert not are_rows(buffer[:, :2])
    assert not are_rows(buffer, buffer.double())


def test_a_device_uses_the_newest_row_that_is_not_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown newer GPU takes the last row, an older one than the table the first."""
    table = {80: "a", 90: "b", 120: "c"}
    for found, expected in ((75, "a"), (80, "a"), (89, "a"), (90, "b"), (103, "b"), (121, "c")):
        monkeypatch.setattr(architecture, "architecture", lambda device, found=found: found)
        assert architecture.row_for(table, torch.device("cpu")) == expected


def test_triton_is_imported_with_the_first_kernel_only() -> None:
    """Calls on a processor leave it alone, so they work where there is no Triton."""
    code = (
        "import sys, torch\n"
        "from ragvl.generator.kernels.gemv import gemv\n"
        "from ragvl.generator.kernels.relu2 import relu2\n"
        "relu2(gemv(torch.ones(1, 4), torch.ones(2, 4)))\n"
        "sys.exit('triton' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
