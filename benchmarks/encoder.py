"""
Measure the embedded text encoder: passages per second by engine, and the time to a first query in a fresh process.

    python benchmarks/encoder.py --pdf FOLDER --threads 2

Every engine encodes the same passages in turn, round after round, and its best round counts, because other programs
only ever make a round slower. ONNX Runtime is the baseline of every ratio. Where torch and transformers are installed, a
RobertaModel of the same shape (random weights: the arithmetic is the same) runs in float32 as a peer.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ragvl.errors import MissingExtraError
from ragvl.indexers.encoders import EmbeddedTextEncoder
from ragvl.indexers.inference import choose_engine

BASELINE = "onnxruntime float32"
COLD_QUERY = """
from ragvl.indexers.encoders import EmbeddedTextEncoder
EmbeddedTextEncoder(engine={engine!r}, threads={threads}).encode_queries(["What was 3M's capital expenditure in 2018?"])
"""
Encode = Callable[[Sequence[str]], object]


def read_passages(folder: Path, count: int) -> list[str]:
    """Cut the text of a folder of PDF files into passages of 45 to 170 words, the same ones every time."""
    import pymupdf

    chance = random.Random(0)
    passages: list[str] = []
    for path in sorted(folder.glob("*.pdf")):
        with pymupdf.open(path) as document:
            words = " ".join(document[index].get_text() for index in range(min(12, len(document)))).split()
        while words:
            length = chance.randint(45, 170)
            passages.append(" ".join(words[:length]))
            words = words[length:]
    chance.shuffle(passages)
    return passages[:count]


def make_passages(count: int) -> list[str]:
    """Invent passages of 45 to 170 common English words, the same ones every time."""
    words = Path(__file__).parents[1].joinpath("LICENSE").read_text("utf-8").split()
    chance = random.Random(0)
    return [" ".join(chance.choices(words, k=chance.randint(45, 170))) for _ in range(count)]


def encoders(threads: int) -> dict[str, Encode]:
    """Every way to encode that this machine has, baseline first."""
    found: dict[str, Encode] = {}
    candidates = {
        BASELINE: ("onnxruntime", "float32"),
        "openvino float32": ("openvino", "float32"),
        "openvino bfloat16": ("openvino", "bfloat16"),
        "openvino auto": ("openvino", "auto"),
    }
    for name, (engine, precision) in candidates.items():
        try:
            choose_engine(engine)  # type: ignore[arg-type]  # the table holds engines only
        except MissingExtraError:
            continue
        encoder = EmbeddedTextEncoder(engine=engine, precision=precision, threads=threads)  # type: ignore[arg-type]
        found[name] = encoder.encode_passages
    try:
        found["torch float32"] = torch_encoder(threads)
    except ImportError:
        print("torch or transformers is not installed: no peer", file=sys.stderr)
    return found


def torch_encoder(threads: int) -> Encode:
    """Make a RobertaModel of the same shape, run over batches of 32 sorted by length, as sentence-transformers does."""
    import torch
    from tokenizers import Tokenizer
    from transformers import RobertaConfig, RobertaModel

    from ragvl.indexers.encoders.embedded import MODEL_FOLDER

    torch.set_num_threads(threads)
    config = RobertaConfig(
        vocab_size=50265,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=514,
        type_vocab_size=2,
    )
    model = RobertaModel(config, add_pooling_layer=False).eval()
    tokenizer = Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")

    def encode(texts: Sequence[str]) -> None:
        ordered = sorted(texts, key=len, reverse=True)
        for start in range(0, len(ordered), 32):
            rows = tokenizer.encode_batch(ordered[start : start + 32])
            ids = torch.tensor([row.ids for row in rows])
            mask = torch.tensor([row.attention_mask for row in rows])
            with torch.inference_mode():
                torch.nn.functional.normalize(model(ids, attention_mask=mask).last_hidden_state[:, 0], dim=-1)

    return encode


def best_rates(found: dict[str, Encode], passages: list[str], rounds: int) -> dict[str, float]:
    """Return passages per second by engine: the best of some rounds that take turns, after a warm-up."""
    for encode in found.values():
        encode(passages[:64])
    best = dict.fromkeys(found, 0.0)
    for _ in range(rounds):
        for name, encode in found.items():
            started = time.perf_counter()
            encode(passages)
            best[name] = max(best[name], len(passages) / (time.perf_counter() - started))
    return best


def cold_seconds(engine: str, threads: int, runs: int) -> list[float]:
    """Return, sorted, the wall times of whole processes that encode one query: interpreter, imports, load, encode."""
    code = COLD_QUERY.format(engine=engine, threads=threads)
    times: list[float] = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - started)
    return sorted(times)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--pdf", type=Path, help="take passages from the PDF files in this folder (default: invented)"
    )
    parser.add_argument("--passages", type=int, default=300, help="how many (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds per engine, best counts (default: %(default)s)"
    )
    parser.add_argument("--threads", type=int, default=2, help="processor threads (default: %(default)s)")
    parser.add_argument(
        "--cold-runs", type=int, default=5, help="fresh processes per engine (default: %(default)s)"
    )
    options = parser.parse_args()
    passages = (
        read_passages(options.pdf, options.passages) if options.pdf else make_passages(options.passages)
    )
    tokens = sorted(EmbeddedTextEncoder().count_tokens(passages))
    print(
        f"{len(tokens)} passages, {tokens[0]} to {tokens[-1]} tokens, median {tokens[len(tokens) // 2]}; ",
        end="",
    )
    print(f"{options.threads} threads; load average {os.getloadavg()[0]:.1f}")
    rates = best_rates(encoders(options.threads), passages, options.rounds)
    for name, rate in rates.items():
        ratio = f"{rate / rates[BASELINE]:.2f} x {BASELINE}" if BASELINE in rates else ""
        print(f"{name:22s} {rate:8.1f} passages/s  {ratio}")
    for engine in ("auto", "onnxruntime", "openvino"):
        times = cold_seconds(engine, options.threads, options.cold_runs)
        print(
            f"first query, {engine:12s} {times[0]:.2f} s best, {times[len(times) // 2]:.2f} s median, whole process"
        )


if __name__ == "__main__":
    main()
