"""The other kernels at the 12B model's sizes: times, and how much of the copy bandwidth they use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from gpu_sections.timing import NotRun, gpu_times
from ragvl.generator.kernels.conv1d_prefill import conv1d_prefill
from ragvl.generator.kernels.decode_attention import decode_attention
from ragvl.generator.kernels.gated_group_rmsnorm import gated_group_rmsnorm
from ragvl.generator.kernels.gemv import gemv
from ragvl.generator.kernels.mamba_decode import mamba_decode
from ragvl.generator.kernels.relu2 import relu2
from ragvl.generator.kernels.residual_rmsnorm import residual_rmsnorm

_TOKENS = 13_512
_HIDDEN, _WIDE, _INNER, _CHANNELS, _MAMBA_HEADS = 5120, 20_480, 10_240, 12_288, 128
_MATRICES = {
    "in_proj": (22_656, _HIDDEN),
    "out_proj": (_HIDDEN, _INNER),
    "up": (_WIDE, _HIDDEN),
    "down": (_HIDDEN, _WIDE),
    "qkv": (7168, _HIDDEN),
    "o": (_HIDDEN, _HIDDEN),
    "head": (131_072, _HIDDEN),
}
_CONTEXTS = (2048, 16_384, 36_864)

Timed = tuple[str, Callable[[], Any], int]


def run(known: dict[str, Any]) -> dict[str, Any]:
    """Return a row for each operation and size: times, bytes that have to be moved, share of the bandwidth."""
    copy = (known.get("roofs") or {}).get("copy_tb_per_s")
    rows = []
    for part in (_prefill, _thin, _attention, _recurrence):
        try:
            for name, call, moved in part():
                rows.append(_row(name, call, moved, copy))
        except (NotRun, RuntimeError) as error:
            rows.append({"name": part.__name__.strip("_"), "not_run": str(error).splitlines()[0]})
        torch.cuda.empty_cache()
    return {"rows": rows}


def _row(name: str, call: Callable[[], Any], moved: int, copy: float | None) -> dict[str, Any]:
    times = gpu_times(call)
    row = {"name": name, **times.row(), "megabytes": round(moved / 1e6, 2)}
    if copy:
        row["share_of_copy_bandwidth"] = round(moved / (times.median_ms * 1e9) / copy, 3)
    return row


def _drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, device="cuda", dtype=torch.bfloat16)


def _prefill() -> Iterator[Timed]:
    buffer = _drawn(1, _TOKENS, _INNER + _CHANNELS + _MAMBA_HEADS)
    gate, channels, _ = buffer.split([_INNER, _CHANNELS, _MAMBA_HEADS], dim=-1)
    y, weight = _drawn(1, _TOKENS, _INNER), _drawn(_INNER)
    taps, bias = _drawn(_CHANNELS, 4), _drawn(_CHANNELS)
    hidden, residual, norm = _drawn(1, _TOKENS, _HIDDEN), _drawn(1, _TOKENS, _HIDDEN), _drawn(_HIDDEN)
    wide = _drawn(1, _TOKENS, _WIDE)
    yield "conv1d_prefill", lambda: conv1d_prefill(channels, taps, bias), 2 * channels.numel() * 2
    normed = torch.empty_like(y)
    yield (
        "gated_group_rmsnorm",
        lambda: gated_group_rmsnorm(y, gate, weight, group_size=1280, out=normed),
        3 * y.nbytes,
    )
    yield "residual_rmsnorm", lambda: residual_rmsnorm(hidden, residual, norm), 4 * hidden.nbytes
    yield "relu2", lambda: relu2(wide, out=wide), 2 * wide.nbytes


def _thin() -> Iterator[Timed]:
    scale = torch.ones(1, device="cuda")
    for name, (outputs, inputs) in _MATRICES.items():
        weight = _drawn(outputs, inputs) * 0.02
        narrow = weight.to(torch.float8_e4m3fn)
        for rows in (1, 4, 8):
            x = _drawn(rows, inputs)
            form = _form(name, x, outputs)
            yield f"gemv {name}, rows: {rows}, bf16", _thin_call(x, weight, form), weight.nbytes
            yield (
                f"gemv {name}, rows: {rows}, fp8",
                _thin_call(x, narrow, form | {"scale": scale}),
                narrow.nbytes,
            )
        yield f"cuBLAS {name}, rows: 1, bf16", _plain_call(_drawn(1, inputs), weight), weight.nbytes


def _form(name: str, x: torch.Tensor, outputs: int) -> dict[str, Any]:
    """Return what comes before and after a matrix in the decode step."""
    form: dict[str, Any] = {}
    if name in ("in_proj", "up", "qkv", "head", "out_proj"):
        form["norm_weight"] = _drawn(x.shape[1])
    if name == "out_proj":
        form |= {"gate": _drawn(*x.shape), "group_size": 1280}
    if name == "up":
        form["activation"] = "relu2"
    if name in ("out_proj", "down", "o"):
        form["residual"] = _drawn(x.shape[0], outputs)
    return form


def _thin_call(x: torch.Tensor, weight: torch.Tensor, form: dict[str, Any]) -> Callable[[], Any]:
    return lambda: gemv(x, weight, **form)


def _plain_call(x: torch.Tensor, weight: torch.Tensor) -> Callable[[], Any]:
    return lambda: x @ weight.T


def _attention() -> Iterator[Timed]:
    for context in _CONTEXTS:
        keys, values = _drawn(1, 8, context + 64, 128), _drawn(1, 8, context + 64, 128)
        q, key, value = _drawn(1, 40, 128), _drawn(1, 8, 128), _drawn(1, 8, 128)
        length = torch.full((1,), context, dtype=torch.int32, device="cuda")
        moved = 2 * 8 * context * 128 * 2

        def attend(
            q: torch.Tensor = q,
            keys: torch.Tensor = keys,
            values: torch.Tensor = values,
            length: torch.Tensor = length,
            key: torch.Tensor = key,
            value: torch.Tensor = value,
        ) -> Any:
            return decode_attention(q, keys, values, length, key=key, value=value)

        yield f"decode_attention, {context} tokens", attend, moved


def _recurrence() -> Iterator[Timed]:
    state = torch.randn(1, _MAMBA_HEADS, 80, 128, device="cuda")
    ring, position = _drawn(1, _CHANNELS, 4), torch.full((1,), 7, dtype=torch.int32, device="cuda")
    channels, dt = _drawn(1, _CHANNELS), _drawn(1, _MAMBA_HEADS)
    taps, bias = _drawn(_CHANNELS, 4), _drawn(_CHANNELS)
    decay = -torch.ones(_MAMBA_HEADS, device="cuda")
    skip, dt_bias = torch.ones(_MAMBA_HEADS, device="cuda"), torch.zeros(_MAMBA_HEADS, device="cuda")
    out = _drawn(1, _INNER)
    yield (
        "mamba_decode",
        lambda: mamba_decode(channels, dt, ring, position, state, taps, bias, decay, skip, dt_bias, out),
        2 * state.nbytes + 2 * ring.nbytes,
    )
