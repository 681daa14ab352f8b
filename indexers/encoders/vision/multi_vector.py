"""
Pages as bags of vectors, compared by MaxSim: ColModernVBERT, ColPali, ColQwen2 and multi-vector sentence-transformers.

A page's bag is the union of what the model makes of its image and of its text. mteb's ViDoRe v3.1 run of ColModernVBERT
does the same (`ColPaliEngineWrapper.encode` concatenates both along the tokens) and gains ten points of nDCG@10 over
images alone on questions in the documents' language.

Texts are rendered as documents: with the document prompt and length that a multi-vector folder of sentence-transformers
brings, since it was trained with them. Models `...ForRetrieval` know one way to render a text, the query's (prefix and
ten augmentation tokens): so do mteb, for its published runs, and sentence-transformers, and so does this.

Of an image, the vectors of its image tokens are kept; of a text, those of tokens that hold characters of it. The prompt
around them, the marks at its ends and the augmentation tokens are read by the model but left out of the bag: they stand
for no place, and are nearly the same on every page (colpali-engine calls this `mask_non_image_embeddings`,
sentence-transformers `keep_only_token_ids`). mteb's run kept them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.encoders.vision.encoder import SentencePageEncoder
from ragvl.indexers.encoders.vision.places import WordBoxes, on_page, whole_page
from ragvl.indexers.encoders.vision.session import Session
from ragvl.indexers.encoders.vision.template import Rendered
from ragvl.protocols import FloatArray, PageVectors, PageView, QueryVectors, VectorSource

__all__ = ["MultiVectorPageEncoder"]

_Bag = tuple[FloatArray, FloatArray]  # vectors (n, dimension), boxes in points (n, 4)


class MultiVectorPageEncoder(SentencePageEncoder):
    """A late interaction model; one instance serves any number of threads, one of which computes at a time."""

    late_interaction = True

    def encode_pages(self, pages: Sequence[PageView]) -> list[PageVectors]:
        """
        Encode pages as bags of image and text vectors, each with its box on the page.

        Returns:
            One bag a page, image vectors first, in the order given.

        Raises:
            ModelFileError: the model is not there, or sees no images.
            MissingExtraError: torch or sentence-transformers is not installed.
            MemoryError: one page does not fit into memory.
        """
        if not pages:
            return []
        with self._model.using() as session:
            seen = self._encode_images(session, pages)
            read = self._encode_texts(session, pages) if self._config.text else [[] for _ in pages]
        return [_joined(image, texts) for image, texts in zip(seen, read, strict=True)]

    def encode_queries(self, texts: Sequence[str]) -> list[QueryVectors]:
        """
        Encode queries, prompt and augmentation tokens included; what the model cannot read at once is cut off.

        Raises:
            TypeError: texts is a single string.
            ModelFileError: the model is not there.
            MissingExtraError: torch or sentence-transformers is not installed.
        """
        if isinstance(texts, str):
            raise TypeError("texts must be a sequence of strings, got one string; put it into a list")
        if not texts:
            return []
        found: list[QueryVectors | None] = [None] * len(texts)
        with self._model.using() as session:
            template = session.template
            asked = [template.beginning(text, "query") for text in texts]
            cut = [text[window.start : window.end] for text, window in zip(texts, asked, strict=True)]

            def encode(batch: list[int]) -> None:
                rendered = template.texts([cut[position] for position in batch], "query")
                made = session.compute(rendered.features, "query")
                for row, position in enumerate(batch):
                    kept = made["attention_mask"][row].astype(bool)
                    vectors = self._finished(made["token_embeddings"][row][kept])
                    places = _query_spans(rendered.spans, row, kept, cut[position], asked[position].start)
                    found[position] = QueryVectors(vectors, places)

            costs = [window.tokens for window in asked]
            self._texts.run(costs, encode, lambda _: f"a query does not fit into the memory of {self.device}")
        return [vectors for vectors in found if vectors is not None]

    def _encode_images(self, session: Session, pages: Sequence[PageView]) -> list[_Bag]:
        found: dict[int, _Bag] = {}
        images = session.images(pages)
        layout = session.layout

        def encode(batch: list[int]) -> None:
            rendered = session.template.images(
                [images[position] for position in batch], layout.image_settings
            )
            made = session.compute(rendered.features, "document")
            tokens = _token_ids(session, rendered, made)
            for row, position in enumerate(batch):
                page = pages[position]
                kept = made["attention_mask"][row].astype(bool)
                patches = (
                    np.zeros_like(kept) if tokens is None else tokens[row] == session.template.image_token_id
                )
                shares = None
                if patches.any():
                    kept &= patches
                    shares = layout.boxes(rendered.features, row, *images[position].size, int(kept.sum()))
                vectors = self._finished(made["token_embeddings"][row][kept])
                boxes = whole_page(page, len(vectors)) if shares is None else on_page(shares, page)
                found[position] = vectors, boxes

        costs = [layout.pixels(*image.size) for image in images]
        self._pages.run(costs, encode, session.too_large(images))
        return [found[position] for position in range(len(pages))]

    def _encode_texts(self, session: Session, pages: Sequence[PageView]) -> list[list[_Bag]]:
        template = session.template
        windows = [
            (number, window)
            for number, page in enumerate(pages)
            for window in template.windows(page.text, self._config.max_text_tokens)
        ]
        words = {number: WordBoxes(pages[number]) for number, _ in windows}
        found: dict[int, _Bag] = {}

        def encode(batch: list[int]) -> None:
            texts = [
                pages[number].text[start:end] for number, (start, end, _) in map(windows.__getitem__, batch)
            ]
            rendered = template.texts(texts, "document")
            made = session.compute(rendered.features, "document")
            spans = None if _token_ids(session, rendered, made) is None else rendered.spans
            for row, position in enumerate(batch):
                number, (start, _, _) = windows[position]
                kept = made["attention_mask"][row].astype(bool)
                if spans is None:
                    boxes = whole_page(pages[number], int(kept.sum()))
                else:
                    kept &= _holds_text(spans[row], texts[row])
                    boxes = words[number].of(spans[row][kept] + start)
                found[position] = self._finished(made["token_embeddings"][row][kept]), boxes

        costs = [window.tokens for _, window in windows]
        self._texts.run(
            costs,
            encode,
            lambda _: (
                f"a page's text does not fit into the memory of {self.device}; "
                f"lower image.max_text_tokens, which is {self._config.max_text_tokens}"
            ),
        )
        bags: list[list[_Bag]] = [[] for _ in pages]
        for position, (number, _) in enumerate(windows):
            bags[number].append(found[position])
        return bags


def _token_ids(session: Session, rendered: Rendered, made: Mapping[str, Any]) -> NDArray[np.int64] | None:
    """The tokens (rows, tokens) that vectors were made of; None where a model pools them, or has no tokens."""
    ids = rendered.features.get("input_ids")
    if ids is None or session.pools_tokens or tuple(ids.shape) != made["token_embeddings"].shape[:2]:
        return None
    return np.asarray(ids, np.int64)


def _holds_text(spans: NDArray[np.int64], text: str) -> NDArray[np.bool_]:
    return np.array([bool(text[start:end].strip()) for start, end in spans], np.bool_)


def _query_spans(
    spans: NDArray[np.int64] | None, row: int, kept: NDArray[np.bool_], text: str, start: int
) -> tuple[tuple[int, int], ...]:
    """Spans of a query's vectors, without the blanks that tokens begin with."""
    if spans is None or spans.shape[1] != len(kept):
        return ((0, 0),) * int(kept.sum())
    found: list[tuple[int, int]] = []
    for first, last in spans[row][kept].tolist():
        inner = text[first:last].strip()
        begin = start + text.index(inner, first) if inner else 0
        found.append((begin, begin + len(inner)) if inner else (0, 0))
    return tuple(found)


def _joined(image: _Bag, texts: Sequence[_Bag]) -> PageVectors:
    bags = (image, *texts)
    sources = np.full(sum(len(vectors) for vectors, _ in bags), VectorSource.TEXT, np.uint8)
    sources[: len(image[0])] = VectorSource.IMAGE
    return PageVectors(
        np.concatenate([vectors for vectors, _ in bags]),
        sources,
        np.concatenate([boxes for _, boxes in bags]),
    )
