"""
Measure the state-space operations on a CPU against those that transformers falls back to without CUDA kernels.

    python benchmarks/ssm_cpu.py --length 2048 --repeats 5

Both sides get the same tensors in one process on one thread, in turn, round after round. Times are CPU time of the thread, the
least of the rounds: other programs only ever make a round slower. The peer's scan runs with chunks of 64, 128 and 256
tokens, and its best one counts. Results of both sides are compared before any is timed.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from machine import describe_machine
from tables import markdown, ratio, seconds
from torch.nn import functional

from ragvl.generator.kernels.conv1d_prefill import conv1d_prefill
from ragvl.generator.kernels.mamba_decode import mamba_decode
from ragvl.generator.kernels.ssd_prefill import ssd_prefill

PEER_CHUNKS = (64, 128, 256)
AGREEMENT = 1e-5
Run = Callable[[], torch.Tensor]


@dataclass(frozen=True)
class Layer:
    """Sizes of a Mamba-2 layer, and its inputs as slices of the buffer of its input projection."""

    heads: int
    head_dim: int
    groups: int
    state: int = 128

    @property
    def inner(self) -> int:
        """Channels of x."""
        return self.heads * self.head_dim

    @property
    def channels(self) -> int:
        """Channels of x, B and C."""
        return self.inner + 2 * self.groups * self.state

    def __str__(self) -> str:
        return f"{self.inner:,} ({self.heads} x {self.head_dim}, {self.groups} groups)"

    def projected(self, length: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
        """Return xBC (1, length, channels) and dt (1, length, heads)."""
        buffer = torch.randn(1, length, self.inner + self.channels + self.heads).to(dtype)
        return buffer[..., self.inner : -self.heads], buffer[..., -self.heads :]

    def rates(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return A, D and dt_bias as Mamba-2 initialises them: steps from 0.001 to 0.1."""
        steps = torch.exp(torch.empty(self.heads).uniform_(-6.9, -2.3))
        return -torch.empty(self.heads).uniform_(1, 16), torch.ones(self.heads), torch.log(torch.expm1(steps))

    def parted(self, xBC: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """View x, B and C, their last two axes split."""
        states = self.groups * self.state
        x, B, C = torch.split(xBC, [self.inner, states, states], -1)
        grouped = (self.groups, self.state)
        return (
            x.unflatten(-1, (self.heads, self.head_dim)),
            B.unflatten(-1, grouped),
            C.unflatten(-1, grouped),
        )


LAYERS = (Layer(24, 64, 1), Layer(64, 64, 8), Layer(128, 64, 8), Layer(128, 80, 8))


def least_times(runs: Mapping[str, Run], repeats: int) -> dict[str, float]:
    """Return the least CPU seconds of each run, after one that counts for nothing; all must agree with the first."""
    results = {name: run() for name, run in runs.items()}
    expected = next(iter(results.values())).double()
    for name, result in results.items():
        apart = float((result.double() - expected).norm() / expected.norm())
        if apart > AGREEMENT * (1 if result.dtype == torch.float32 else 1000):
            raise SystemExit(
                f"{name} differs from {next(iter(results))} by {apart:.1e}: nothing was measured"
            )
    del results
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(repeats):
        for name, run in runs.items():
            started = time.thread_time()
            run()
            best[name] = min(best[name], time.thread_time() - started)
    return best


def scan_runs(layer: Layer, length: int) -> dict[str, Run]:
    """Return the scan of both sides."""
    from transformers.models.nemotron_h.modeling_nemotron_h import mamba2_chunk_scan

    xBC, dt = layer.projected(length)
    x, B, C = layer.parted(xBC)
    A, D, bias = layer.rates()

    def peer(chunk: int) -> Run:
        options = {"D": D, "dt_bias": bias, "dt_softplus": True, "return_final_states": True}
        return lambda: mamba2_chunk_scan(x, dt, A, B, C, chunk, **options)[0]

    ours: dict[str, Run] = {"ragvl": lambda: ssd_prefill(x, dt, A, B, C, D=D, dt_bias=bias)[0]}
    return ours | {f"peer, chunks of {chunk}": peer(chunk) for chunk in PEER_CHUNKS}


def convolution_runs(layer: Layer, length: int, dtype: torch.dtype) -> dict[str, Run]:
    """Return the convolution of both sides; the peer's is that of transformers' torch path."""
    xBC, _ = layer.projected(length, dtype)
    w, b = (torch.randn(layer.channels, *shape).div(2).to(dtype) for shape in ((4,), ()))

    def peer() -> torch.Tensor:
        channels_first = xBC.transpose(1, 2)
        mixed = functional.conv1d(channels_first, w[:, None], b, padding=3, groups=layer.channels)
        return functional.silu(mixed[..., :length]).transpose(1, 2)

    return {"ragvl": lambda: conv1d_prefill(xBC, w, b)[0], "peer": peer}


def step_runs(layer: Layer) -> dict[str, Run]:
    """Return one decoding step of both sides, each with states of its own."""
    from transformers.models.nemotron_h.modeling_nemotron_h import (
        causal_conv1d_update,
        mamba2_selective_state_update,
    )

    xBC, dt = (each[:, 0] for each in layer.projected(1))
    A, D, bias = layer.rates()
    w, b = torch.randn(layer.channels, 4) / 2, torch.randn(layer.channels)
    ring, state = torch.zeros(1, layer.channels, 4), torch.zeros(1, layer.heads, layer.head_dim, layer.state)
    peer_ring, peer_state, pos = ring.clone(), state.clone(), torch.zeros(1, dtype=torch.int32)
    out = torch.empty(1, layer.inner)
    over_head, over_state = (-1, layer.head_dim), (-1, layer.head_dim, layer.state)

    def ours() -> torch.Tensor:
        pos.add_(1)
        return mamba_decode(xBC, dt, ring, pos, state, w, b, A, D, bias, out)

    def peer() -> torch.Tensor:
        x, B, C = layer.parted(causal_conv1d_update(xBC[..., None], peer_ring, w, b, "silu")[..., 0])
        steps = dt[..., None].expand(-1, *over_head)
        y = mamba2_selective_state_update(
            peer_state,
            x,
            steps,
            A[:, None, None].expand(over_state),
            B,
            C,
            D[:, None].expand(over_head),
            dt_bias=bias[:, None].expand(over_head),
            dt_softplus=True,
        )
        return y.flatten(1)

    return {"ragvl": ours, "peer": peer}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--length", type=int, default=2048, help="tokens of a prompt (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default: %(default)s)")
    options = parser.parse_args()
    length, repeats = options.length, options.repeats
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with torch.inference_mode():
        tables = [
            scan_table(length, repeats),
            convolution_table(length, repeats),
            step_table(20 * repeats),
        ]
    packages = ("ragvl", "torch", "transformers")
    print(describe_machine(python=(sys.executable, packages)))
    print("\n".join(tables))


def scan_table(length: int, repeats: int) -> str:
    """Measure the scan at every size."""
    rows = []
    for layer in LAYERS:
        best = least_times(scan_runs(layer, length), repeats)
        peers = {name: value for name, value in best.items() if name != "ragvl"}
        quickest = min(peers, key=peers.__getitem__)
        chunk = quickest.rsplit(" ", 1)[1]
        rows.append(
            [
                str(layer),
                seconds(best["ragvl"]),
                f"{seconds(peers[quickest])} ({chunk})",
                ratio(peers[quickest], best["ragvl"]),
            ]
        )
    header = ["inner width", "ragvl", "transformers (its best chunk)", "times faster"]
    return markdown(f"Scan of {length:,} tokens, float32", header, rows)


def convolution_table(length: int, repeats: int) -> str:
    """Measure the convolution at the model's width."""
    rows = []
    for dtype in (torch.float32, torch.bfloat16):
        best = least_times(convolution_runs(LAYERS[-1], length, dtype), repeats)
        name = str(dtype).removeprefix("torch.")
        rows.append([name, seconds(best["ragvl"]), seconds(best["peer"]), ratio(best["peer"], best["ragvl"])])
    header = ["input", "ragvl", "conv1d and silu", "times faster"]
    return markdown(f"Convolution of {length:,} tokens, {LAYERS[-1].channels:,} channels", header, rows)


def step_table(repeats: int) -> str:
    """Measure one decoding step: convolution and state update."""
    rows = []
    for layer in LAYERS:
        best = least_times(step_runs(layer), repeats)
        times = [f"{best[side] * 1e6:.0f} µs" for side in ("ragvl", "peer")]
        rows.append([str(layer), *times, ratio(best["peer"], best["ragvl"])])
    header = ["inner width", "ragvl", "transformers", "times faster"]
    return markdown("One decoding step, float32", header, rows)


if __name__ == "__main__":
    main()
