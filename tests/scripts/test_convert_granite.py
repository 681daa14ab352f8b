"""The pack converter, on a tiny pack with random weights and a forward pass written in plain numpy."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ragvl.indexers.inference import Engine, load_model

pytest.importorskip("onnx", reason="the converter is a maintainer's script and needs the dev extra")

WIDTH, WIDE, HEADS, LAYERS, WORDS, MAX_TOKENS = 128, 192, 4, 2, 300, 12
TOKENIZER = b'{"version":"1.0"}'
Weights = dict[str, NDArray[np.float32]]


SCRIPTS = str(Path(__file__).parents[2] / "scripts")
sys.path.insert(
    0, SCRIPTS
)  # scripts/ is no package; a script finds its neighbours because Python does this too
try:
    script = importlib.import_module("convert_granite")
    pack_format = importlib.import_module("granite_pack")
finally:
    sys.path.remove(SCRIPTS)


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Every tensor of a pack, in order."""
    shapes: dict[str, tuple[int, ...]] = {
        "word_emb": (WORDS, WIDTH),
        "pos_emb": (MAX_TOKENS + 2, WIDTH),
        "type_emb": (2, WIDTH),
        "emb_ln.w": (WIDTH,),
        "emb_ln.b": (WIDTH,),
    }
    for layer in range(LAYERS):
        for name, rows, columns in (
            ("qkv", 3 * WIDTH, WIDTH),
            ("ao", WIDTH, WIDTH),
            ("f1", WIDE, WIDTH),
            ("f2", WIDTH, WIDE),
        ):
            shapes[f"l{layer}.{name}.w"] = (rows, columns)
            shapes[f"l{layer}.{name}.b"] = (rows,)
        for name in ("aln", "fln"):
            shapes[f"l{layer}.{name}.w"] = (WIDTH,)
            shapes[f"l{layer}.{name}.b"] = (WIDTH,)
    return shapes


def make_pack(**meta: Any) -> tuple[bytes, Weights]:
    """Write a pack with random weights; return it with the weights it stands for."""
    random = np.random.default_rng(7)
    weights: Weights = {}
    entries: list[dict[str, Any]] = []
    bodies: list[bytes] = []
    for name, shape in tensor_shapes().items():
        is_matrix = len(shape) == 2 and name not in ("pos_emb", "type_emb")
        if is_matrix:
            values = random.integers(-127, 128, shape, np.int8)
            scales = random.uniform(0.0005, 0.002, (shape[0], shape[1] // 64)).astype(np.float32)
            blocks = values.reshape(shape[0], -1, 64).astype(np.float32) * scales[:, :, None]
            weights[name] = blocks.reshape(shape)
            bodies.append(values.tobytes() + scales.tobytes())
        else:
            weights[name] = random.normal(1.0 if name.endswith("ln.w") else 0.0, 0.3, shape).astype(
                np.float32
            )
            bodies.append(weights[name].tobytes())
        dtype, group = ("i8", 64) if is_matrix else ("f32", 0)
        entries.append(
            {"name": name, "dtype": dtype, "shape": list(shape), "len": len(bodies[-1]), "group": group}
        )
    header = {
        "format": 1,
        "meta": {
            "model": "test/tiny-encoder",
            "revision": "0" * 40,
            "license": "Apache-2.0",
            "pooling": "cls",
            "normalize": True,
            "query_prefix": "",
            "passage_prefix": "",
            "max_length": MAX_TOKENS,
            **meta,
        },
        "arch": {
            "hidden": WIDTH,
            "layers": LAYERS,
            "heads": HEADS,
            "intermediate": WIDE,
            "layer_norm_eps": 1e-12,
            "position_offset": 2,
        },
        "tokenizer_len": len(TOKENIZER),
        "tensors": entries,
    }
    text = json.dumps(header).encode()
    return b"HMSEMB01" + struct.pack("<Q", len(text)) + text + TOKENIZER + b"".join(bodies), weights


def layer_norm(values: NDArray[np.float64], weights: Weights, name: str) -> NDArray[np.float64]:
    """Normalise the last axis."""
    centred = values - values.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
    result: NDArray[np.float64] = centred / spread * weights[f"{name}.w"] + weights[f"{name}.b"]
    return result


def reference_embedding(weights: Weights, ids: list[int]) -> NDArray[np.float64]:
    """Encode one unpadded text the long way, in float64."""
    positions = np.arange(len(ids)) + 2
    hidden = (
        weights["word_emb"][ids].astype(np.float64) + weights["pos_emb"][positions] + weights["type_emb"][0]
    )
    hidden = layer_norm(hidden, weights, "emb_ln")
    head_width = WIDTH // HEADS
    for layer in range(LAYERS):

        def linear(values: NDArray[np.float64], name: str, prefix: str = f"l{layer}") -> NDArray[np.float64]:
            return values @ weights[f"{prefix}.{name}.w"].T.astype(np.float64) + weights[f"{prefix}.{name}.b"]

        query, key, value = np.split(linear(hidden, "qkv"), 3, axis=-1)
        mixed = np.empty_like(query)
        for head in range(HEADS):
            columns = slice(head * head_width, (head + 1) * head_width)
            scores = np.exp(query[:, columns] @ key[:, columns].T / math.sqrt(head_width))
            mixed[:, columns] = scores / scores.sum(-1, keepdims=True) @ value[:, columns]
        hidden = layer_norm(hidden + linear(mixed, "ao"), weights, f"l{layer}.aln")
        wide = linear(hidden, "f1")
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        hidden = layer_norm(hidden + linear(wide, "f2"), weights, f"l{layer}.fln")
    pooled: NDArray[np.float64] = hidden[0] / np.linalg.norm(hidden[0])
    return pooled


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_converted_model_agrees_with_numpy(tmp_path: Path, engine: Engine) -> None:
    """Both engines give the numbers of the plain forward pass, padded or not."""
    pytest.importorskip("onnxruntime") if engine == "onnxruntime" else pytest.importorskip("openvino.op")
    raw, weights = make_pack()
    (tmp_path / "tiny.hmsemb").write_bytes(raw)
    script.convert(tmp_path / "tiny.hmsemb", tmp_path / "out")
    model = load_model(tmp_path / "out" / "model.onnx", engine=engine, threads=2, precision="float32")
    texts = [[0, 17, 2], [0, 5, 299, 42, 4, 8, 15, 16, 23, 42, 108, 2], [0, 2]]
    ids = np.full((3, MAX_TOKENS), 1, np.int64)
    mask = np.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    expected = np.stack([reference_embedding(weights, text) for text in texts])
    np.testing.assert_allclose(model({"input_ids": ids, "attention_mask": mask}), expected, atol=2e-6)


def test_conversion_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    """Two conversions of one pack cannot be told apart."""
    (tmp_path / "tiny.hmsemb").write_bytes(make_pack()[0])
    for output in ("one", "two"):
        script.convert(tmp_path / "tiny.hmsemb", tmp_path / output)
    for name in ("model.onnx", "tokenizer.json", "README.md", "manifest.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_manifest_describes_the_files(tmp_path: Path) -> None:
    """The manifest holds the hash and size of each file and what an encoder needs to know."""
    raw, _ = make_pack()
    (tmp_path / "tiny.hmsemb").write_bytes(raw)
    assert script.main([str(tmp_path / "tiny.hmsemb"), "--output", str(tmp_path / "out")]) == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    for name, entry in manifest["files"].items():
        content = (tmp_path / "out" / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert manifest["name"] == "tiny-encoder"
    assert manifest["dimension"] == WIDTH
    assert manifest["max_tokens"] == MAX_TOKENS
    assert manifest["source"]["pack_sha256"] == hashlib.sha256(raw).hexdigest()
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == TOKENIZER
    assert "Not measured for this pack" in (tmp_path / "out" / "README.md").read_text()


def test_pack_is_found_inside_a_wheel(tmp_path: Path) -> None:
    """A wheel gives the same model as the pack inside it, and a wheel without one is refused."""
    raw, _ = make_pack()
    with zipfile.ZipFile(tmp_path / "models.whl", "w") as wheel:
        wheel.writestr("models/packs/tiny.hmsemb", raw)
    assert pack_format.read_pack_bytes(tmp_path / "models.whl") == raw
    with zipfile.ZipFile(tmp_path / "empty.whl", "w") as wheel:
        wheel.writestr("models/__init__.py", "")
    with pytest.raises(ValueError, match="holds 0 files"):
        pack_format.read_pack_bytes(tmp_path / "empty.whl")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: b"PK" + raw[2:], "not a HMSEMB01 pack"),
        (lambda raw: raw + b"x", "the header describes"),
        (lambda raw: raw.replace(b'"dtype": "f32"', b'"dtype": "f64"', 1), "neither i8 nor f32"),
        (lambda raw: raw.replace(b'"group": 64', b'"group": 48', 1), "whole blocks"),
    ],
    ids=["magic", "length", "dtype", "block"],
)
def test_damaged_pack_is_refused(damage: Any, message: str) -> None:
    """A pack that is not what its header says raises and names the reason."""
    with pytest.raises(ValueError, match=message):
        pack_format.parse_pack(damage(make_pack()[0]))


def test_other_pooling_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mean-pooled pack would be converted wrongly, so it is not converted at all."""
    (tmp_path / "tiny.hmsemb").write_bytes(make_pack(pooling="mean")[0])
    assert script.main([str(tmp_path / "tiny.hmsemb"), "--output", str(tmp_path / "out")]) == 1
    assert "only normalised CLS pooling" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
