"""Estimates of tokens."""

from __future__ import annotations

from importlib import resources

import pytest
from tokenizers import Tokenizer

from ragvl.config import EndpointConfig, ImageCostConfig
from ragvl.generator.endpoint.cost import (
    EndpointCost,
    nemotron_image_tokens,
    openai_image_tokens,
    patch_image_tokens,
    text_tokens,
)

_MARKER = 8


@pytest.mark.parametrize(
    ("width", "height", "most", "tiles"),
    [
        (512, 384, 12, 13),
        (512, 306, 12, 7),
        (512, 512, 12, 1),
        (220, 512, 12, 11),
        (386, 512, 12, 13),
        (481, 202, 12, 11),
        (481, 202, 2, 3),
        (481, 202, 4, 3),
        (481, 202, 8, 3),
        (1178, 1779, 12, 7),
        (1178, 1779, 8, 7),
        (1178, 1779, 4, 3),
        (1920, 1080, 12, 9),
    ],
)
def test_nemotron_tiles(width: int, height: int, most: int, tiles: int) -> None:
    """As the model's own processor cuts them, the thumbnail included."""
    assert nemotron_image_tokens(width, height, ImageCostConfig(max_tiles=most)) == 256 * tiles + _MARKER


@pytest.mark.parametrize(
    ("width", "height", "patch", "least", "most", "tokens"),
    [
        (1178, 1779, 28, 3136, 12_845_056, 42 * 64),
        (1178, 1779, 32, 65_536, 16_777_216, 37 * 56),
        (1178, 1779, 28, 3136, 1_003_520, 29 * 43),
        (20, 20, 28, 3136, 12_845_056, 2 * 2),
        (10_000, 40, 28, 3136, 12_845_056, 357 * 1),
    ],
)
def test_patches(width: int, height: int, patch: int, least: int, most: int, tokens: int) -> None:
    """As Qwen2-VL and Qwen3-VL resize them."""
    settings = ImageCostConfig(formula="patch", patch_px=patch, min_pixels=least, max_pixels=most)
    assert patch_image_tokens(width, height, settings) == tokens + _MARKER


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [(1024, 1024, 765), (2048, 4096, 1105), (512, 512, 255), (4096, 8192, 1105)],
)
def test_openai_tiles(width: int, height: int, tokens: int) -> None:
    """The examples of the published rule; low detail is 85 for all."""
    assert openai_image_tokens(width, height, ImageCostConfig(formula="openai")) == tokens + _MARKER
    assert openai_image_tokens(width, height, ImageCostConfig(formula="openai", detail="low")) == 85 + _MARKER


def test_the_formula_is_the_configured_one() -> None:
    """By name, and a picture without pixels is refused."""
    for formula, tokens in (("nemotron", 256), ("patch", 18 * 18), ("openai", 255)):
        config = EndpointConfig.model_validate({"image_cost": {"formula": formula}, "context_tokens": 9000})
        cost = EndpointCost(config)
        assert (cost.context_tokens, cost.sees_images) == (9000, True)
        assert cost.image_tokens(512, 512) == tokens + _MARKER
    with pytest.raises(ValueError, match="0 x 5 pixels"):
        cost.image_tokens(0, 5)


_TEXTS = {
    "prose": "Capital expenditure was $1,577 million in 2018, compared with $1,373 million in the year before; the "
    "increase reflects investments in new plants, and in the modernisation of existing ones.\n\n" * 3,
    "table": "Total revenues $ 1,823,333 $ 1,738,355 $ 1,644,694\nGross profit 573,968 564,397 522,942 526,728\n"
    * 4,
    "capitals": "CONSOLIDATED STATEMENT OF COMPREHENSIVE INCOME (UNAUDITED)\nNOTE 14: RECONCILIATION OF EQUITY\n"
    * 3,
    "contents": "14.2 Usage . . . . . . . . . . . . . . . . . . . . . 141\n14.3 Notes . . . . . . . . . . . . . 142\n"
    * 3,
    "digits": "55 60 65 70\n\n75\n\n0000000000 101010 56.9/57.1 100%\n" * 4,
    "code": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b https://example.org/a/b?c=d&e=f#g x_1 = {'a': [0]}\n"
    * 3,
    "signs": "∑ αᵢ·βᵢ ≤ √π — “quoted” • ✓ € £ © ™ ½ … → 5 °C ± 0.1 µm\n" * 3,
}


@pytest.mark.parametrize("text", _TEXTS.values(), ids=_TEXTS)
def test_text_is_not_estimated_too_low(text: str) -> None:
    """Never under a byte-level tokenizer of 50,000 tokens, and not beyond three times."""
    model = resources.files("ragvl.indexers") / "models/granite-embedding-30m-english/tokenizer.json"
    tokenizer = Tokenizer.from_str(model.read_text(encoding="utf-8"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    truth = len(tokenizer.encode(text, add_special_tokens=False).ids)
    assert truth <= text_tokens(text) <= 3 * truth


def test_other_scripts_count_more() -> None:
    """A character of Chinese, Arabic or Thai is a token or more; an empty text is next to nothing."""
    for text in ("资本支出为十五亿", "النفقات الرأسمالية", "รายจ่ายฝ่ายทุน"):
        assert text_tokens(text) >= len(text.replace(" ", ""))
    assert text_tokens("") == 2
