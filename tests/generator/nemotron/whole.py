"""A tiny checkpoint that can be asked: language model, vision side and tokenizer."""

from __future__ import annotations

import string
from pathlib import Path

import torch
from tokenizers import Tokenizer

from tests.generator.nemotron.prompt.stand_in import write_tokenizer
from tests.generator.nemotron.tiny import HIDDEN, language_tensors, write_checkpoint
from tests.generator.nemotron.vision.tiny_vision import VISION_CONFIG, vision_tensors


def write_whole_checkpoint(folder: Path, *, talkative: bool = False) -> Path:
    """
    Write it; the vocabulary is as large as the tokenizer's.

    Args:
        folder: where.
        talkative: whatever it is asked, it writes letters without an end.
    """
    write_tokenizer(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    size = tokenizer.get_vocab_size()
    random = torch.Generator().manual_seed(9)
    tensors = language_tensors() | vision_tensors()
    for name in ("backbone.embeddings.weight", "lm_head.weight"):
        tensors[f"language_model.{name}"] = torch.randn(size, HIDDEN, generator=random) * 0.3
    if talkative:
        head = tensors["language_model.lm_head.weight"]
        letters = [tokenizer.token_to_id(letter) for letter in string.ascii_lowercase]
        loud = torch.zeros_like(head)
        loud[letters] = 40 * head[letters]
        tensors["language_model.lm_head.weight"] = loud
    return write_checkpoint(folder, tensors, config=VISION_CONFIG)
