"""
Write ragvl's text encoder as a sentence-transformers model, so that a peer can run the same weights in float32.

    PEER_PYTHON benchmarks/peers/make_peer_model.py FOLDER

Run it in the peer's environment, which needs ragvl, onnx and sentence-transformers. The int8 blocks of `model.onnx` are
multiplied out; afterwards both encoders encode the same texts, and a cosine below 0.9999 is an error.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAYERS, HEADS, WIDTH = 6, 12, 384
PADDING_ID = 1
MIN_COSINE = 0.9999
Arrays = Mapping[str, NDArray[Any]]


def read_initialisers(model: Path) -> Arrays:
    """Read the constants of an ONNX file by name."""
    import onnx
    from onnx import numpy_helper

    return {item.name: numpy_helper.to_array(item) for item in onnx.load(str(model)).graph.initializer}


def roberta_weights(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Name the weights as transformers' RobertaModel does; a linear weight is (outputs, inputs)."""
    words = arrays["words.int8"].astype(np.float32).reshape(len(arrays["words.int8"]), -1, 64)
    weights = {
        "embeddings.word_embeddings.weight": (words * arrays["words.scale"][:, :, None]).reshape(-1, WIDTH),
        "embeddings.position_embeddings.weight": arrays[
            "positions"
        ],  # the only token type is added in already
        "embeddings.token_type_embeddings.weight": np.zeros((1, WIDTH), np.float32),
        "embeddings.LayerNorm.weight": arrays["embeddings.gain"],
        "embeddings.LayerNorm.bias": arrays["embeddings.shift"],
    }
    for layer in range(LAYERS):
        weights |= _layer_weights(arrays, f"l{layer}", f"encoder.layer.{layer}")
    return {name: np.array(array, np.float32, order="C") for name, array in weights.items()}


def _layer_weights(arrays: Arrays, ours: str, theirs: str) -> dict[str, NDArray[Any]]:
    parts = ("qkv",) if f"{ours}.qkv.int8" in arrays else ("q", "kv")  # the last layer asks with one row only
    matrix = np.concatenate([_linear(arrays, f"{ours}.{part}") for part in parts])
    bias = np.concatenate([arrays[f"{ours}.{part}.bias"] for part in parts])
    found = {}
    for place, name in enumerate(("query", "key", "value")):
        rows = slice(place * WIDTH, (place + 1) * WIDTH)
        found[f"{theirs}.attention.self.{name}.weight"] = matrix[rows]
        found[f"{theirs}.attention.self.{name}.bias"] = bias[rows]
    linears = {"ao": "attention.output.dense", "f1": "intermediate.dense", "f2": "output.dense"}
    for name, module in linears.items():
        found[f"{theirs}.{module}.weight"] = _linear(arrays, f"{ours}.{name}")
        found[f"{theirs}.{module}.bias"] = arrays[f"{ours}.{name}.bias"]
    for name, module in {"aln": "attention.output.LayerNorm", "fln": "output.LayerNorm"}.items():
        found[f"{theirs}.{module}.weight"] = arrays[f"{ours}.{name}.gain"]
        found[f"{theirs}.{module}.bias"] = arrays[f"{ours}.{name}.shift"]
    return found


def _linear(arrays: Arrays, name: str) -> NDArray[np.float32]:
    """Multiply a matrix out of its int8 blocks: (outputs, inputs) float32."""
    blocks = arrays[f"{name}.int8"].astype(np.float32) * arrays[f"{name}.scale"]
    matrix: NDArray[np.float32] = blocks.reshape(-1, blocks.shape[-1]).T
    return matrix


def save_roberta(source: Path, folder: Path) -> None:
    """Write the transformers half: configuration, weights, tokenizer."""
    import torch
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaModel

    arrays = read_initialisers(source / "model.onnx")
    config = RobertaConfig(
        vocab_size=len(arrays["words.int8"]),
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=arrays["l0.f1.bias"].size,
        max_position_embeddings=len(arrays["positions"]),
        type_vocab_size=1,
        pad_token_id=PADDING_ID,
        layer_norm_eps=_layer_norm_eps(source / "model.onnx"),
    )
    model = RobertaModel(config, add_pooling_layer=False)
    weights = {name: torch.from_numpy(array) for name, array in roberta_weights(arrays).items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    if unexpected or any(not name.endswith(("position_ids", "token_type_ids")) for name in missing):
        raise ValueError(f"weights do not fit: missing {missing}, unexpected {unexpected}")
    model.save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(source / "tokenizer.json"),
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        mask_token="<mask>",
        model_max_length=512,
    )
    tokenizer.save_pretrained(folder)


def _layer_norm_eps(model: Path) -> float:
    import onnx

    for node in onnx.load(str(model)).graph.node:
        for attribute in node.attribute:
            if node.op_type == "LayerNormalization" and attribute.name == "epsilon":
                return float(attribute.f)
    raise ValueError(f"{model} has no LayerNormalization with an epsilon")


def save_sentence_model(roberta: Path, folder: Path) -> None:
    """Put CLS pooling and normalisation behind the model."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    modules = [Transformer(str(roberta), max_seq_length=512), Pooling(WIDTH, pooling_mode="cls"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder))


def lowest_cosine(folder: Path) -> float:
    """Compare the model with ragvl's encoder on the passages of ragvl's licence and on edge cases."""
    from sentence_transformers import SentenceTransformer

    from ragvl.indexers.encoders import EmbeddedTextEncoder

    words = Path(__file__).parents[2].joinpath("LICENSE").read_text("utf-8").split()
    texts = [" ".join(words[start : start + 90]) for start in range(0, len(words), 90)]
    texts += ["", "x", "What was 3M's capital expenditure in 2018?", " ".join(words[:700])]
    ours = EmbeddedTextEncoder(precision="float32").encode_passages(texts)
    theirs = SentenceTransformer(str(folder), device="cpu").encode(texts, normalize_embeddings=True)
    return float((ours * theirs).sum(axis=1).min())


def main() -> int:
    """Run the command line."""
    from ragvl.indexers.encoders.embedded import MODEL_FOLDER

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where to write the model")
    parser.add_argument("--source", type=Path, default=MODEL_FOLDER, help="default: the encoder inside ragvl")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        save_roberta(options.source, Path(scratch))
        save_sentence_model(Path(scratch), options.folder)
    cosine = lowest_cosine(options.folder)
    print(f"{options.folder}: lowest cosine to ragvl's encoder {cosine:.6f}")
    if cosine < MIN_COSINE:
        print(f"below {MIN_COSINE}: this is not the same encoder", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
