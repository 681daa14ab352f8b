"""What the model takes of its device, known from the headers of its files before anything is loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ragvl.config import NemotronConfig
from ragvl.errors import DeviceMemoryError
from ragvl.generator.nemotron.checkpoint.entries import TensorEntry
from ragvl.generator.nemotron.checkpoint.index import part, read_index
from ragvl.generator.nemotron.placing import Placing
from ragvl.generator.nemotron.settings import CheckpointConfig, LanguageSettings
from ragvl.generator.nemotron.state import State
from ragvl.generator.nemotron.vision.model import BATCH_TILES
from ragvl.generator.nemotron.vision.names import radio_shape
from ragvl.generator.nemotron.vision.settings import VisionSettings
from ragvl.memory import readable

__all__ = ["PREFILL_TOKENS", "MemoryPlan", "plan_memory", "require_room"]

PREFILL_TOKENS = 4096
"""Tokens of a prompt that are read at once."""

_SCALES = ("weight_scale", "weight_scale_2", "input_scale", "k_scale", "v_scale")
_FLOAT32 = ("A_log", "D", "dt_bias")


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """
    Bytes of the device's memory, by what they are for; upper bounds.

    Attributes:
        language: weights of the language model.
        vision: weights of vision model and projector.
        state: keys, values and recurrent states of one request as long as the context.
        prompt: numbers on the way while a prompt is read or pages are seen, whichever is more. Reasoned from the
            widths of the layers, not measured.
        snapshots: copies of the state that are taken while a prompt is read.
        narrower: bytes that 8-bit matrices would save; 0 where they are in use.
    """

    language: int
    vision: int
    state: int
    prompt: int
    snapshots: int
    narrower: int

    @property
    def resident_bytes(self) -> int:
        """What is held as long as the model is on the device."""
        return self.language + self.vision + self.state

    @property
    def working_bytes(self) -> int:
        """What an answer takes besides."""
        return self.prompt + self.snapshots

    def __str__(self) -> str:
        """All parts in words."""
        return (
            f"{readable(self.resident_bytes + self.working_bytes)} of device memory: language model "
            f"{readable(self.language)}, vision model {readable(self.vision)}, state {readable(self.state)}, "
            f"reading a prompt {readable(self.prompt)}, snapshots {readable(self.snapshots)}"
        )


def plan_memory(
    checkpoint: CheckpointConfig, vision: VisionSettings, config: NemotronConfig, placing: Placing
) -> MemoryPlan:
    """
    Count what the model will take.

    Args:
        checkpoint, vision: of the folder.
        config: for the length of the context and what is kept of beginnings.
        placing: device and precision.

    Raises:
        ModelFileError: a file is absent or damaged.
    """
    entries = read_index(checkpoint.folder)
    language, seen = part(entries, "language"), part(entries, "vision")
    item = placing.dtype.itemsize
    others = [*seen.values(), *part(entries, "projector").values()]
    state = State(checkpoint.language, 1, config.context_tokens, "meta", placing.dtype)
    held = sum(_held_bytes(name, entry, placing) for name, entry in language.items())
    return MemoryPlan(
        language=held,
        vision=sum(_count(entry) for entry in others) * item,
        state=state.nbytes,
        prompt=max(_reading_bytes(checkpoint.language, item), _seeing_bytes(seen, vision, item)),
        snapshots=config.prefix_cache_mb << 20,
        narrower=sum(_saved_bytes(name, entry, placing) for name, entry in language.items()),
    )


def require_room(plan: MemoryPlan, budget_bytes: int, config: NemotronConfig) -> None:
    """
    Refuse before loading what will not fit.

    Raises:
        DeviceMemoryError: with what would help, the most first.
    """
    needed = plan.resident_bytes + plan.working_bytes
    if needed <= budget_bytes:
        return
    half = f"half the context, generator.nemotron.context_tokens {config.context_tokens // 2}"
    remedies = [
        (plan.narrower, "an FP8 checkpoint on a GPU that multiplies 8 bits"),
        (plan.snapshots, "generator.nemotron.prefix_cache_mb 0"),
        (plan.state // 2, f"{half}, where fewer max_tiles leave room for the same pages"),
    ]
    named = "; ".join(
        f"{what} (saves {readable(saved)})" for saved, what in sorted(remedies, reverse=True) if saved >> 20
    )
    raise DeviceMemoryError(
        f"the generator needs {plan}; models may take {readable(budget_bytes)}, {readable(needed - budget_bytes)} "
        f"less. What would help: {named}; or raise device.memory_mb if the device has more"
    )


def _count(entry: TensorEntry) -> int:
    return math.prod(entry.shape)


def _held_bytes(name: str, entry: TensorEntry, placing: Placing) -> int:
    last = name.rpartition(".")[2]
    if last in _SCALES:
        return 0
    if entry.dtype is torch.float8_e4m3fn and placing.keep_fp8:
        return _count(entry)
    numbers = _count(entry) * (2 if entry.dtype is torch.uint8 else 1)  # two 4-bit numbers in a byte
    return numbers * (4 if last in _FLOAT32 else placing.dtype.itemsize)


def _saved_bytes(name: str, entry: TensorEntry, placing: Placing) -> int:
    """What a matrix of a decoder layer would save in 8 bits."""
    is_matrix = len(entry.shape) == 2 and ".mixer." in name and name.endswith(".weight")
    if not is_matrix or (entry.dtype is torch.float8_e4m3fn and placing.keep_fp8):
        return 0
    numbers = _count(entry) * (2 if entry.dtype is torch.uint8 else 1)
    return numbers * (placing.dtype.itemsize - 1)


def _reading_bytes(settings: LanguageSettings, item: int) -> int:
    """A piece of a prompt in the widest layer: input and output twice in float32, the stream beside it, logits."""
    widest = max(settings.projection_size + 2 * settings.conv_dim, 2 * settings.intermediate_size)
    return PREFILL_TOKENS * (2 * widest * 4 + 4 * settings.hidden_size * item) + 8 * 4 * settings.vocab_size


def _seeing_bytes(seen: Mapping[str, TensorEntry], vision: VisionSettings, item: int) -> int:
    """A batch of tiles in a block of the vision model: pixels, the stream, queries, keys, values and the MLP."""
    shape = radio_shape(seen)
    patches = vision.patch_grid**2 + shape.class_tokens
    return BATCH_TILES * patches * (shape.patch_values + 6 * shape.width + 2 * shape.inner) * item
