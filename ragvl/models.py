"""The models of one library: loaded when they are first needed, one of each, within the memory that there is."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING

from ragvl.arbiter import Arbiter, DeviceModel
from ragvl.config import Config, DeviceConfig
from ragvl.memory import budgets
from ragvl.protocols import PageEncoder, PageVectors, PageView, QueryVectors, Reranker, TextEncoder
from ragvl.registry import load

if TYPE_CHECKING:
    from PIL.Image import Image


class Models:
    """Encoders of passages, pages and queries, as a configuration names them; safe to use from several threads."""

    def __init__(
        self, config: Config, text: TextEncoder | None = None, pages: PageEncoder | None = None
    ) -> None:
        """
        Remember what to load.

        Args:
            config: resolved.
            text, pages: encoders of the caller's own, in place of those that the configuration names.
        """
        self._config = config
        self._text = {} if text is None else {text.name: text}
        self._pages: dict[str, PageEncoder] = {} if pages is None else {pages.name: pages}
        self._reranker: Reranker | None = None
        self._guard = threading.RLock()

    def passages(self) -> TextEncoder:
        """The encoder of passages."""
        return self._text_encoder(self._config.text.encoder)

    def queries(self) -> TextEncoder:
        """The encoder of queries that are compared with passages."""
        return self._text_encoder(self._config.text.query_encoder or self._config.text.encoder)

    def pages(self) -> PageEncoder | None:
        """The encoder of pages; None where the image lane is off."""
        return self._page_encoder(self._config.image.model, queries=False)

    def page_queries(self) -> PageEncoder | None:
        """The encoder of queries that are compared with pages; None where the image lane is off."""
        image = self._config.image
        return self._page_encoder(image.query_model or image.model, queries=bool(image.query_model))

    def reranker(self) -> Reranker | None:
        """What looks at the best pages again; None where nothing does."""
        config = self._config.retrieval.rerank
        with self._guard:
            if self._reranker is None and config.model is not None:
                reranker: Reranker = load("reranker", config.name)(config)
                self._reranker = _SharingReranker(reranker, config.device, self._config.device)
            return self._reranker

    def _text_encoder(self, name: str) -> TextEncoder:
        with self._guard:
            if name not in self._text:
                encoder: TextEncoder = load("text_encoder", name)()
                self._text[name] = encoder
            return self._text[name]

    def _page_encoder(self, model: str, *, queries: bool) -> PageEncoder | None:
        image = self._config.image
        if image.encoder is None:
            return None
        with self._guard:
            if model not in self._pages:
                encoder: PageEncoder = load("page_encoder", image.encoder)(image, queries=queries)
                self._pages[model] = _SharingPageEncoder(encoder, image.device, self._config.device)
            return self._pages[model]


class _SharingPageEncoder:
    """A page encoder that is on the device while it computes, and may have to leave it afterwards."""

    def __init__(self, encoder: PageEncoder, device: str, config: DeviceConfig) -> None:
        self._encoder = encoder
        self._device = device
        self._config = config
        self.late_interaction = encoder.late_interaction

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def space(self) -> str:
        return self._encoder.space

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def encode_pages(self, pages: Sequence[PageView]) -> list[PageVectors]:
        with self._on_device():
            return self._encoder.encode_pages(pages)

    def encode_queries(self, texts: Sequence[str]) -> list[QueryVectors]:
        with self._on_device():
            return self._encoder.encode_queries(texts)

    def _on_device(self) -> AbstractContextManager[object]:
        return _on_device(self._encoder, self._device, self._config)


class _SharingReranker:
    """A reranker that is on the device while it computes, and may have to leave it afterwards."""

    def __init__(self, reranker: Reranker, device: str, config: DeviceConfig) -> None:
        self._reranker = reranker
        self._device = device
        self._config = config

    def prepare(self) -> None:
        with _on_device(self._reranker, self._device, self._config):
            self._reranker.prepare()

    def score(self, query: str, documents: Sequence[tuple[str, Image | None]]) -> list[float]:
        with _on_device(self._reranker, self._device, self._config):
            return self._reranker.score(query, documents)


def _on_device(model: object, device: str, config: DeviceConfig) -> AbstractContextManager[object]:
    """Hold a model on its device; one that cannot be moved is left alone."""
    if not isinstance(model, DeviceModel):
        return nullcontext()
    # What computing takes beside the weights is left to the reserve, and to the models, which halve their batches.
    return device_arbiter(device, config).using(model)


@lru_cache(maxsize=8)
def device_arbiter(device: str, config: DeviceConfig) -> Arbiter:
    """The one arbiter of a device in this process; its budget is measured when the first model is loaded."""
    found = budgets(device, memory_mb=config.memory_mb, host_memory_mb=config.host_memory_mb)
    return Arbiter(found.device_bytes, found.host_bytes)
