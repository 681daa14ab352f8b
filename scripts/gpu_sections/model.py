"""The whole language model at its true size, with random weights: what a token costs, and what a prompt costs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import torch

from gpu_sections.timing import NotRun
from ragvl.errors import RagvlError
from ragvl.generator.nemotron.decode import Decoder
from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.inputs import EmbeddedInputs
from ragvl.generator.nemotron.language.linear import DenseLinear, Fp8Linear, Linear
from ragvl.generator.nemotron.language.model import LanguageModel, tensor_table
from ragvl.generator.nemotron.language.weights import Role, TensorSpec, Weights
from ragvl.generator.nemotron.request import Options
from ragvl.generator.nemotron.settings import LanguageSettings
from ragvl.generator.nemotron.state import State

SETTINGS = LanguageSettings(
    pattern="M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M-",
    vocab_size=131_072,
    hidden_size=5120,
    intermediate_size=20_480,
    attention_heads=40,
    key_value_heads=8,
    attention_head_dim=128,
    mamba_heads=128,
    mamba_head_dim=80,
    mamba_groups=8,
    state_size=128,
)
_CONTEXTS = (2048, 16_384, 36_864)
_PAGES = {"4 pages": (4, 13_512), "10 pages": (10, 33_480)}
"""Name to pages and tokens: 13 tiles of 256 tokens for each page, and 200 tokens of text."""

_TILES = 13
_FREE_GIB = {False: 36, True: 24}
_STEPS = 64


def decode(known: dict[str, Any]) -> dict[str, Any]:
    """Measure a bfloat16 decode step."""
    return _decode(known, fp8=False)


def decode_fp8(known: dict[str, Any]) -> dict[str, Any]:
    """Measure a decode step with float8 weights."""
    if torch.cuda.get_device_capability() < (8, 9):
        raise NotRun("float8 needs compute capability 8.9")
    return _decode(known, fp8=True)


def ttft(_known: dict[str, Any]) -> dict[str, Any]:
    """Return seconds from tiles in host memory to the first token, bfloat16."""
    return {"rows": list(_first_tokens(fp8=False))}


def ttft_fp8(_known: dict[str, Any]) -> dict[str, Any]:
    """Return seconds from tiles in host memory to the first token, float8 weights and products."""
    if torch.cuda.get_device_capability() < (8, 9):
        raise NotRun("float8 needs compute capability 8.9")
    return {"rows": list(_first_tokens(fp8=True))}


def random_model(*, fp8: bool, settings: LanguageSettings = SETTINGS, device: str = "cuda") -> LanguageModel:
    """
    Make a model whose numbers stay in range over 62 layers; its answers mean nothing.

    Raises:
        NotRun: the GPU has too little memory left.
    """
    if device == "cuda":
        free = torch.cuda.mem_get_info()[0] / 2**30
        if free < _FREE_GIB[fp8]:
            raise NotRun(f"{free:.0f} GiB of GPU memory are free, {_FREE_GIB[fp8]} are needed")
    torch.manual_seed(0)
    tensors: dict[str, torch.Tensor] = {}
    linears: dict[str, Linear] = {}
    for name, spec in tensor_table(settings).items():
        if spec.role is Role.LINEAR:
            linears[name] = _linear(spec, device, fp8=fp8)
        else:
            tensors[name] = _plain(name, spec, device)
    return LanguageModel.build(settings, Weights(tensors, linears))


def _linear(spec: TensorSpec, device: str, *, fp8: bool) -> Linear:
    weight = torch.empty(spec.shape, dtype=torch.bfloat16, device=device)
    if not fp8:
        return DenseLinear(weight.normal_(std=0.3 / math.sqrt(spec.shape[1])))
    scale = torch.full((), 0.3 / math.sqrt(spec.shape[1]), device=device)
    return Fp8Linear(weight.normal_().to(torch.float8_e4m3fn), scale, None)


def _plain(name: str, spec: TensorSpec, device: str) -> torch.Tensor:
    dtype = torch.float32 if spec.role is Role.FLOAT32 else torch.bfloat16
    empty = torch.empty(spec.shape, dtype=dtype, device=device)
    if name.endswith("A_log"):
        return empty.uniform_(0.0, math.log(16.0))
    if name.endswith("dt_bias"):
        return empty.uniform_(-6.0, -2.0)
    if name.endswith("embeddings.weight"):
        return empty.normal_()
    if name.endswith(("norm.weight", "norm_f.weight", ".D")):
        return empty.fill_(1.0)
    return empty.normal_(std=0.3)


def _decode(known: dict[str, Any], *, fp8: bool) -> dict[str, Any]:
    model = random_model(fp8=fp8)
    copy = (known.get("roofs") or {}).get("copy_tb_per_s")
    weights = sum(tensor.nbytes for tensor in _matrices(model))
    found: dict[str, Any] = {"weight_gb": round(weights / 1e9, 3), "rows": []}
    for context in _CONTEXTS:
        state = _filled(model, context)
        decoder = Decoder(model, state)
        milliseconds = _step_ms(decoder)
        row = {"context": context, "ms_per_token": round(milliseconds, 3)}
        if copy:
            keys = 2 * state.keys[:, :, :, :context].nbytes
            floor = (weights + 2 * state.ssm.nbytes + 2 * state.conv.nbytes + keys) / (copy * 1e9)
            row |= {"floor_ms": round(floor, 3), "share_of_copy_bandwidth": round(floor / milliseconds, 3)}
        found["rows"].append(row)
        del state, decoder
        torch.cuda.empty_cache()
    found["eager_ms_per_token"] = round(_step_ms(Decoder(model, _filled(model, 2048), capture=False)), 3)
    found["launches_per_token"] = _launches(model)
    found["graph_gives_the_bits_of_eager"] = _same_bits(model)
    found["reading_and_writing_agree"] = _prompt_against_steps(model)
    return found


def _matrices(model: LanguageModel) -> Iterator[torch.Tensor]:
    """Yield what a token reads of the weights: every matrix but the embedding, of which it reads a row."""
    seen: set[int] = set()
    stack: list[Any] = [model.head, *model.layers]
    while stack:
        part = stack.pop()
        if isinstance(part, torch.Tensor):
            if part.data_ptr() not in seen:
                seen.add(part.data_ptr())
                yield part
        elif isinstance(part, tuple | list):
            stack.extend(part)
        elif hasattr(part, "__dataclass_fields__") and not isinstance(part, LanguageSettings):
            stack.extend(getattr(part, name) for name in part.__dataclass_fields__)


def _filled(model: LanguageModel, context: int) -> State:
    """Return a state that looks as if so many tokens had been read."""
    torch.manual_seed(1)
    state = model.new_state(1, context + 2 * _STEPS + 16)
    state.keys.normal_()
    state.values.normal_()
    state.lengths.fill_(context)
    return state


def _step_ms(decoder: Decoder) -> float:
    """Return milliseconds of a step, host work and the copy of the token included."""
    for _ in range(8):
        decoder.step([7])
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(_STEPS):
        decoder.step([7])
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / _STEPS * 1e3


def _launches(model: LanguageModel) -> int | str:
    from torch.profiler import ProfilerActivity, profile

    decoder = Decoder(model, _filled(model, 2048), capture=False)
    decoder.step([7])
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as record:
        decoder.step([7])
        torch.cuda.synchronize()
    kernels = [
        event
        for event in record.events()
        if event.device_type == torch.autograd.DeviceType.CUDA
        and not event.name.lower().startswith(("memcpy", "memset"))
    ]
    return len(kernels) or "the profiler saw no kernels"


def _same_bits(model: LanguageModel) -> bool:
    """Whether 16 replayed steps give the bits of 16 eager ones, twice."""
    runs = []
    for capture in (False, True, True):
        decoder = Decoder(model, _filled(model, 777), capture=capture)
        runs.append(torch.stack([decoder.step([token]).clone() for token in range(16)]))
    return all(torch.equal(runs[0], other) for other in runs[1:])


def _prompt_against_steps(model: LanguageModel) -> dict[str, float]:
    """Compare the logits after 300 tokens read at once with those after 280 read and 20 written."""
    ids = torch.randint(0, model.settings.vocab_size, (1, 300), device="cuda")
    whole = model.prefill(model.embed(ids), model.new_state(1, 320), 0)[0, -1]
    state = model.new_state(1, 320)
    model.prefill(model.embed(ids[:, :280]), state, 0, keep=0)
    decoder = Decoder(model, state)
    for token in ids[0, 280:].tolist():
        logits = decoder.step([token])
    difference = (logits[0] - whole).norm() / whole.norm()
    return {
        "relative_l2": round(float(difference), 5),
        "same_top_token": float(logits[0].argmax() == whole.argmax()),
    }


def _first_tokens(*, fp8: bool) -> Iterator[dict[str, Any]]:
    model = random_model(fp8=fp8)
    for name, (pages, tokens) in _PAGES.items():
        engine = Engine(model, slots=1, capacity=tokens + 64)
        prompt = EmbeddedInputs(torch.randn(tokens, model.settings.hidden_size, device="cuda").bfloat16())
        torch.cuda.reset_peak_memory_stats()
        taken = [_ttft_s(engine, prompt) for _ in range(4)][1:]
        row = {"prompt": name, "tokens": tokens, "language_model_s": round(sorted(taken)[1], 4)}
        row |= _vision(pages * _TILES)
        if "vision_s" in row:
            row["first_token_s"] = round(row["language_model_s"] + row["vision_s"], 4)
        yield row | {"peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 1)}
        del engine, prompt
        torch.cuda.empty_cache()


def _vision(tiles: int) -> dict[str, Any]:
    """Time the vision side, or say why it was not: the language model's numbers stand without it."""
    try:
        from gpu_sections.vision import random_vision, vision_s

        return vision_s(random_vision(), tiles)
    except (NotRun, ImportError, RuntimeError, RagvlError) as error:
        return {"vision_not_run": f"{type(error).__name__}: {error}".splitlines()[0]}


def _ttft_s(engine: Engine, prompt: EmbeddedInputs) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    request = engine.start(prompt, Options(max_tokens=2))
    torch.cuda.synchronize()
    taken = time.perf_counter() - start
    engine.cancel(request)
    return taken
