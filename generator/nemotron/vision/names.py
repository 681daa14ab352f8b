"""The checkpoint's names of the vision model's tensors, and transformers' names for the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.checkpoint.entries import TensorEntry
from ragvl.generator.nemotron.checkpoint.index import listed

__all__ = ["CLASS_TOKENS", "PATCHES", "POSITIONS", "RadioShape", "match_radio", "radio_shape"]

PATCHES = "embeddings.patch_projection.weight"
POSITIONS = "embeddings.position_embedding"
CLASS_TOKENS = "embeddings.cls_register_token"

_GENERATOR = "radio_model.model.patch_generator."
_PLAIN = {
    f"{_GENERATOR}embedder.weight": PATCHES,
    f"{_GENERATOR}pos_embed": POSITIONS,
    f"{_GENERATOR}cls_token.token": CLASS_TOKENS,
}
_BLOCK = re.compile(r"radio_model\.model\.blocks\.(\d+)\.(.+)")
_IN_BLOCK = {"attn.proj": "attention.o_proj", "attn.qkv": "attention.{}_proj"} | {
    name: name for name in ("norm1", "norm2", "mlp.fc1", "mlp.fc2")
}
# Pixels are normalised before, and the summary of a picture is not used.
_DROPPED = re.compile(r"radio_model\.(input_conditioner\.norm_(mean|std)|summary_idxs)")


@dataclass(frozen=True, slots=True)
class RadioShape:
    """
    Sizes of the vision model, from its tensors' shapes.

    Attributes:
        width: of a patch's vector.
        layers: number of blocks.
        inner: width inside of a block's MLP.
        class_tokens: vectors that stand before the patches and are dropped at the end, registers among them.
        position_grid: edge of the square of position embeddings.
        patch_values: numbers of a patch: three channels of pixels.
        has_qkv_bias: whether queries, keys and values have a bias.
    """

    width: int
    layers: int
    inner: int
    class_tokens: int
    position_grid: int
    patch_values: int
    has_qkv_bias: bool


def match_radio(entries: Mapping[str, TensorEntry]) -> Mapping[str, tuple[str, ...]]:
    """
    Give each tensor of the checkpoint its name in transformers, or three: queries, keys and values are one tensor.

    Args:
        entries: the part "vision" of a checkpoint.

    Raises:
        ModelFileError: tensors are there that the vision model does not have.
    """
    found = {name: _native(name) for name in entries if not _DROPPED.fullmatch(name)}
    strange = sorted(entries[name].name for name, native in found.items() if not native)
    if strange:
        raise ModelFileError(f"the vision model has no tensors of these names:\n{listed(strange)}")
    return found


def radio_shape(entries: Mapping[str, TensorEntry]) -> RadioShape:
    """
    Read the sizes of the vision model.

    Args:
        entries: the part "vision" of a checkpoint.

    Raises:
        ModelFileError: one of the tensors that tell them is absent, or has another form.
    """
    numbers = {int(found.group(1)) for name in entries if (found := _BLOCK.fullmatch(name))}
    width, patch_values = _shape(entries, f"{_GENERATOR}embedder.weight", 2)
    positions = _shape(entries, f"{_GENERATOR}pos_embed", 3)
    grid = round(positions[1] ** 0.5)
    if positions != (1, grid * grid, width):
        raise ModelFileError(
            f"the vision model's pos_embed has the shape {positions}; (1, a square number, {width}) is needed"
        )
    return RadioShape(
        width=width,
        layers=len(numbers),
        inner=_shape(entries, "radio_model.model.blocks.0.mlp.fc1.weight", 2)[0],
        class_tokens=_shape(entries, f"{_GENERATOR}cls_token.token", 2)[0],
        position_grid=grid,
        patch_values=patch_values,
        has_qkv_bias="radio_model.model.blocks.0.attn.qkv.bias" in entries,
    )


def _shape(entries: Mapping[str, TensorEntry], name: str, rank: int) -> tuple[int, ...]:
    if name not in entries:
        raise ModelFileError(f"the vision model's tensor {name} is absent; is the checkpoint complete?")
    shape = entries[name].shape
    if len(shape) != rank:
        raise ModelFileError(f"{entries[name].name} has the shape {shape}; {rank} axes are needed")
    return shape


def _native(name: str) -> tuple[str, ...]:
    if name in _PLAIN:
        return (_PLAIN[name],)
    found = _BLOCK.fullmatch(name)
    if not found:
        return ()
    module, _, last = found.group(2).rpartition(".")
    if module not in _IN_BLOCK or last not in ("weight", "bias"):
        return ()
    native = f"encoder.layer.{found.group(1)}.{_IN_BLOCK[module]}.{last}"
    return tuple(native.format(head) for head in "qkv") if "{}" in native else (native,)
