"""A corpus of two PDFs, an encoder made here, and a machine without a network."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.types import CorpusPage, EvalDocument, EvalSet
from ragvl.testing import make_pdf

PAGES = {
    "cranes": (
        "The crane lifts forty tonnes over the harbour wall.",
        "Maintenance of the crane is due every third winter.",
        "",
    ),
    "bread": ("Rye bread rises slowly in a cold kitchen.", "The oven of the bakery burns beech wood."),
}


@pytest.fixture
def corpus(tmp_path: Path) -> EvalSet:
    """Five pages of two documents, one of them empty."""
    documents = []
    for name, texts in PAGES.items():
        path = tmp_path / f"{name}.pdf"
        path.write_bytes(make_pdf(texts))
        documents.append(EvalDocument(name, path))
    pages = tuple(
        CorpusPage(f"{name}-{number}", name, number)
        for name, texts in PAGES.items()
        for number in range(1, len(texts) + 1)
    )
    return EvalSet("two-files", "", "1", "ndcg@10", tuple(documents), pages, (), {})


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., SystemOptions]:
    """Options with a folder of the test's own; settings as keywords."""
    return lambda **settings: SystemOptions(tmp_path / "work", settings=settings)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers model of one layer with random weights, which reads 32 tokens."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = sorted({word for texts in PAGES.values() for text in texts for word in text.lower().split()})
    alphabet = [chr(code) for code in range(33, 127)]
    vocabulary = {word: place for place, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])}
    for word in [*alphabet, *(f"##{letter}" for letter in alphabet), *words]:
        vocabulary.setdefault(word, len(vocabulary))
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes)).save_pretrained(folder / "bert")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder / "bert")
    modules = [Transformer(str(folder / "bert"), max_seq_length=32), Pooling(32, pooling_mode="mean")]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder / "tiny"))
    return folder / "tiny"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every attempt to reach the network fails, is noted, and fails the test."""
    attempts: list[Any] = []

    def refuse(*address: Any, **_: Any) -> Any:
        attempts.append(address)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield attempts
    assert attempts == []
