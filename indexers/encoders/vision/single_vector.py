"""Pages as one vector each, compared by inner product: multimodal sentence-transformers, and models like CLIP."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ragvl.indexers.encoders.vision.encoder import SentencePageEncoder
from ragvl.indexers.encoders.vision.places import whole_page
from ragvl.indexers.encoders.vision.session import Session
from ragvl.protocols import FloatArray, PageVectors, PageView, QueryVectors, VectorSource

__all__ = ["SingleVectorPageEncoder"]


class SingleVectorPageEncoder(SentencePageEncoder):
    """A model that makes one vector of a page; one instance serves any number of threads, one of which computes."""

    late_interaction = False

    def encode_pages(self, pages: Sequence[PageView]) -> list[PageVectors]:
        """
        Encode pages: the image, together with the text where `text` is set and the model takes both at once.

        Returns:
            One vector a page, in the order given; its source is the image and its box the page.

        Raises:
            ModelFileError: the model is not there, or sees no images.
            MissingExtraError: torch or sentence-transformers is not installed.
            MemoryError: one page does not fit into memory.
        """
        if not pages:
            return []
        found = np.empty((len(pages), self.dimension), np.float32)
        with self._model.using() as session:
            both = self._config.text and session.model.supports(("image", "text"))
            texts = [self._text(session, page) if both else "" for page in pages]
            # Apart, because sentence-transformers renders a mixed batch differently.
            for group in (
                [i for i, text in enumerate(texts) if text],
                [i for i, text in enumerate(texts) if not text],
            ):
                if group:
                    found[group] = self._encode(session, [pages[i] for i in group], [texts[i] for i in group])
        source = np.array([VectorSource.IMAGE], np.uint8)
        return [
            PageVectors(vector[None], source, whole_page(page, 1))
            for vector, page in zip(found, pages, strict=True)
        ]

    def encode_queries(self, texts: Sequence[str]) -> list[QueryVectors]:
        """
        Encode queries as one vector each, which stands for all of the query's characters.

        Raises:
            TypeError: texts is a single string.
            ModelFileError: the model is not there.
            MissingExtraError: torch or sentence-transformers is not installed.
        """
        if isinstance(texts, str):
            raise TypeError("texts must be a sequence of strings, got one string; put it into a list")
        if not texts:
            return []
        found: dict[int, QueryVectors] = {}
        with self._model.using() as session:
            asked = [session.template.beginning(text, "query") for text in texts]
            cut = [text[window.start : window.end] for text, window in zip(texts, asked, strict=True)]

            def encode(batch: list[int]) -> None:
                rendered = session.template.texts([cut[position] for position in batch], "query")
                vectors = self._finished(session.compute(rendered.features, "query")["sentence_embedding"])
                for vector, position in zip(vectors, batch, strict=True):
                    found[position] = QueryVectors(vector[None], (asked[position][:2],))

            costs = [window.tokens for window in asked]
            self._texts.run(costs, encode, lambda _: f"a query does not fit into the memory of {self.device}")
        return [found[position] for position in range(len(texts))]

    def _encode(self, session: Session, pages: Sequence[PageView], texts: Sequence[str]) -> FloatArray:
        found = np.empty((len(pages), self.dimension), np.float32)
        images = session.images(pages)
        settings = session.layout.image_settings

        def encode(batch: list[int]) -> None:
            shown = [images[position] for position in batch]
            if texts[batch[0]]:
                rendered = session.template.pairs(shown, [texts[position] for position in batch], settings)
            else:
                rendered = session.template.images(shown, settings)
            found[batch] = self._finished(
                session.compute(rendered.features, "document")["sentence_embedding"]
            )

        self._pages.run(
            [session.layout.pixels(*image.size) for image in images], encode, session.too_large(images)
        )
        return found

    def _text(self, session: Session, page: PageView) -> str:
        start, end, _ = session.template.beginning(page.text, "document", self._config.max_text_tokens)
        return page.text[start:end]
