"""Rerankers of sentence-transformers: cross-encoders of texts, and vision-language models that score a page."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ragvl.config import ImageConfig, RerankConfig
from ragvl.errors import ConfigError, MissingExtraError, ModelFileError
from ragvl.indexers.encoders.vision.budget import BatchBudget, is_out_of_memory
from ragvl.indexers.encoders.vision.device import Placement, choose_placement
from ragvl.indexers.encoders.vision.fingerprint import weights_bytes
from ragvl.indexers.encoders.vision.folder import ModelFolder, find_model
from ragvl.indexers.encoders.vision.whole import whole_weights

if TYPE_CHECKING:
    from PIL.Image import Image
    from sentence_transformers import CrossEncoder

__all__ = ["CrossEncoderReranker"]

_SCORING = ("ForSequenceClassification", "ForCausalLM", "ForConditionalGeneration")


class CrossEncoderReranker:
    """
    A model that reads query and page together; safe to use from several threads, of which one computes at a time.

    Code that comes with a model is never run, weights are safetensors only. The weights are loaded when first used, and
    can be moved between device and host as a `ragvl.residency.DeviceModel`.
    """

    def __init__(self, config: RerankConfig) -> None:
        """Remember what to load; nothing is read yet."""
        self._config = config
        self._lock = threading.RLock()
        self._loaded: CrossEncoder | None = None
        self._budget = BatchBudget(config.batch_size, "documents")

    @property
    def name(self) -> str:
        """The model, as it was named by the configuration."""
        return self._config.model or ""

    @cached_property
    def folder(self) -> ModelFolder:
        """
        The model's files.

        Raises:
            ModelFileError: they are not here and cannot be had, or are of no cross-encoder.
        """
        with _as_rerank_settings():
            folder = find_model(self.name, self._config.revision)
        if (folder.path / "modules.json").is_file():
            made_as = str(folder.settings("config_sentence_transformers.json").get("model_type", ""))
            scores = made_as == "CrossEncoder"
        else:
            made_as = ", ".join(map(str, folder.settings("config.json").get("architectures") or ()))
            scores = made_as.endswith(_SCORING)
        if not scores:
            raise ModelFileError(
                f"{self.name} is no reranker: by its settings it is a {made_as or 'model of another kind'}, and scores "
                "would be made with random weights; name a cross-encoder as retrieval.rerank.model"
            )
        return folder

    @cached_property
    def placement(self) -> Placement:
        """Where and how it computes."""
        with _as_rerank_settings():
            return choose_placement(
                ImageConfig(device=self._config.device, precision=self._config.precision, attention="sdpa")
            )

    @cached_property
    def weights_bytes(self) -> int:
        """Memory of the weights in the chosen precision; known before they are loaded."""
        return weights_bytes(self.folder, self.placement.float_bytes)

    def prepare(self) -> None:
        """
        Load the weights.

        Raises:
            ModelFileError: the model cannot be loaded, or does not see the images that it is to be shown.
            MissingExtraError: sentence-transformers is not installed.
        """
        self.to_device()

    def to_device(self) -> None:
        """Bring the weights to the device, from the host or from disk."""
        with self._lock:
            self._ready()

    def score(self, query: str, documents: Sequence[tuple[str, Image | None]]) -> list[float]:
        """
        Score texts and images: logits of any range, see `ragvl.protocols.Reranker`.

        Raises:
            ModelFileError, MissingExtraError: see `prepare`.
            MemoryError: one document does not fit into memory.
        """
        import torch

        scores = [0.0] * len(documents)
        as_they_are = torch.nn.Identity()  # a sigmoid would make high scores equal
        with self._lock:
            model = self._ready()

            def score_batch(positions: list[int]) -> None:
                pairs: Any = [[query, _shown(*documents[position])] for position in positions]
                found = model.predict(
                    pairs, batch_size=len(pairs), show_progress_bar=False, activation_fn=as_they_are
                )
                for position, score in zip(positions, found.tolist(), strict=True):
                    scores[position] = score

            self._budget.run([1] * len(documents), score_batch, self._too_large)
        return scores

    def to_host(self) -> None:
        """Bring the weights from the device to the host; those that are not loaded stay so."""
        with self._lock:
            if self._loaded is not None:
                self._loaded.to("cpu")
                _give_back()

    def free(self) -> None:
        """Give the weights up; they are loaded again when next used."""
        with self._lock:
            self._loaded = None
            _give_back()

    def _ready(self) -> CrossEncoder:
        if self._loaded is None:
            self._loaded = self._load()
        elif str(self._loaded.device) != self.placement.device:
            self._loaded.to(self.placement.device)
        return self._loaded

    def _load(self) -> CrossEncoder:
        folder, placement = self.folder, self.placement
        try:
            from sentence_transformers import CrossEncoder
        except ImportError as error:
            raise MissingExtraError(
                'reranking needs sentence-transformers 6 or newer; run: pip install "ragvl[vl]"'
            ) from error
        settings = {"dtype": placement.dtype, "use_safetensors": True}
        try:
            with _quiet(), whole_weights(self.name):
                model: CrossEncoder = CrossEncoder(
                    str(folder.path),
                    device=placement.device,
                    local_files_only=True,
                    max_length=self._config.max_length,
                    model_kwargs=settings,
                )
        except ModelFileError:
            raise
        except Exception as error:  # whatever transformers makes of a folder's contents
            if is_out_of_memory(error):
                raise MemoryError(
                    f"{self.name} does not fit into the memory of {placement.device}: its weights take "
                    f"{self.weights_bytes / 2**20:,.0f} MiB; set retrieval.rerank.device: cpu, or take a smaller model"
                ) from error
            raise ModelFileError(
                f"cannot load the reranker {self.name}: {type(error).__name__}: {error}"
            ) from error
        if model.num_labels != 1:
            raise ModelFileError(
                f"{self.name} gives {model.num_labels} scores for a pair, a reranker gives one; name another model as "
                "retrieval.rerank.model"
            )
        if self._config.kind != "text" and not model.supports("image"):
            raise ModelFileError(
                f"{self.name} sees no images; set retrieval.rerank.kind: text, or name a model that does"
            )
        model.eval()
        return model

    def _too_large(self, position: int) -> str:
        return (
            f"one page does not fit into the memory of {self.placement.device} beside {self.name}; lower "
            "retrieval.rerank.max_length or retrieval.rerank.dpi"
        )


def _shown(text: str, image: Image | None) -> Any:
    if image is None:
        return text
    return {"text": text, "image": image} if text else image


@contextmanager
def _as_rerank_settings() -> Iterator[None]:
    """Page models have their settings under `image`, rerankers under `retrieval.rerank`."""
    try:
        yield
    except (ConfigError, ModelFileError) as error:
        raise type(error)(str(error).replace("image.", "retrieval.rerank.")) from error.__cause__


def _give_back() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the bars that transformers draws while it loads."""
    from transformers.utils import logging

    bars: Any = logging  # its functions have no types
    drew = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if drew:
            bars.enable_progress_bar()
