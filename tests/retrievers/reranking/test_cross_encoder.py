"""Rerankers of sentence-transformers, with tiny checkpoints in the format of real ones."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ragvl.config import RerankConfig
from ragvl.errors import ConfigError, MissingExtraError, ModelFileError
from ragvl.retrievers.reranking.cross_encoder import CrossEncoderReranker

torch = pytest.importorskip("torch", reason="rerankers need the vl extra")

from tests.retrievers.reranking.checkpoints import (
    tiny_bert,
    tiny_cross_encoder,
    tiny_vision_reranker,
)

QUERY = "Which page tells what the pump costs ?"
TEXTS = ["revenue and cost by quarter", "tide", "the pump costs water " * 40]


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text cross-encoder."""
    return tiny_cross_encoder(tmp_path_factory.mktemp("models") / "text")


@pytest.fixture(scope="module")
def vision_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vision-language reranker."""
    return tiny_vision_reranker(tmp_path_factory.mktemp("models") / "vision")


def _reranker(model: Path, **settings: Any) -> CrossEncoderReranker:
    return CrossEncoderReranker(RerankConfig(model=str(model), device="cpu", **settings))


def _texts(*texts: str) -> list[tuple[str, None]]:
    return [(text, None) for text in texts]


def test_scores_are_the_model_s_own_logits(text_model: Path) -> None:
    """Those that transformers gives for the pair, cut where it would not fit."""
    from transformers import BertForSequenceClassification, BertTokenizerFast

    model = BertForSequenceClassification.from_pretrained(text_model).eval()
    pairs = BertTokenizerFast.from_pretrained(text_model)(
        [QUERY] * 3, TEXTS, truncation=True, max_length=64, padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = model(**pairs).logits[:, 0].tolist()
    assert _reranker(text_model).score(QUERY, _texts(*TEXTS)) == pytest.approx(expected, abs=1e-5)


def test_scores_do_not_depend_on_the_batch(text_model: Path) -> None:
    """Alone or together, in whatever order."""
    reranker = _reranker(text_model, batch_size=2)
    together = reranker.score(QUERY, _texts(*TEXTS, *reversed(TEXTS)))
    alone = [reranker.score(QUERY, _texts(text))[0] for text in TEXTS]
    assert together == pytest.approx([*alone, *reversed(alone)], abs=1e-5)
    assert reranker.score(QUERY, []) == []


def test_max_length_cuts_what_the_model_reads(text_model: Path) -> None:
    """Words behind the limit do not count."""
    reranker = _reranker(text_model, max_length=24)
    one, other = reranker.score(QUERY, _texts("tide " * 30 + "cost", "tide " * 30 + "berth"))
    assert one == pytest.approx(other, abs=1e-6)


def test_threads_share_a_reranker(text_model: Path) -> None:
    """Several searches at once get what one gets."""
    reranker = _reranker(text_model)
    expected = reranker.score(QUERY, _texts(*TEXTS))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: reranker.score(QUERY, _texts(*TEXTS)), range(8)))
    assert all(scores == pytest.approx(expected, abs=1e-5) for scores in found)


def test_a_vision_model_reads_text_and_image(vision_model: Path) -> None:
    """Image alone, text alone, both: each counts."""
    white, black = Image.new("RGB", (200, 280), "white"), Image.new("RGB", (200, 280), "black")
    reranker = _reranker(vision_model, kind="both")
    shown = [("cost", white), ("tide", white), ("cost", black), ("", black), ("cost", None)]
    scores = reranker.score(QUERY, shown)
    assert len({round(score, 4) for score in scores}) == len(shown)
    alone = [reranker.score(QUERY, [one])[0] for one in shown]
    assert scores == pytest.approx(alone, abs=1e-4)


def test_weights_can_be_given_up_and_loaded_again(text_model: Path) -> None:
    """Their size is known before they are loaded."""
    reranker = _reranker(text_model)
    size = (text_model / "model.safetensors").stat().st_size
    assert 0 < reranker.weights_bytes <= size
    before = reranker.score(QUERY, _texts("tide"))
    reranker.to_host()
    reranker.free()
    assert reranker.score(QUERY, _texts("tide")) == before


def test_out_of_memory_makes_batches_smaller(text_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All documents still get their scores."""
    reranker = _reranker(text_model, batch_size=4)
    expected = reranker.score(QUERY, _texts(*TEXTS))
    model = reranker._ready()
    predict, sizes = model.predict, list[int]()

    def small(pairs: list[Any], **options: Any) -> Any:
        sizes.append(len(pairs))
        if len(pairs) > 1:
            raise RuntimeError("CUDA error: out of memory")
        return predict(pairs, **options)

    monkeypatch.setattr(model, "predict", small)
    assert reranker.score(QUERY, _texts(*TEXTS)) == pytest.approx(expected, abs=1e-5)
    assert sizes[0] == 3
    assert sizes[-3:] == [1, 1, 1]


def test_a_model_without_a_head_is_refused(tmp_path: Path) -> None:
    """transformers would make up the weights of one, and scores would be noise."""
    with pytest.raises(ModelFileError, match=r"no reranker.*BertModel.*retrieval\.rerank\.model"):
        _reranker(tiny_bert(tmp_path / "bert")).score(QUERY, _texts("a"))


def test_a_classifier_is_refused(tmp_path: Path) -> None:
    """Three classes are no score."""
    with pytest.raises(ModelFileError, match="3 scores"):
        _reranker(tiny_cross_encoder(tmp_path / "nli", labels=3)).score(QUERY, _texts("a"))


def test_a_text_model_is_not_shown_images(text_model: Path) -> None:
    """The kind is checked when the model is loaded, not when the first image comes."""
    with pytest.raises(ModelFileError, match=r"sees no images; set retrieval\.rerank\.kind"):
        _reranker(text_model, kind="both").score(QUERY, _texts("a"))


def test_pickles_are_refused(tmp_path: Path) -> None:
    """Reading one can run code."""
    folder = tiny_cross_encoder(tmp_path / "model")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelFileError, match="pickle"):
        _reranker(folder).score(QUERY, _texts("a"))


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    """One error of ragvl's, with the model's name."""
    folder = tiny_cross_encoder(tmp_path / "model")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    with pytest.raises(ModelFileError, match="model"):
        _reranker(folder).score(QUERY, _texts("a"))


@pytest.mark.parametrize("name", ["/nowhere/at/all", "nobody/nothing"])
def test_a_missing_model_is_told_with_its_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the setting of page models, whose loader is shared."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelFileError, match=r"retrieval\.rerank\.model"):
        CrossEncoderReranker(RerankConfig(model=name)).score(QUERY, _texts("a"))


def test_a_device_that_is_not_there_is_told(text_model: Path) -> None:
    """With the setting's name."""
    with pytest.raises(ConfigError, match=r"retrieval\.rerank\.device"):
        CrossEncoderReranker(RerankConfig(model=str(text_model), device="warp")).score(QUERY, _texts("a"))


def test_a_missing_extra_is_told(text_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that adds it."""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"ragvl\[vl\]"):
        _reranker(text_model).score(QUERY, _texts("a"))
