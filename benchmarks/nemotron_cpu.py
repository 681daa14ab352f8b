"""
Measure the hybrid language model's own work per written token on a CPU, against transformers with its static cache.

    python benchmarks/nemotron_cpu.py

Both sides have the same random weights in the released layer pattern (62 layers) with small widths, so that what is
measured is mostly what a step costs beside its arithmetic: on a GPU it bounds the tokens per second in the same way.
Prompts are read outside of the measured time, which is the processor time of one thread. The sides take turns, and the
best round of each counts, because other programs only ever make a round slower. The row "every guess right" shows what
speculation can save at most: all tokens are guessed, seven at a time. Needs torch and transformers.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from machine import describe_machine
from tables import markdown, ratio

from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.inputs import TokenInputs
from ragvl.generator.nemotron.language.linear import DenseLinear
from ragvl.generator.nemotron.language.model import LanguageModel, tensor_table
from ragvl.generator.nemotron.language.weights import Role, Weights
from ragvl.generator.nemotron.request import Options
from ragvl.generator.nemotron.settings import LanguageSettings
from ragvl.generator.nemotron.speculation.ngrams import NgramDrafter

PATTERN = "M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M-"
BASELINE = "transformers, static cache"
Write = Callable[[int], list[int]]


def settings_of(hidden: int) -> LanguageSettings:
    """The released model, made narrow."""
    return LanguageSettings(
        pattern=PATTERN,
        vocab_size=512,
        hidden_size=hidden,
        intermediate_size=4 * hidden,
        attention_heads=hidden // 16,
        key_value_heads=hidden // 32,
        attention_head_dim=16,
        mamba_heads=hidden // 8,
        mamba_head_dim=16,
        mamba_groups=2,
        state_size=32,
    )


def make_peer(settings: LanguageSettings) -> Any:
    """The model in transformers, with random weights."""
    from transformers import NemotronHConfig, NemotronHForCausalLM

    torch.manual_seed(0)
    config = NemotronHConfig(
        hybrid_override_pattern=settings.pattern,
        vocab_size=settings.vocab_size,
        hidden_size=settings.hidden_size,
        intermediate_size=settings.intermediate_size,
        num_attention_heads=settings.attention_heads,
        num_key_value_heads=settings.key_value_heads,
        head_dim=settings.attention_head_dim,
        mamba_num_heads=settings.mamba_heads,
        mamba_head_dim=settings.mamba_head_dim,
        n_groups=settings.mamba_groups,
        ssm_state_size=settings.state_size,
        max_position_embeddings=4096,
        eos_token_id=None,
        pad_token_id=0,
    )
    peer = NemotronHForCausalLM(config).eval()
    for module in peer.modules():
        if hasattr(module, "time_step_limit"):
            module.time_step_limit = settings.dt_limit
    return peer


def make_model(settings: LanguageSettings, peer: Any) -> LanguageModel:
    """The same weights in ragvl's runtime."""
    stored = {name.removeprefix("model."): tensor.detach() for name, tensor in peer.state_dict().items()}
    table = tensor_table(settings)
    linears = {name: DenseLinear(stored[name]) for name, spec in table.items() if spec.role is Role.LINEAR}
    return LanguageModel.build(settings, Weights({name: stored[name] for name in table}, linears))


def writers(model: LanguageModel, peer: Any, prompt: tuple[int, ...], most: int) -> dict[str, Write]:
    """Every way to write a greedy answer of so many tokens, baseline first."""
    ids = torch.tensor([prompt])
    engine = Engine(model, capacity=len(prompt) + most)

    def by_peer(cache: str) -> Write:
        def write(count: int) -> list[int]:
            options = {"cache_implementation": cache} if cache == "static" else {}
            found = peer.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False, **options
            )
            tokens: list[int] = found[0, len(prompt) :].tolist()
            return tokens

        return write

    def by_ragvl(count: int) -> list[int]:
        return list(engine.stream(TokenInputs(prompt), Options(count)))

    answer = by_ragvl(most)
    drafter = NgramDrafter([answer])

    def by_guesses(count: int) -> list[int]:
        return list(engine.stream(TokenInputs(prompt), Options(count, drafter=drafter)))

    return {
        BASELINE: by_peer("static"),
        "transformers, growing cache": by_peer("dynamic"),
        "ragvl": by_ragvl,
        "ragvl, every guess right": by_guesses,
    }


def measure(write: Write, count: int) -> float:
    """Milliseconds a token, the first one, with the prompt before it, left out."""
    started = time.process_time()
    write(1)
    first = time.process_time()
    write(count)
    return ((time.process_time() - first) - (first - started)) / (count - 1) * 1000


def main() -> None:
    """Print one table a width."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hidden", type=int, nargs="+", default=[64, 512], help="widths (default: 64 512)")
    parser.add_argument("--prompt-tokens", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=48, help="of the answer (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(describe_machine(both=(sys.executable, ("ragvl", "torch", "transformers"))))
    for hidden in options.hidden:
        settings = settings_of(hidden)
        peer = make_peer(settings)
        prompt = tuple(range(1, options.prompt_tokens + 1))
        sides = writers(make_model(settings, peer), peer, prompt, options.tokens)
        answers = {name: write(options.tokens) for name, write in sides.items()}
        best = dict.fromkeys(sides, float("inf"))
        for _ in range(options.rounds):
            for name, write in sides.items():
                best[name] = min(best[name], measure(write, options.tokens))
        same = {name: answer == answers[BASELINE] for name, answer in answers.items()}
        rows = [
            [name, f"{value:.2f} ms", ratio(best[BASELINE], value), "yes" if same[name] else "no"]
            for name, value in best.items()
        ]
        title = f"Width {hidden}, {len(PATTERN)} layers, one thread: time a token"
        print(markdown(title, ("side", "ms a token", "faster", "same answer"), rows))


if __name__ == "__main__":
    main()
