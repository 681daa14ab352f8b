"""Tiny rerankers with random weights, in the formats that real ones are published in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

__all__ = ["tiny_bert", "tiny_cross_encoder", "tiny_vision_reranker"]

_CORPUS = (
    "The harbour raised its operating profit in 2025 . Revenue , cost , berth , tide and water by quarter . "
    "Which page tells what the pump costs ? yes no query document"
)
_TILE_PX = 64
_PAIR_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %} {% endfor %}"
)


def tiny_cross_encoder(folder: Path, seed: int = 0, labels: int = 1) -> Path:
    """A text cross-encoder as most are: BERT with a head of one number, a WordPiece tokenizer."""
    from transformers import BertForSequenceClassification

    return _save_bert(BertForSequenceClassification, folder, seed, num_labels=labels)


def tiny_bert(folder: Path, seed: int = 0) -> Path:
    """A BERT without a head: no reranker."""
    from transformers import BertModel

    return _save_bert(BertModel, folder, seed)


def tiny_vision_reranker(folder: Path, seed: int = 0) -> Path:
    """A vision-language reranker of sentence-transformers: Idefics3, asked whether its answer is "yes" or "no"."""
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.cross_encoder.modules import LogitScore
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3Processor,
        PreTrainedTokenizerFast,
    )
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_byte_tokenizer(),
        pad_token="<pad>",
        eos_token="<end_of_utterance>",
        padding_side="left",
    )
    numbers = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Idefics3Config(
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 1024,
            "pad_token_id": tokenizer.pad_token_id,
            **numbers,
        },
        vision_config={"image_size": _TILE_PX, "patch_size": 16, **numbers},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
        scale_factor=2,
    )
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": 2 * _TILE_PX}, max_image_size={"longest_edge": _TILE_PX}
    )
    processor = Idefics3Processor(images, tokenizer, image_seq_len=4, chat_template=_PAIR_TEMPLATE)
    torch.manual_seed(seed)
    source = folder.with_name(folder.name + "-backbone")
    _save(Idefics3ForConditionalGeneration(config), processor, source)
    backbone = Transformer(str(source), transformer_task="any-to-any")
    head = LogitScore(tokenizer.convert_tokens_to_ids("yes"), tokenizer.convert_tokens_to_ids("no"))
    CrossEncoder(modules=[backbone, head], device="cpu").save_pretrained(str(folder), create_model_card=False)
    return folder


def _byte_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tiles = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    special = ["<pad>", "<end_of_utterance>", "<image>", "<fake_token_around_image>", "<global-img>", *tiles]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=alphabet, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(["yes no"] * 9, trainer)
    return tokenizer


def _save_bert(kind: Any, folder: Path, seed: int, **settings: Any) -> Path:
    from transformers import BertConfig, BertTokenizerFast

    inner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    inner.normalizer = normalizers.BertNormalizer()
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    inner.train_from_iterator(
        [_CORPUS], trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    )
    inner.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer = BertTokenizerFast(tokenizer_object=inner, model_max_length=64)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        **settings,
    )
    torch.manual_seed(seed)
    return _save(kind(config), tokenizer, folder)


def _save(model: Any, processor: Any, folder: Path) -> Path:
    with torch.no_grad():
        for weight in model.parameters():  # initial weights are small: their scores would all be alike
            if weight.ndim > 1:
                weight.normal_(0, 0.3)
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
