"""What the model remembers of the tokens it has read: static buffers, and copies of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ragvl.generator.nemotron.settings import LanguageSettings
from ragvl.generator.nemotron.snapshot import Snapshot

__all__ = ["Recurrent", "State"]


@dataclass(frozen=True, slots=True, eq=False)
class Recurrent:
    """A copy of the part of a state that is overwritten at every token; all but keys and values."""

    ssm: torch.Tensor
    conv: torch.Tensor
    lengths: torch.Tensor


class State:
    """
    The buffers of several requests, a slot each; allocated once, so that a captured graph keeps its addresses.

    Args:
        settings: sizes of the model.
        slots: requests that can be under way together.
        capacity: tokens a slot can hold, prompt and answer together.
        device: where the buffers are.
        dtype: of keys, values and convolution inputs.

    Attributes:
        keys, values: (attention layers, slots, key-value heads, capacity, head dim).
        ssm: (Mamba layers, slots, heads, head dim, state) float32.
        conv: (Mamba layers, slots, channels, 4): the last four inputs of each convolution, as a ring: that of
            position t is at t modulo 4.
        lengths: (slots,) int32, tokens read; the position of the next token.
    """

    def __init__(
        self,
        settings: LanguageSettings,
        slots: int,
        capacity: int,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if slots < 1 or capacity < 1:
            raise ValueError(f"slots and capacity must be at least 1, not {slots} and {capacity}")
        self.slots, self.capacity = slots, capacity
        self.device = torch.device(device)
        cache = (
            settings.attention_layers,
            slots,
            settings.key_value_heads,
            capacity,
            settings.attention_head_dim,
        )
        recurrent = (
            settings.mamba_layers,
            slots,
            settings.mamba_heads,
            settings.mamba_head_dim,
            settings.state_size,
        )
        window = (settings.mamba_layers, slots, settings.conv_dim, settings.conv_kernel)
        self.keys = torch.zeros(cache, dtype=dtype, device=self.device)
        self.values = torch.zeros(cache, dtype=dtype, device=self.device)
        self.ssm = torch.zeros(recurrent, dtype=torch.float32, device=self.device)
        self.conv = torch.zeros(window, dtype=dtype, device=self.device)
        self.lengths = torch.zeros(slots, dtype=torch.int32, device=self.device)

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers."""
        buffers = (self.keys, self.values, self.ssm, self.conv, self.lengths)
        return sum(buffer.nbytes for buffer in buffers)

    def rows(self, start: int, stop: int) -> State:
        """Slots `start` to `stop` as a state of their own that shares these buffers."""
        view = object.__new__(State)
        view.slots, view.capacity, view.device = stop - start, self.capacity, self.device
        view.keys, view.values = self.keys[:, start:stop], self.values[:, start:stop]
        view.ssm, view.conv = self.ssm[:, start:stop], self.conv[:, start:stop]
        view.lengths = self.lengths[start:stop]
        return view

    def reset(self, slot: int) -> None:
        """Forget a slot's tokens; its keys and values stay in the buffer and are never read."""
        self.ssm[:, slot] = 0
        self.conv[:, slot] = 0
        self.lengths[slot] = 0

    def snapshot(self, slot: int) -> Snapshot:
        """
        Copy all that a slot remembers; restored, the model goes on exactly as if it had read the tokens again.

        Waits for the device, to learn how many tokens there are.
        """
        length = int(self.lengths[slot])
        return Snapshot(
            length=length,
            keys=self.keys[:, slot, :, :length].clone(),
            values=self.values[:, slot, :, :length].clone(),
            ssm=self.ssm[:, slot].clone(),
            conv=self.conv[:, slot].clone(),
        )

    def restore(self, slot: int, snapshot: Snapshot) -> None:
        """
        Put a snapshot into a slot, from whichever device it is on.

        Raises:
            ValueError: it is of another model, or holds more tokens than a slot can.
        """
        if snapshot.length > self.capacity:
            raise ValueError(
                f"a snapshot of {snapshot.length} tokens does not fit a state of {self.capacity} a slot"
            )
        self._require_same_model(snapshot)
        self.keys[:, slot, :, : snapshot.length] = snapshot.keys.to(self.device)
        self.values[:, slot, :, : snapshot.length] = snapshot.values.to(self.device)
        self.ssm[:, slot] = snapshot.ssm.to(self.device)
        self.conv[:, slot] = snapshot.conv.to(self.device)
        self.lengths[slot] = snapshot.length

    def save_recurrent(self) -> Recurrent:
        """Copy what a decode step overwrites."""
        return Recurrent(self.ssm.clone(), self.conv.clone(), self.lengths.clone())

    def load_recurrent(self, saved: Recurrent) -> None:
        """Undo decode steps made since `save_recurrent`; keys and values beyond the lengths are never read."""
        self.ssm.copy_(saved.ssm)
        self.conv.copy_(saved.conv)
        self.lengths.copy_(saved.lengths)

    def _require_same_model(self, snapshot: Snapshot) -> None:
        layers, _, heads, _, width = self.keys.shape
        wanted = {
            "keys": ((layers, heads, snapshot.length, width), self.keys.dtype),
            "values": ((layers, heads, snapshot.length, width), self.values.dtype),
            "ssm": ((self.ssm.shape[0], *self.ssm.shape[2:]), self.ssm.dtype),
            "conv": ((self.conv.shape[0], *self.conv.shape[2:]), self.conv.dtype),
        }
        for name, (shape, dtype) in wanted.items():
            found: torch.Tensor = getattr(snapshot, name)
            if tuple(found.shape) != shape or found.dtype != dtype:
                raise ValueError(
                    f"the snapshot's {name} are {tuple(found.shape)} {found.dtype}, the state's {shape} {dtype};"
                    " it was made by another model or precision"
                )
