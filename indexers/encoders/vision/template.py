"""
A model's own way to be given images, queries and passages, and which tokens of them stand for which characters.

Models that transformers calls `...ForRetrieval` (ColPali, ColQwen2, ColModernVBERT) are rendered by the two methods that
their processors offer for it, `process_images` and `process_queries`. sentence-transformers 6.2 calls the processor
itself instead, which is the same for ColPali and ColQwen2; ColModernVBERT's then leaves out the visual prompt, without
which it fails on images, and the ten augmentation tokens of a query. All other models are rendered by sentence-transformers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ragvl.errors import ModelFileError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Rendered", "Role", "Template", "Window"]

Role = Literal["query", "document"]
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")  # what sentence-transformers looks for, in its order
_UNLIMITED = 1_000_000  # tokenizers without a limit name a number beyond that
_LONGEST_TOKEN = 64  # characters, on average over a text; a bound on what is tokenised to fill a limit
_SPARE_TOKENS = 4  # a text that is cut may become a few tokens more when its ends are tokenised anew


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """
    Model inputs.

    Attributes:
        features: for the model.
        spans: of texts: (start, end) in the text of each token, (rows, tokens, 2); (0, 0) for tokens that stand for none
            of its characters. None where the tokenizer does not tell.
    """

    features: dict[str, Any]
    spans: NDArray[np.int64] | None = None


class Window(NamedTuple):
    """A piece of a text: its characters, and how many tokens they are."""

    start: int
    end: int
    tokens: int


class Template:
    """The processor of a loaded model."""

    def __init__(self, model: Any) -> None:
        """
        Take a model of sentence-transformers.

        Raises:
            ModelFileError: it has no tokenizer.
        """
        from sentence_transformers.base.modules import Transformer

        transformers = [module for module in model.modules() if isinstance(module, Transformer)]
        self._model = model
        self.transformer: Any = transformers[0] if transformers else model[0]
        self.processor: Any = model.processor
        self.tokenizer: Any = model.tokenizer
        if not hasattr(self.tokenizer, "all_special_tokens"):
            raise ModelFileError("the model has no tokenizer, so that it cannot read queries")
        offered = all(hasattr(self.processor, name) for name in ("process_images", "process_queries"))
        self._frames: dict[Role, tuple[int | None, int]] = {}
        self._native = offered and getattr(self.transformer, "transformer_task", "") == "retrieval"

    @property
    def model_type(self) -> str:
        """As the model's config names it; "" when it has none."""
        return str(getattr(getattr(self.transformer, "config", None), "model_type", ""))

    @cached_property
    def image_token_id(self) -> int | None:
        """The token that an image's patches stand in for, where the model has one."""
        token = getattr(self.processor, "image_token", None)
        return self.tokenizer.convert_tokens_to_ids(token) if isinstance(token, str) else None

    def images(self, images: Sequence[Image], settings: Mapping[str, Any]) -> Rendered:
        """Render page images as documents; `settings` are those of the image processor that differ from its own."""
        if self._native:
            batch = self.processor.process_images(images=list(images), images_kwargs=dict(settings))
            return Rendered({**batch, "modality": "image"})
        return Rendered(self._preprocess(list(images), "document", {"image": dict(settings)}))

    def pairs(self, images: Sequence[Image], texts: Sequence[str], settings: Mapping[str, Any]) -> Rendered:
        """Render page images together with their texts as documents, one input each."""
        inputs = [
            {"image": image, "text": self.plain(text)} for image, text in zip(images, texts, strict=True)
        ]
        return Rendered(self._preprocess(inputs, "document", {"image": dict(settings)}))

    def texts(self, texts: Sequence[str], role: Role) -> Rendered:
        """Render texts, without blanks around them, with the spans of their tokens."""
        rendered, offsets = self._texts(texts, role)
        start, _ = self._frame(role)
        if offsets is None or start is None:
            return Rendered(rendered.features)
        lengths = np.array([len(text) for text in texts])[:, None, None]
        spans = np.clip(offsets - start, 0, lengths)
        spans[spans[..., 0] >= spans[..., 1]] = 0
        return Rendered(rendered.features, spans)

    def windows(self, text: str, max_tokens: int) -> list[Window]:
        """
        Cut the beginning of a document's text into pieces that the model takes whole, between words where it can.

        Args:
            text: any.
            max_tokens: of all pieces together; what lies beyond is left out.
        """
        offsets = self._token_offsets(text, max_tokens)
        if not offsets:
            return []
        count = -(-len(offsets) // self._room("document"))
        size = -(-len(offsets) // count)  # of equal length: a short rest would have no context
        windows: list[Window] = []
        first = 0
        while first < len(offsets):
            last = min(first + size, len(offsets))
            if last < len(offsets):
                last = _word_boundary(text, offsets, first, last)
            windows.append(_window(text, offsets[first:last]))
            first = last
        return [window for window in windows if window.start < window.end]

    def beginning(self, text: str, role: Role, max_tokens: int | None = None) -> Window:
        """Take as much of a text as the model reads at once, and no more than that; empty when it is blank."""
        limits = [len(text), len(text) if max_tokens is None else max_tokens]
        if role == "document" or self._native:
            limits.append(self._room(role))  # all other queries are cut by sentence-transformers
        offsets = self._token_offsets(text, min(limits))
        return _window(text, offsets) if offsets else Window(0, 0, 0)

    def plain(self, text: str) -> str:
        """Take the power from control tokens that a text spells out, such as "<image>", keeping its length."""
        # Damaged documents hold halves of surrogate pairs, which no tokenizer accepts; each becomes one "?".
        readable = text.encode("utf-8", "replace").decode()
        return self._control_tokens.sub(lambda found: " " + found[0][1:], readable)

    @cached_property
    def _control_tokens(self) -> re.Pattern[str]:
        added = {str(token) for token in self.tokenizer.added_tokens_decoder.values() if token.special}
        names = sorted({*added, *self.tokenizer.all_special_tokens}, key=len, reverse=True)
        return re.compile("|".join(re.escape(name) for name in names if name.strip()) or r"(?!)")

    def _texts(self, texts: Sequence[str], role: Role) -> tuple[Rendered, NDArray[np.int64] | None]:
        asked = {"return_offsets_mapping": True} if self.tokenizer.is_fast else {}
        plain = [self.plain(text) for text in texts]
        if self._native:
            batch = self.processor.process_queries(text=plain, text_kwargs=asked)
            rendered = Rendered({**batch, "modality": "text"})
        else:
            # As a mapping: a bare string that looks like an address or a path would be opened as an image.
            rendered = Rendered(self._preprocess([{"text": text} for text in plain], role, {"text": asked}))
        offsets = rendered.features.pop("offset_mapping", None)
        return rendered, None if offsets is None else np.asarray(offsets, np.int64)

    def _preprocess(self, inputs: list[Any], role: Role, settings: dict[str, Any]) -> dict[str, Any]:
        features: dict[str, Any] = self._model.preprocess(
            inputs, prompt=self._prompt(role), task=role, processing_kwargs=settings
        )
        return features

    def _prompt(self, role: Role) -> str | None:
        names = ("query",) if role == "query" else _DOCUMENT_PROMPTS
        prompts: Mapping[str, str | None] = self._model.prompts
        return next((prompts[name] for name in names if prompts.get(name)), None)

    def _frame(self, role: Role) -> tuple[int | None, int]:
        """
        Where a text begins in what the template makes of it, and how many tokens the template adds.

        Measured, whatever the template: two texts of one digit differ in one token alone, which ends where the text does.
        """
        if role not in self._frames:
            rendered, offsets = self._texts(["0", "1"], role)
            ids = np.asarray(rendered.features["input_ids"])
            different = np.flatnonzero(ids[0] != ids[1])
            found = offsets is not None and len(different) == 1
            start = int(offsets[0, different[0], 1]) - 1 if found and offsets is not None else None
            self._frames[role] = start, ids.shape[1] - 1
        return self._frames[role]

    def _room(self, role: Role) -> int:
        """Tokens of a text that fit beside those of the template."""
        lengths = (
            getattr(self.transformer, f"{role}_length", None),
            getattr(self.tokenizer, "model_max_length", None),
            getattr(_text_config(self.transformer), "max_position_embeddings", None),
        )
        limit = min((length for length in lengths if length and 0 < length < _UNLIMITED), default=_UNLIMITED)
        return max(limit - self._frame(role)[1] - _SPARE_TOKENS, 1)

    def _token_offsets(self, text: str, max_tokens: int) -> list[tuple[int, int]]:
        if not text.strip():
            return []
        if not self.tokenizer.is_fast:
            return [(0, len(text))]
        offsets: list[tuple[int, int]] = self.tokenizer(
            self.plain(text[: _LONGEST_TOKEN * max_tokens]),
            add_special_tokens=False,
            return_offsets_mapping=True,
            truncation=False,
            verbose=False,
        )["offset_mapping"]
        return offsets[:max_tokens]


def _text_config(transformer: Any) -> Any:
    config: Any = getattr(transformer, "config", None)
    return config.get_text_config() if hasattr(config, "get_text_config") else config


def _window(text: str, offsets: Sequence[tuple[int, int]]) -> Window:
    """The piece of a text that tokens stand for, without blanks around it."""
    start, end = offsets[0][0], offsets[-1][1]
    piece = text[start:end]
    return Window(end - len(piece.lstrip()), start + len(piece.rstrip()), len(offsets))


def _word_boundary(text: str, offsets: Sequence[tuple[int, int]], first: int, last: int) -> int:
    """Move the end of a window back to where a word begins, if one does in its second half."""
    for position in range(last, first + (last - first) // 2, -1):
        start = offsets[position][0]
        if text[start].isspace() or text[start - 1].isspace():
            return position
    return last
