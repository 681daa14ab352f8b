"""Launches of decode attention, and how the cache is cut on each architecture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import triton

from ragvl.generator.kernels.architecture import launching_on, row_for
from ragvl.generator.kernels.blocks import power_of_two
from ragvl.generator.kernels.cases import CompileCase
from ragvl.generator.kernels.decode_attention.kernels import attend_part_kernel, join_parts_kernel

__all__ = ["COMPILE_CASES", "Cut", "decode_attention"]

_INTERPRETED = not isinstance(attend_part_kernel, triton.JITFunction)
"""Triton's interpreter cannot compute in bfloat16."""

_SMALLEST_DOT = 16
_MOST_PARTS = 64


@dataclass(frozen=True)
class Cut:
    """Tokens of a block, warps and stages of a program, and how many programs it takes to fill the GPU."""

    block_t: int
    num_warps: int
    num_stages: int
    programs: int


CUTS: Mapping[int, Cut] = {
    80: Cut(64, 4, 2, 216),
    86: Cut(64, 4, 2, 164),
    89: Cut(64, 4, 2, 256),
    90: Cut(64, 4, 2, 256),
    100: Cut(64, 4, 2, 296),
    120: Cut(64, 4, 2, 340),
}


def decode_attention(
    q: torch.Tensor,
    k_cache: torch.Tensor,
    v_cache: torch.Tensor,
    length: torch.Tensor,
    *,
    key: torch.Tensor | None = None,
    value: torch.Tensor | None = None,
    scale: float | None = None,
    out: torch.Tensor | None = None,
    cut: Cut | None = None,
) -> torch.Tensor:
    """
    Launch the kernels; see the package's function for the arguments.

    `cut` replaces the table's row for the device: for a benchmark that looks for a better one.
    """
    batch, heads, width = q.shape
    kv_heads, capacity = k_cache.shape[1], k_cache.shape[2]
    cut = cut or row_for(CUTS, q.device)
    parts = _parts(cut, batch * kv_heads, capacity)
    out = torch.empty(batch, heads, width, dtype=q.dtype, device=q.device) if out is None else out
    sums = torch.empty(batch, heads, parts, width, dtype=torch.float32, device=q.device)
    weights = torch.empty(batch, heads, parts, dtype=torch.float32, device=q.device)
    new_key, new_value = (
        (k_cache[:, :, 0], v_cache[:, :, 0]) if key is None or value is None else (key, value)
    )
    with launching_on(q.device):
        attend_part_kernel[(parts, kv_heads, batch)](
            q,
            k_cache,
            v_cache,
            length,
            new_key,
            new_value,
            sums,
            weights,
            capacity,
            *q.stride()[:2],
            *k_cache.stride()[:3],
            *v_cache.stride()[:3],
            *new_key.stride()[:2],
            *new_value.stride()[:2],
            (width**-0.5 if scale is None else scale) * math.log2(math.e),
            PARTS=parts,
            SHARING=heads // kv_heads,
            WIDTH=width,
            APPEND=key is not None,
            WIDEN=_INTERPRETED,
            LANES=max(_SMALLEST_DOT, power_of_two(heads // kv_heads)),
            BLOCK_T=cut.block_t,
            BLOCK_D=max(_SMALLEST_DOT, power_of_two(width)),
            num_warps=cut.num_warps,
            num_stages=cut.num_stages,
            enable_fp_fusion=True,
        )
        join_parts_kernel[(heads, batch)](
            sums,
            weights,
            out,
            *out.stride()[:2],
            PARTS=parts,
            WIDTH=width,
            BLOCK_P=power_of_two(parts),
            BLOCK_D=power_of_two(width),
            num_warps=4,
            enable_fp_fusion=True,
        )
    return out


def _parts(cut: Cut, rows: int, capacity: int) -> int:
    """Return into how many parts the tokens are cut: it depends on the cache, never on what is in it."""
    wanted = max(1, cut.programs // rows)
    return min(wanted, _MOST_PARTS, -(-capacity // cut.block_t))


_TENSORS = ("q_ptr", "k_ptr", "v_ptr", "key_ptr", "value_ptr", "out_ptr")
_POINTERS = {**dict.fromkeys(_TENSORS, "*bf16"), **dict.fromkeys(("sums_ptr", "weights_ptr"), "*fp32")}
_STRIDES = (
    *("capacity", "q_batch", "q_head", "k_batch", "k_head", "k_token", "v_batch", "v_head", "v_token"),
    *("key_batch", "key_head", "value_batch", "value_head"),
)
COMPILE_CASES = (
    *(
        CompileCase(
            name="decode attention, a part",
            function=attend_part_kernel,
            signature={
                **{name: kind for name, kind in _POINTERS.items() if name != "out_ptr"},
                "length_ptr": "*i32",
                **dict.fromkeys(_STRIDES, "i32"),
                "scale_log2": "fp32",
            },
            constexprs={
                "PARTS": 32,
                "SHARING": 5,
                "WIDTH": 128,
                "APPEND": True,
                "WIDEN": False,
                "LANES": 16,
                "BLOCK_T": cut.block_t,
                "BLOCK_D": 128,
            },
            num_warps=cut.num_warps,
            num_stages=cut.num_stages,
            architectures=(architecture,),
        )
        for architecture, cut in CUTS.items()
    ),
    CompileCase(
        name="decode attention, join",
        function=join_parts_kernel,
        signature={
            **{name: _POINTERS[name] for name in ("sums_ptr", "weights_ptr", "out_ptr")},
            **dict.fromkeys(("out_batch", "out_head"), "i32"),
        },
        constexprs={"PARTS": 32, "WIDTH": 128, "BLOCK_P": 32, "BLOCK_D": 128},
    ),
)
