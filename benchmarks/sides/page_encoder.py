"""Encode pages with ragvl's page encoder; run by benchmarks/page_encoder.py."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import pymupdf
from jobs import perform
from PIL import Image

from ragvl.config import ImageConfig
from ragvl.indexers.encoders.vision import MultiVectorPageEncoder
from ragvl.protocols import PageView, VectorSource


def view(path: str, page_index: int, dpi: float) -> PageView:
    """Draw one page of a PDF, with its words."""
    with pymupdf.open(path) as document:
        page = document[page_index]
        pixels = page.get_pixmap(dpi=round(dpi))
        image = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)
        words, parts, end = [], [], 0
        for x0, y0, x1, y1, text, *_ in page.get_text("words"):
            words.append((end, end + len(text), (x0, y0, x1, y1)))
            parts.append(text)
            end += len(text) + 1
        return PageView(image, " ".join(parts), words, page.rect.width, page.rect.height)


def encode(job: dict[str, Any]) -> dict[str, Any]:
    """Encode `pages`, (file, page index) each, with `config`, after a page of one tile."""
    import torch

    torch.set_num_threads(job["threads"])
    config = ImageConfig.model_validate(job["config"])
    pages = [view(path, index, config.dpi) for path, index in job["pages"]]
    encoder = MultiVectorPageEncoder(config)
    started = time.perf_counter()
    encoder.encode_pages([PageView(Image.new("RGB", (256, 256)), "a word", [(0, 6, (0, 0, 9, 9))], 128, 128)])
    loaded, spent_s = time.perf_counter(), time.process_time()
    bags = encoder.encode_pages(pages)
    encoded = time.perf_counter()
    image_vectors = sum(int((bag.sources == VectorSource.IMAGE).sum()) for bag in bags)
    return {
        "load_s": loaded - started,
        "encode_s": encoded - loaded,
        "cpu_s": time.process_time() - spent_s,
        "image_vectors": image_vectors / len(bags),
        "text_vectors": sum(len(bag.vectors) for bag in bags) / len(bags) - image_vectors / len(bags),
        "weights_bytes": encoder.weights_bytes,
        "device": f"{encoder.device}",
    }


if __name__ == "__main__":
    perform(encode)
