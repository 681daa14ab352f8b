"""The way of a tensor from its file to the device, without a copy of it in host memory."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.checkpoint.entries import TensorEntry

__all__ = ["STAGING_BYTES", "TensorReader"]

STAGING_BYTES = 64 * 2**20


class TensorReader:
    """
    Reads tensors one by one through a staging buffer of fixed size; on a CPU straight into the tensor.

    Args:
        device: where tensors go.
        staging_bytes: size of the buffer in host memory; two of them are used, one filling while one empties.
        staged: go through the buffers; None for every device but a CPU.
    """

    def __init__(
        self,
        device: torch.device,
        *,
        staging_bytes: int = STAGING_BYTES,
        staged: bool | None = None,
    ) -> None:
        self._device = device
        self._staging_bytes = staging_bytes
        self._staged = device.type != "cpu" if staged is None else staged
        self._buffers: list[torch.Tensor] = []

    def read(self, entry: TensorEntry) -> torch.Tensor:
        """
        Read one tensor as it is stored.

        Raises:
            ModelFileError: the file ends too early or cannot be read.
        """
        target = torch.empty(entry.shape, dtype=entry.dtype, device=self._device)
        flat = target.reshape(-1).view(torch.uint8) if entry.nbytes else target.reshape(-1)
        try:
            with entry.path.open("rb", buffering=0) as file:
                file.seek(entry.offset)
                if self._staged:
                    self._stage(file.readinto, flat, entry)
                else:
                    _fill(file.readinto, flat, entry)
        except OSError as error:
            raise ModelFileError(f"{entry.path} cannot be read: {error}") from error
        return target

    def _stage(
        self, readinto: Callable[[memoryview], int | None], target: torch.Tensor, entry: TensorEntry
    ) -> None:
        buffers = self._staging()
        events: list[torch.cuda.Event | None] = [None, None]
        for turn, start in enumerate(range(0, entry.nbytes, self._staging_bytes)):
            stop = min(start + self._staging_bytes, entry.nbytes)
            event = events[turn % 2]
            if event is not None:
                event.synchronize()
            piece = buffers[turn % 2][: stop - start]
            _fill(readinto, piece, entry)
            target[start:stop].copy_(piece, non_blocking=True)
            if self._device.type == "cuda":
                event = torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                event.record(torch.cuda.current_stream(self._device))
                events[turn % 2] = event
        for event in events:
            if event is not None:
                event.synchronize()

    def _staging(self) -> list[torch.Tensor]:
        if not self._buffers:
            pinned = self._device.type == "cuda"
            self._buffers = [
                torch.empty(self._staging_bytes, dtype=torch.uint8, pin_memory=pinned) for _ in range(2)
            ]
        return self._buffers


def _fill(readinto: Callable[[memoryview], int | None], target: torch.Tensor, entry: TensorEntry) -> None:
    view = target.numpy().data
    done = 0
    while done < len(view):
        count = readinto(view[done:])
        if not count:
            raise ModelFileError(f"{entry.path} ends inside {entry.name}; fetch the file again")
        done += count
