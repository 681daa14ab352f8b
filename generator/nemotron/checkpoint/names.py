"""The checkpoint's names of the language model's tensors, and what comes with a quantised matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.checkpoint.entries import TensorEntry
from ragvl.generator.nemotron.checkpoint.index import listed
from ragvl.generator.nemotron.language.weights import Role, TensorSpec

__all__ = ["NamedTensors", "match_names", "own_name"]

_BACKBONE = "backbone."
_COMPANIONS = ("weight_scale", "weight_scale_2", "input_scale")
_UNUSED = ("k_scale", "v_scale")  # of an 8-bit key-value cache


@dataclass(frozen=True, slots=True)
class NamedTensors:
    """
    The language model's tensors by its own names.

    Attributes:
        tensors: as `tensor_table` names them.
        companions: of a quantised matrix: `X.weight` to what lies beside it, by its last name.
        unused: names, in the checkpoint, of scales that are passed over.
    """

    tensors: Mapping[str, TensorEntry]
    companions: Mapping[str, Mapping[str, TensorEntry]]
    unused: tuple[str, ...]


def own_name(name: str) -> str:
    """The model's own name of a tensor, from that below `language_model.` in the checkpoint."""
    return name.removeprefix(_BACKBONE)


def match_names(entries: Mapping[str, TensorEntry], table: Mapping[str, TensorSpec]) -> NamedTensors:
    """
    Find each tensor that the model needs, and check that there is nothing else.

    Args:
        entries: the part "language" of a checkpoint.
        table: what the model needs.

    Raises:
        ModelFileError: tensors are missing, unexpected or of another shape; all of them are listed.
    """
    tensors: dict[str, TensorEntry] = {}
    companions: dict[str, dict[str, TensorEntry]] = {}
    unexpected, unused = [], []
    for name, entry in entries.items():
        own, (module, _, last) = own_name(name), own_name(name).rpartition(".")
        owner = f"{module}.weight"
        linear = owner in table and table[owner].role is Role.LINEAR
        if own in table and (name.startswith(_BACKBONE) or own.startswith("lm_head.")):
            tensors[own] = entry
        elif linear and last in _COMPANIONS:
            companions.setdefault(owner, {})[last] = entry
        elif linear and last in _UNUSED:
            unused.append(entry.name)
        else:
            unexpected.append(entry.name)
    faults = {
        "missing": [_full_name(name) for name in table if name not in tensors],
        "unexpected": sorted(unexpected),
        "of another shape": _misshapen(tensors, companions, table),
    }
    if any(faults.values()):
        lists = [f"{kind}:\n{listed(names)}" for kind, names in faults.items() if names]
        raise ModelFileError(
            "the language model's tensors do not fit its config.json; is the checkpoint complete?\n"
            + "\n".join(lists)
        )
    return NamedTensors(tensors, companions, tuple(unused))


def _full_name(own: str) -> str:
    return f"language_model.{own}" if own.startswith("lm_head.") else f"language_model.{_BACKBONE}{own}"


def _misshapen(
    tensors: Mapping[str, TensorEntry],
    companions: Mapping[str, Mapping[str, TensorEntry]],
    table: Mapping[str, TensorSpec],
) -> list[str]:
    found = []
    for own, entry in tensors.items():
        wanted = table[own].shape
        if "weight_scale_2" in companions.get(own, {}):
            wanted = (wanted[0], wanted[1] // 2)  # two 4-bit numbers in a byte
        if entry.shape != wanted:
            found.append(f"{entry.name}: {entry.shape}, needed {wanted}")
    return found
