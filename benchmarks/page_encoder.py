"""
Measure the page encoder: pages per second and peak memory, of images alone and with their text, at several sizes.

    python benchmarks/page_encoder.py PDF_FOLDER --pages 3 --sides 1024 1536 2048

Without `--model`, a ColModernVBERT of its real size is made with random weights: the arithmetic, and so the time, is that
of the real one; the vectors mean nothing. Its numbers are the defaults of transformers' `ColModernVBertConfig` (ModernBERT of
22 layers and 768 dimensions, SigLIP base of 12 layers), and of the published processor: tiles of 512 pixels, of which 64
tokens are made, and pages of at most 2048. Its tokenizer is that of ragvl's text encoder, which splits English about alike.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from arguments import SIDES
from machine import describe_machine
from measuring import Measured, run_side
from tables import markdown, ratio

PACKAGES = ("ragvl", "torch", "transformers", "sentence-transformers", "pillow", "torchvision", "flash-attn")
TILE_PX, LONGEST_PX, TILE_TOKENS = 512, 2048, 64


def make_model(folder: Path) -> Path:
    """Write a ColModernVBERT with random weights, about 1 GB."""
    import torch
    from tokenizers import Tokenizer
    from transformers import (
        ColModernVBertConfig,
        ColModernVBertForRetrieval,
        ColModernVBertProcessor,
        ModernVBertConfig,
        PreTrainedTokenizerFast,
        SiglipVisionConfig,
    )
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    from ragvl.indexers.encoders.embedded import MODEL_FOLDER

    tiles = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    marks = [
        "<image>",
        "<fake_token_around_image>",
        "<end_of_utterance>",
        "<global-img>",
        "<|begin_of_text|>",
    ]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json")), pad_token="<pad>"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": [*marks, *tiles]})
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": LONGEST_PX}, max_image_size={"longest_edge": TILE_PX}
    )
    vlm = ModernVBertConfig(
        vision_config=SiglipVisionConfig(image_size=TILE_PX),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
    )
    torch.manual_seed(0)
    ColModernVBertForRetrieval(ColModernVBertConfig(vlm_config=vlm)).save_pretrained(folder)
    ColModernVBertProcessor(images, tokenizer, image_seq_len=TILE_TOKENS).save_pretrained(folder)
    return folder


def choose_pages(folder: Path, count: int) -> list[tuple[str, int]]:
    """The first page of 150 words or more, from the fourth on, of each file in turn, as (file, page index)."""
    import pymupdf

    found: list[tuple[str, int]] = []
    for path in sorted(folder.glob("*.pdf")):
        with pymupdf.open(path) as document:
            pages = range(3, min(len(document), 20))
            index = next((i for i in pages if len(document[i].get_text().split()) >= 150), None)
        if index is not None:
            found.append((str(path), index))
        if len(found) == count:
            break
    return found


def report(results: dict[tuple[int, bool], tuple[Any, Measured]], pages: int) -> str:
    """One row for every size, without and with text; ratios are of processor time, to the largest size without text."""
    rates = {key: pages / result["encode_s"] for key, (result, _) in results.items()}
    baseline = results[max(key for key in results if not key[1])][0]["cpu_s"]
    header = (
        "longer side",
        "pages/s",
        "processor time",
        "s/page",
        "processor s/page",
        "image vectors",
        "text vectors",
        "peak memory",
        "load",
    )
    rows = [
        [
            f"{side} px, {'image and text' if text else 'image'}",
            f"{rates[side, text]:.3f}",
            ratio(result["cpu_s"], baseline),
            f"{1 / rates[side, text]:.1f}",
            f"{result['cpu_s'] / pages:.1f}",
            f"{result['image_vectors']:,.0f}",
            f"{result['text_vectors']:,.0f}",
            measured.peak,
            f"{result['load_s']:.1f} s",
        ]
        for (side, text), (result, measured) in results.items()
    ]
    first = next(iter(results.values()))[0]
    title = f"Page encoder on {first['device']}, {first['weights_bytes'] / 2**20:,.0f} MiB of weights, {pages} pages"
    return markdown(title, header, rows)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pdf", type=Path, metavar="PDF_FOLDER", help="pages are taken from its files")
    parser.add_argument("--pages", type=int, default=3, help="how many (default: %(default)s)")
    parser.add_argument(
        "--sides",
        type=int,
        nargs="+",
        default=[1024, 1536, 2048],
        metavar="PX",
        help="values of image.max_side_px",
    )
    parser.add_argument("--model", help="a model to measure instead: a folder, or a name in the hub's cache")
    parser.add_argument("--device", default="cpu", help="image.device (default: %(default)s)")
    parser.add_argument("--precision", default="auto", help="image.precision (default: %(default)s)")
    parser.add_argument(
        "--threads", type=int, default=len(os.sched_getaffinity(0)), help="of the processor (default: all)"
    )
    options = parser.parse_args()
    pages = choose_pages(options.pdf, options.pages)
    if not pages:
        parser.error(f"no PDF file in {options.pdf} has a page of 150 words")
    print(describe_machine(ragvl=(sys.executable, PACKAGES)), flush=True)
    results: dict[tuple[int, bool], tuple[Any, Measured]] = {}
    with tempfile.TemporaryDirectory(prefix="ragvl-page-model-") as folder:
        model = options.model or str(make_model(Path(folder)))
        for side in sorted(options.sides):
            for text in (False, True):
                config = {"encoder": "multi-vector", "model": model, "device": options.device, "text": text}
                config |= {"precision": options.precision, "max_side_px": side}
                job = {"config": config, "pages": pages, "threads": options.threads}
                results[side, text] = run_side(sys.executable, SIDES / "page_encoder.py", job)
                spent_s = results[side, text][0]["cpu_s"] / len(pages)
                print(f"{side} px, text {text}: {spent_s:.1f} s of processor time a page", file=sys.stderr)
    print(report(results, len(pages)))


if __name__ == "__main__":
    main()
