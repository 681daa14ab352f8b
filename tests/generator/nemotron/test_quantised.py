"""FP8 and NVFP4 checkpoints, as ModelOpt writes them, load to exactly the numbers they were made of."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.checkpoint.loading import load_language
from ragvl.generator.nemotron.checkpoint.quantised import dequantise_fp4, dequantise_fp8
from ragvl.generator.nemotron.language.linear import (
    DenseLinear,
    Fp8Linear,
    StackedLinear,
    fused,
    squared_wide,
    stack,
)
from ragvl.generator.nemotron.settings import read_config
from tests.generator.nemotron.tiny import language_tensors, oracle, write_checkpoint

Tensors = dict[str, torch.Tensor]
FP4 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
QUANTISED = ("in_proj", "out_proj", "up_proj", "down_proj", "q_proj", "k_proj", "v_proj", "o_proj")


def _is_quantised(name: str) -> bool:
    return name.rpartition(".")[0].endswith(QUANTISED)


def _fp8(
    name: str, matrix: torch.Tensor, *, scale_shape: tuple[int, ...] = ()
) -> tuple[Tensors, torch.Tensor]:
    """A matrix in 8 bits with its scales, and the float32 numbers that these stand for."""
    module = name.removesuffix("weight")
    scale = (matrix.abs().amax() / 448).reshape(scale_shape)
    narrow = (matrix / scale).to(torch.float8_e4m3fn)
    stored = {name: narrow, f"{module}weight_scale": scale, f"{module}input_scale": torch.tensor(0.02)}
    exact = torch.tensor([[value * float(scale) for value in row] for row in narrow.double().tolist()])
    return stored, exact


def _fp4(name: str, shape: torch.Size, seed: int) -> tuple[Tensors, torch.Tensor]:
    """A random matrix in 4 bits with its scales, number by number, and the numbers that these stand for."""
    random = torch.Generator().manual_seed(seed)
    rows, columns = shape
    codes = torch.randint(0, 16, (rows, columns), generator=random)
    blocks = (torch.rand(rows, columns // 16, generator=random) * 4 + 0.1).to(torch.float8_e4m3fn)
    scale = torch.tensor(0.0173)
    block_scales = blocks.float().tolist()
    numbers: list[list[float]] = []
    halves: list[list[int]] = []
    for row, row_codes in enumerate(codes.tolist()):
        numbers.append([])
        halves.append([0] * (columns // 2))
        for column, code in enumerate(row_codes):
            halves[row][column // 2] |= code << (4 * (column % 2))
            sign = -1.0 if code & 8 else 1.0
            numbers[row].append(sign * FP4[code & 7] * block_scales[row][column // 16] * float(scale))
    packed, exact = torch.tensor(halves, dtype=torch.uint8), torch.tensor(numbers, dtype=torch.float64)
    module = name.removesuffix("weight")
    stored = {
        name: packed,
        f"{module}weight_scale": blocks,
        f"{module}weight_scale_2": scale,
        f"{module}input_scale": torch.tensor(0.01),
    }
    return stored, exact.float()


def _checkpoint(kind: str) -> tuple[Tensors, Tensors]:
    """A quantised checkpoint, and the same in float32."""
    stored: Tensors = {}
    exact: Tensors = {}
    for seed, (name, tensor) in enumerate(language_tensors().items()):
        if not _is_quantised(name):
            own, numbers = {name: tensor}, tensor
        elif kind == "fp8":
            own, numbers = _fp8(name, tensor)
        else:
            own, numbers = _fp4(name, tensor.shape, seed)
        stored |= own
        exact[name] = numbers
    return stored, exact


def _matrices(model: Any) -> dict[str, torch.Tensor]:
    fields = {"M": ("input", "output"), "-": ("up", "down"), "*": ("qkv", "output")}
    return {
        f"{number}.{field}": getattr(layer, field).weight
        for number, (letter, layer) in enumerate(zip(model.settings.pattern, model.layers, strict=True))
        for field in fields[letter]
    }


@pytest.mark.parametrize("kind", ["fp8", "nvfp4"])
def test_widened_to_exactly_the_right_numbers(tmp_path: Path, kind: str) -> None:
    """Every quantised matrix becomes the numbers it stands for, bit for bit, and the logits follow."""
    stored, exact = _checkpoint(kind)
    model, report = load_language(
        read_config(write_checkpoint(tmp_path / "q", stored)), "cpu", keep_fp8=False
    )
    plain, _ = load_language(read_config(write_checkpoint(tmp_path / "f", exact)), "cpu")
    assert report.formats == {"full": 1, "fp8": 0, "nvfp4": 0} | {kind: 18}
    found, expected = _matrices(model), _matrices(plain)
    assert found.keys() == expected.keys()
    for name, matrix in expected.items():
        assert torch.equal(found[name], matrix), name
    ids = torch.arange(5, 25)[None]
    with torch.inference_mode():
        logits = model.prefill(model.embed(ids), model.new_state(1, 20), 0, keep=20)
        reference = oracle(exact)(ids, use_cache=False).logits
    assert float((logits - reference).abs().max()) < 1e-4 * max(1.0, float(reference.abs().max()))


def test_sixteen_bits_are_rounded_once() -> None:
    """Widened to bfloat16, a number is the nearest one to its exact value."""
    stored, exact = _fp4("x.weight", torch.Size((4, 32)), 3)
    found = dequantise_fp4(
        stored["x.weight"], stored["x.weight_scale"], stored["x.weight_scale_2"], torch.bfloat16
    )
    assert torch.equal(found, exact.bfloat16())
    stored, exact = _fp8("x.weight", torch.linspace(-3, 3, 64).view(4, 16))
    found = dequantise_fp8(stored["x.weight"], stored["x.weight_scale"], torch.bfloat16)
    assert torch.equal(found, exact.bfloat16())


def test_more_rows_than_are_widened_at_once() -> None:
    """A tall matrix is widened piece by piece, without a seam."""
    packed = torch.arange(2500, dtype=torch.int64).remainder(256).to(torch.uint8)[:, None].repeat(1, 8)
    scale = torch.ones(2500, 1).to(torch.float8_e4m3fn)
    found = dequantise_fp4(packed, scale, torch.tensor(2.0), torch.float32)
    signed = [*FP4, *(-magnitude for magnitude in FP4)]
    assert found[:, 0].tolist() == [2 * signed[row % 256 & 15] for row in range(2500)]
    assert found[:, 1].tolist() == [2 * signed[row % 256 >> 4] for row in range(2500)]


@pytest.mark.parametrize("scale_shape", [(), (1,), (1, 1)])
def test_a_scale_of_any_shape_that_is_one_number(tmp_path: Path, scale_shape: tuple[int, ...]) -> None:
    """Writers differ in how they shape a single scale."""
    name = "language_model.backbone.layers.1.mixer.up_proj.weight"
    tensors = language_tensors()
    own, exact = _fp8(name, tensors[name], scale_shape=scale_shape)
    folder = write_checkpoint(tmp_path, tensors | own)
    assert torch.equal(_matrices(load_language(read_config(folder), "cpu")[0])["1.up"], exact)


def test_kept_in_eight_bits(tmp_path: Path) -> None:
    """Kept matrices stay in 8 bits, multiply many rows in 8 bits, and a few as widened ones do."""
    stored, exact = _checkpoint("fp8")
    config = read_config(write_checkpoint(tmp_path, stored))
    kept, report = load_language(config, "cpu", dtype=torch.bfloat16, keep_fp8=True)
    assert report.kept_fp8
    layer: Any = kept.layers[1]
    assert isinstance(layer.up, Fp8Linear)
    assert layer.up.weight.dtype == torch.float8_e4m3fn
    matrix = exact["language_model.backbone.layers.1.mixer.up_proj.weight"]
    few = torch.randn(3, 32, generator=torch.Generator().manual_seed(0)).bfloat16()
    many = few.repeat(8, 1)
    expected = few.float() @ matrix.T
    assert float((layer.up.wide(few).float() - expected).norm() / expected.norm()) < 0.01
    quantised = (many.float() / 0.02).clamp(-448, 448).to(torch.float8_e4m3fn).float() * 0.02
    product = layer.up.wide(many).float()
    assert float((product - quantised @ matrix.T).norm() / product.norm()) < 0.01
    qkv: Any = kept.layers[3]
    assert isinstance(qkv.qkv, StackedLinear)


def test_rows_are_measured_where_there_is_no_input_scale() -> None:
    """Without a static scale, the largest number of a call sets it; rows of zeros stay zeros."""
    matrix = torch.randn(16, 32, generator=torch.Generator().manual_seed(1))
    scale = matrix.abs().amax() / 448
    linear = Fp8Linear((matrix / scale).to(torch.float8_e4m3fn), scale, None)
    rows = torch.randn(9, 32, generator=torch.Generator().manual_seed(2)) * 1000
    expected = rows @ matrix.T
    assert float((linear.wide(rows) - expected).norm() / expected.norm()) < 0.06
    assert not linear.wide(torch.zeros(9, 32)).any()


@pytest.mark.parametrize(("rows", "off"), [(3, 0.01), (24, 0.06)])
def test_squares_go_into_eight_bits_at_once(rows: int, off: float) -> None:
    """Squaring and rounding in one op gives what one after the other gives."""
    random = torch.Generator().manual_seed(6)
    matrix, x = torch.randn(16, 32, generator=random), torch.randn(1, rows, 32, generator=random)
    scale = matrix.abs().amax() / 448
    linear = Fp8Linear((matrix / scale).to(torch.float8_e4m3fn), scale, torch.tensor(0.03))
    squared = x.clamp(min=0).square()
    found = squared_wide(linear, x.clone())
    assert torch.equal(found, linear.wide(squared))
    expected = squared @ (linear.weight.float() * scale).T
    assert float((found - expected).norm() / expected.norm()) < off


@pytest.mark.parametrize("rows", [2, 12])
def test_stacked_matrices_stand_side_by_side(rows: int) -> None:
    """Matrices with scales of their own give what one matrix would, few rows and many, with a residual."""
    random = torch.Generator().manual_seed(4)
    first, second = (torch.randn(16, 32, generator=random) for _ in range(2))
    x, residual = torch.randn(rows, 32, generator=random), torch.randn(rows, 32, generator=random)
    split = StackedLinear((DenseLinear(first), DenseLinear(second)))
    joined = stack([DenseLinear(first), DenseLinear(second)])
    assert isinstance(joined, DenseLinear)
    for linear in (split, joined):
        found = fused(linear, x, activation="relu2", residual=residual)
        expected = (x @ torch.cat([first, second]).T).clamp(min=0).square() + residual
        assert torch.allclose(found, expected, atol=1e-4)


def test_scales_of_an_8_bit_cache_are_passed_over(tmp_path: Path) -> None:
    """Scales for keys and values are reported and not used."""
    name = "language_model.backbone.layers.3.mixer.k_proj.k_scale"
    folder = write_checkpoint(tmp_path, language_tensors() | {name: torch.tensor(0.5)})
    assert load_language(read_config(folder), "cpu")[1].unused == (name,)


def test_tensors_have_the_last_word_over_the_quantisation_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A module that hf_quant_config.json excludes and that is quantised all the same is read as it is, and named."""
    stored, _ = _checkpoint("fp8")
    folder = write_checkpoint(tmp_path, stored)
    fields = {
        "quantization": {"quant_algo": "FP8", "exclude_modules": ["lm_head", "*layers.1.mixer.up_proj"]}
    }
    (folder / "hf_quant_config.json").write_text(json.dumps(fields), encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        _, report = load_language(read_config(folder), "cpu")
    assert report.disagreements == ("language_model.backbone.layers.1.mixer.up_proj",)
    assert "hf_quant_config.json" in caplog.text


@pytest.mark.parametrize("missing", ["weight_scale", "weight_scale_2"])
def test_a_quantised_matrix_without_its_scale_is_refused(tmp_path: Path, missing: str) -> None:
    """Half a quantised matrix is not a matrix."""
    stored, _ = _checkpoint("nvfp4")
    gone = f"language_model.backbone.layers.1.mixer.up_proj.{missing}"
    folder = write_checkpoint(tmp_path, {name: value for name, value in stored.items() if name != gone})
    with pytest.raises(ModelFileError, match=r"layers\.1\.mixer\.up_proj\.weight"):
        load_language(read_config(folder), "cpu")
