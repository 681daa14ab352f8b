"""Moves a model between device and host, whatever its layers are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch

__all__ = ["moved"]

_Part = TypeVar("_Part")


def moved(part: _Part, device: torch.device | str) -> _Part:
    """
    Copy a value made of dataclasses, tuples and tensors, with all tensors on another device.

    What holds no tensors, or only such as are there already, is not copied.
    """
    found: Any = _moved(part, torch.device(device))
    return found  # type: ignore[no-any-return]  # of the same type as `part`


def _moved(part: Any, device: torch.device) -> Any:
    if isinstance(part, torch.Tensor):
        return part.to(device)
    if is_dataclass(part) and not isinstance(part, type):
        own = [one.name for one in fields(part)]
        return _kept(part, own, device)
    if isinstance(part, tuple | list):
        new = [_moved(one, device) for one in part]
        return type(part)(new) if any(a is not b for a, b in zip(new, part, strict=True)) else part
    return part


def _kept(part: Any, names: Sequence[str], device: torch.device) -> Any:
    new = {name: _moved(getattr(part, name), device) for name in names}
    changed = {name: value for name, value in new.items() if value is not getattr(part, name)}
    return replace(part, **changed) if changed else part
