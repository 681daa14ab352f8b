"""From the vision model's width to the language model's: norm, matrix, squared positive part, matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.checkpoint.entries import TensorEntry
from ragvl.generator.nemotron.checkpoint.index import listed
from ragvl.generator.nemotron.checkpoint.matrices import read_matrix, read_plain
from ragvl.generator.nemotron.checkpoint.quantised import multiplies_fp8
from ragvl.generator.nemotron.checkpoint.reading import TensorReader
from ragvl.generator.nemotron.language.linear import Linear, squared_wide

__all__ = ["Projector", "load_projector"]

_EPS = 1e-5
_NORM, _UP, _DOWN = "0", "1", "3"
_SCALES = ("weight_scale", "weight_scale_2", "input_scale")


@dataclass(frozen=True, slots=True, eq=False)
class Projector:
    """
    Two linear layers behind a root-mean-square norm.

    Attributes:
        norm: (in_features,) float32.
        up: to the inner width.
        down: to the language model's width.
    """

    norm: torch.Tensor
    up: Linear
    down: Linear

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Project (..., in_features) to (..., hidden); the norm is computed in float32."""
        normed = F.rms_norm(features.float(), self.norm.shape, self.norm, _EPS).to(features.dtype)
        return squared_wide(self.down, self.up.wide(normed))


def load_projector(
    entries: Mapping[str, TensorEntry],
    reader: TensorReader,
    device: torch.device,
    dtype: torch.dtype,
    *,
    in_features: int,
) -> Projector:
    """
    Read the projector of a checkpoint; its matrices may be quantised, as those of the language model.

    Args:
        entries: the part "projector" of the checkpoint.
        reader: of the device.
        device: where the projector goes.
        dtype: of matrices that are not kept in 8 bits.
        in_features: width of what it is given.

    Raises:
        ModelFileError: the tensors are not those of a projector of this width.
    """
    wanted = {f"{number}.weight" for number in (_NORM, _UP, _DOWN)}
    known = wanted | {f"{number}.{scale}" for number in (_UP, _DOWN) for scale in _SCALES}
    missing, strange = sorted(wanted - set(entries)), sorted(set(entries) - known)
    if missing or strange:
        lists = [
            f"{kind}:\n{listed([f'mlp1.{name}' for name in names])}"
            for kind, names in (("missing", missing), ("unexpected", strange))
            if names
        ]
        raise ModelFileError("the projector's tensors are not those of the model\n" + "\n".join(lists))
    norm = entries[f"{_NORM}.weight"]
    if norm.shape != (in_features,):
        raise ModelFileError(f"{norm.name} has the shape {norm.shape}; ({in_features},) is needed")

    def matrix(number: str) -> Linear:
        beside = {scale: entries[f"{number}.{scale}"] for scale in _SCALES if f"{number}.{scale}" in entries}
        return read_matrix(
            reader, entries[f"{number}.weight"], beside, dtype, keep_fp8=multiplies_fp8(device)
        )

    return Projector(read_plain(reader, norm, torch.float32), matrix(_UP), matrix(_DOWN))
