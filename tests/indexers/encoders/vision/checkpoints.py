"""
Tiny page models with random weights, in the formats that real ones are published in.

Each maker writes a folder that transformers or sentence-transformers loads, and returns it. They are made of the
libraries' own configurations, processors and modules; the tokenizer is trained on the spot.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

__all__ = [
    "tiny_clip",
    "tiny_colmodernvbert",
    "tiny_colpali",
    "tiny_colqwen2",
    "tiny_multi_vector",
    "tiny_single_vector",
    "tiny_text_only",
]

TILE_PX = 128
PATCH_PX = 16
TILE_TOKENS = 4  # 8 by 8 patches, of which 4 by 4 become one token
_CORPUS = """
The harbour authority of Kittiwake raised its operating profit to 12.4 million in 2025, of which shore charging took
a third. Page images and page text are embedded by the same model. Revenue, cost, berth, tide, water and tonnage are
listed by quarter. <image> <row_1_col_1> User: Assistant: Describe the image. Query: Question: document
"""
_TILE_TOKENS = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}<end_of_utterance>"
    "{% endfor %}"
)


def tiny_colmodernvbert(folder: Path, seed: int = 0) -> Path:
    """ColModernVBERT as transformers publishes it: tiles of 128 pixels, at most 4 by 4 of them, and a global one."""
    from transformers import ColModernVBertConfig, ColModernVBertForRetrieval, ColModernVBertProcessor

    tokenizer = _tokenizer("[CLS]", "[SEP]", *_IDEFICS_TOKENS)
    processor = ColModernVBertProcessor(_tile_processor(), tokenizer, image_seq_len=TILE_TOKENS)
    config = ColModernVBertConfig(vlm_config=_modern_vbert_config(tokenizer), embedding_dim=16)
    return _save(ColModernVBertForRetrieval, config, processor, folder, seed)


def tiny_colqwen2(folder: Path, seed: int = 0) -> Path:
    """ColQwen2 as its "-hf" ports: patches of 14 pixels, 2 by 2 of them one token."""
    from transformers import ColQwen2Config, ColQwen2ForRetrieval, ColQwen2Processor, Qwen2VLConfig
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    names = [
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        "<|vision_start|>",
        "<|vision_end|>",
        "<|image_pad|>",
    ]
    tokenizer = _tokenizer(None, None, *names, "<|video_pad|>", pad="<|endoftext|>")
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in [*names, "<|video_pad|>"]}
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 2048,
        "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0},
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
    }
    vision = {
        "depth": 1,
        "embed_dim": 32,
        "hidden_size": 32,
        "num_heads": 2,
        "mlp_ratio": 2,
        "patch_size": 14,
    }
    vlm = Qwen2VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    images = Qwen2VLImageProcessorPil(size={"shortest_edge": 28 * 28 * 4, "longest_edge": 28 * 28 * 100})
    config = ColQwen2Config(vlm_config=vlm, embedding_dim=16)
    return _save(ColQwen2ForRetrieval, config, ColQwen2Processor(images, tokenizer), folder, seed)


def tiny_colpali(folder: Path, seed: int = 0) -> Path:
    """ColPali as its "-hf" ports: one square of 8 by 8 patches."""
    from transformers import ColPaliConfig, ColPaliForRetrieval, ColPaliProcessor, PaliGemmaConfig
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    tokenizer = _tokenizer("<bos>", "<eos>", "<image>", pad="<pad>")
    tokenizer.add_tokens(
        [f"<loc{index:0>4}>" for index in range(1024)] + [f"<seg{index:0>3}>" for index in range(128)]
    )
    text = {
        "model_type": "gemma",
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "max_position_embeddings": 2048,
    }
    vision = {"model_type": "siglip_vision_model", "projection_dim": 32, **_siglip_numbers()}
    image_token_id = tokenizer.convert_tokens_to_ids("<image>")
    vlm = PaliGemmaConfig(
        text_config=text, vision_config=vision, image_token_index=image_token_id, projection_dim=32
    )
    images = SiglipImageProcessorPil(size={"height": TILE_PX, "width": TILE_PX})
    images.image_seq_length = (TILE_PX // PATCH_PX) ** 2
    config = ColPaliConfig(vlm_config=vlm, embedding_dim=16)
    return _save(ColPaliForRetrieval, config, ColPaliProcessor(images, tokenizer), folder, seed)


def tiny_multi_vector(folder: Path, seed: int = 0) -> Path:
    """A multi-vector folder of sentence-transformers: a chat model that sees images, projected to 16 dimensions."""
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    backbone = _backbone(folder.with_name(folder.name + "-backbone"), seed)
    torch.manual_seed(seed + 1)
    dense = Dense(
        32, 16, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings"
    )
    modules = [backbone, dense, MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
    model = MultiVectorEncoder(modules=modules, device="cpu", prompts={"query": "find ", "document": "page "})
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def tiny_single_vector(folder: Path, seed: int = 0) -> Path:
    """A single-vector folder of sentence-transformers that takes image and text together: 32 dimensions."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize
    from sentence_transformers.sentence_transformer.modules import Pooling

    backbone = _backbone(folder.with_name(folder.name + "-backbone"), seed)
    model = SentenceTransformer(
        modules=[backbone, Pooling(32), Normalize()], device="cpu", prompts={"query": "find "}
    )
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def tiny_clip(folder: Path, seed: int = 0) -> Path:
    """A single-vector folder of sentence-transformers made of a CLIP, which takes image or text: 24 dimensions."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from transformers import CLIPConfig, CLIPModel, CLIPProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = _tokenizer("<|startoftext|>", "<|endoftext|>", pad="<|endoftext|>")
    tokenizer.model_max_length = 40
    text = {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 40,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        **_attention_numbers(),
    }
    config = CLIPConfig(text_config=text, vision_config=_siglip_numbers(), projection_dim=24)
    images = CLIPImageProcessorPil(
        size={"shortest_edge": TILE_PX}, crop_size={"height": TILE_PX, "width": TILE_PX}
    )
    source = _save(
        CLIPModel, config, CLIPProcessor(images, tokenizer), folder.with_name(folder.name + "-clip"), seed
    )
    SentenceTransformer(modules=[Transformer(str(source))], device="cpu").save_pretrained(
        str(folder), create_model_card=False
    )
    return folder


def tiny_text_only(folder: Path, seed: int = 0) -> Path:
    """A text encoder with random weights in plain transformers format, which sees no images."""
    from transformers import ModernBertModel

    tokenizer = _tokenizer("[CLS]", "[SEP]")
    return _save(ModernBertModel, _modern_bert_config(tokenizer), tokenizer, folder, seed)


_IDEFICS_TOKENS = (
    "[MASK]",
    "<|begin_of_text|>",
    "<image>",
    "<fake_token_around_image>",
    "<end_of_utterance>",
    "<global-img>",
    *_TILE_TOKENS,
)


def _backbone(folder: Path, seed: int) -> Any:
    from sentence_transformers.base.modules import Transformer
    from transformers import Idefics3Processor, ModernVBertModel

    tokenizer = _tokenizer("[CLS]", "[SEP]", *_IDEFICS_TOKENS)
    processor = Idefics3Processor(
        _tile_processor(), tokenizer, image_seq_len=TILE_TOKENS, chat_template=_TEMPLATE
    )
    _save(ModernVBertModel, _modern_vbert_config(tokenizer), processor, folder, seed)
    return Transformer(str(folder))


def _save(model_class: Any, config: Any, processor: Any, folder: Path, seed: int) -> Path:
    torch.manual_seed(seed)
    model = model_class(config).eval()
    with torch.no_grad():
        for weight in model.parameters():  # initial weights are small: their vectors would all point one way
            if weight.ndim > 1:
                weight.normal_(0, 0.15)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _modern_vbert_config(tokenizer: PreTrainedTokenizerFast) -> Any:
    from transformers import ModernVBertConfig, SiglipVisionConfig

    return ModernVBertConfig(
        text_config=_modern_bert_config(tokenizer),
        vision_config=SiglipVisionConfig(**_siglip_numbers()),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pixel_shuffle_factor=4,
    )


def _modern_bert_config(tokenizer: PreTrainedTokenizerFast) -> Any:
    from transformers import ModernBertConfig

    return ModernBertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=512,
        local_attention=16,
        pad_token_id=tokenizer.pad_token_id,
        cls_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        **_attention_numbers(),
    )


def _siglip_numbers() -> dict[str, int]:
    return {"image_size": TILE_PX, "patch_size": PATCH_PX, **_attention_numbers()}


def _attention_numbers() -> dict[str, int]:
    return {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}


def _tile_processor() -> Any:
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    return Idefics3ImageProcessorPil(
        size={"longest_edge": 4 * TILE_PX}, max_image_size={"longest_edge": TILE_PX}
    )


@cache
def _trained(first: str | None, last: str | None, names: tuple[str, ...]) -> str:
    """A byte-level tokenizer of about 300 tokens, with marks around the text where they are named."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [name for name in (first, last) if name]
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=alphabet, special_tokens=[*special, *names], show_progress=False
    )
    tokenizer.train_from_iterator([_CORPUS], trainer)
    if first and last:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{first} $A {last}",
            special_tokens=[(name, tokenizer.token_to_id(name)) for name in (first, last)],
        )
    return tokenizer.to_str()


def _tokenizer(
    first: str | None, last: str | None, *names: str, pad: str = "[PAD]"
) -> PreTrainedTokenizerFast:
    added = names if pad in (*names, first, last) else (pad, *names)
    roles = {
        "cls_token": first,
        "sep_token": last,
        "bos_token": first,
        "eos_token": last,
        "mask_token": "[MASK]",
    }
    known = {role: name for role, name in roles.items() if name in (first, last, *names) and name}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_trained(first, last, tuple(added))), pad_token=pad, **known
    )
