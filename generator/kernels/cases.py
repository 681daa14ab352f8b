"""What the compile gate compiles: one kernel, one set of argument types, the limits that it must keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ARCHITECTURES = (80, 86, 89, 90, 100, 120)
"""The NVIDIA architectures that ragvl's kernels are compiled for: compute capability times ten."""


@dataclass(frozen=True)
class CompileCase:
    """
    One kernel as it would be launched.

    `signature` names the type of every argument that is not a constexpr ("*bf16", "i32", "fp32"), `constexprs`
    the value of every one that is. Pointers and i32 arguments count as multiples of 16, as Triton finds them at
    launch, but those in `odd`.
    """

    name: str
    function: Any
    signature: Mapping[str, str]
    constexprs: Mapping[str, object] = field(default_factory=dict)
    num_warps: int = 4
    num_stages: int = 2
    max_stack_bytes: int | Mapping[int, int] = 0
    """Stack that a thread may use, which is where spilled registers go: for all, or for each architecture (else 0)."""
    architectures: tuple[int, ...] = ARCHITECTURES
    wgmma: bool = False
    """Whether its dots have to become warp-group instructions on architecture 90."""
    odd: tuple[str, ...] = ()
