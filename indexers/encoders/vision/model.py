"""A page model's weights: loaded when first used, moved between device and host, and given up again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from ragvl.config import ImageConfig
from ragvl.errors import MissingExtraError, ModelFileError
from ragvl.indexers.encoders.vision.budget import is_out_of_memory, release_memory
from ragvl.indexers.encoders.vision.device import Placement, choose_placement
from ragvl.indexers.encoders.vision.fingerprint import weights_bytes
from ragvl.indexers.encoders.vision.folder import ModelFolder, find_model
from ragvl.indexers.encoders.vision.session import Session
from ragvl.indexers.encoders.vision.whole import whole_weights

__all__ = ["PageModel"]


class PageModel:
    """
    A model of sentence-transformers; safe to use from several threads, of which one computes at a time.

    Code that comes with a model is never run: `trust_remote_code` stays off, and weights are safetensors only.
    """

    def __init__(self, name: str, config: ImageConfig, *, late_interaction: bool) -> None:
        """Remember what to load; nothing is read yet."""
        self.name = name
        self.late_interaction = late_interaction
        self._config = config
        self._lock = threading.RLock()
        self._loaded: Session | None = None

    @cached_property
    def folder(self) -> ModelFolder:
        """
        The model's files.

        Raises:
            ModelFileError: they are not here and cannot be had, or are of another kind.
        """
        of_pages = self.name == self._config.model
        folder = find_model(self.name, self._config.revision if of_pages else None)
        if folder.is_late_interaction and not self.late_interaction:
            raise ModelFileError(f"{self.name} makes many vectors a page; set image.encoder: multi-vector")
        if self.late_interaction and not folder.is_late_interaction:
            raise ModelFileError(
                f"{self.name} is no late interaction model that sentence-transformers knows: it would be given a "
                "projection of random weights. Set image.encoder: single-vector, or name another model"
            )
        return folder

    @cached_property
    def placement(self) -> Placement:
        """Where and how it computes."""
        return choose_placement(self._config)

    @cached_property
    def weights_bytes(self) -> int:
        """Memory of the weights in the chosen precision; known before they are loaded."""
        return weights_bytes(self.folder, self.placement.float_bytes)

    @contextmanager
    def using(self) -> Iterator[Session]:
        """
        Hold the model, on its device, alone.

        Raises:
            ModelFileError: it cannot be loaded.
            MissingExtraError: sentence-transformers is not installed.
        """
        with self._lock:
            yield self._on_device()

    def to_device(self) -> None:
        """Bring the weights to the device, from the host or from disk."""
        with self._lock:
            self._on_device()

    def to_host(self) -> None:
        """Bring the weights from the device to the host; those that are not loaded stay so."""
        with self._lock:
            if self._loaded is not None:
                self._loaded.model.to("cpu")
                release_memory()

    def free(self) -> None:
        """Give the weights up; they are loaded again when next used."""
        with self._lock:
            self._loaded = None
            release_memory()

    def _on_device(self) -> Session:
        if self._loaded is None:
            self._loaded = self._load()
        elif str(self._loaded.model.device) != self.placement.device:
            self._loaded.model.to(self.placement.device)
        return self._loaded

    def _load(self) -> Session:
        folder, placement = self.folder, self.placement
        try:
            from sentence_transformers import MultiVectorEncoder, SentenceTransformer
        except ImportError as error:
            raise MissingExtraError(
                'page models need sentence-transformers 6 or newer; run: pip install "ragvl[vl]"'
            ) from error
        kind = MultiVectorEncoder if self.late_interaction else SentenceTransformer
        wanted = [placement.attention]
        if self._config.attention == "auto":
            wanted.append("eager")  # which every model has
        for attention in wanted:
            settings: dict[str, Any] = {
                "dtype": placement.dtype,
                "attn_implementation": attention,
                "use_safetensors": True,
            }
            try:
                with _quiet(), whole_weights(self.name):
                    model = kind(
                        str(folder.path),
                        device=placement.device,
                        local_files_only=True,
                        model_kwargs=settings,
                    ).eval()
                break
            except ModelFileError:
                raise
            except Exception as error:  # whatever transformers makes of a folder's contents
                if "attention" in str(error) and attention != wanted[-1]:
                    continue
                raise self._explained(error) from error
        if not model.supports("text"):
            raise ModelFileError(
                f"{self.name} cannot be asked in words: it reads {', '.join(map(str, model.modalities))}"
            )
        return Session(model, self._config, self.name)

    def _explained(self, error: Exception) -> Exception:
        if is_out_of_memory(error):
            return MemoryError(
                f"{self.name} does not fit into the memory of {self.placement.device}: its weights take "
                f"{self.weights_bytes / 2**20:,.0f} MiB; set image.device: cpu, or take a smaller model"
            )
        return ModelFileError(f"cannot load the model {self.name}: {type(error).__name__}: {error}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the bars that transformers draws while it loads."""
    from transformers.utils import logging

    drew = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # of transformers
    try:
        yield
    finally:
        if drew:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # of transformers
