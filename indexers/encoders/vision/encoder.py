"""What page encoders of both kinds have in common."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ragvl.config import ImageConfig
from ragvl.errors import ConfigError, ModelFileError
from ragvl.indexers.encoders.vision.budget import BatchBudget
from ragvl.indexers.encoders.vision.fingerprint import fingerprint
from ragvl.indexers.encoders.vision.model import PageModel
from ragvl.protocols import FloatArray

__all__ = ["SentencePageEncoder", "unit_length"]

_RENDERING = 1  # counted up when the same model and settings come to give other vectors
_PIXELS_A_TOKEN = 784  # of Qwen2-VL, by which texts are given as much memory as images


class SentencePageEncoder:
    """A page encoder on a model of sentence-transformers; subclasses say how its vectors are made."""

    late_interaction: bool

    def __init__(self, config: ImageConfig, *, queries: bool = False) -> None:
        """
        Remember what to load; files are looked for when they are first needed, weights when something is encoded.

        Args:
            config: names the model.
            queries: take the query model, where there is one; only queries may then be encoded.

        Raises:
            ConfigError: no model is named.
        """
        name = (queries and config.query_model) or config.model
        if not name:
            raise ConfigError("image.encoder needs image.model: a model on the hub, or a folder")
        self._config = config
        self._model = PageModel(name, config, late_interaction=self.late_interaction)
        self._pages = BatchBudget(config.batch_pixels, "pixels")
        self._texts = BatchBudget(max(config.batch_pixels // _PIXELS_A_TOKEN, 1), "tokens")

    @property
    def name(self) -> str:
        """The model, as it was named by the configuration."""
        return self._model.name

    @property
    def space(self) -> str:
        """As configured, else the fingerprint."""
        return self._config.space or self.fingerprint

    @cached_property
    def fingerprint(self) -> str:
        """
        A hash of the model's files and of the settings that its vectors depend on, read without loading it.

        Device, precision and attention are left out: what they change is float noise.

        Raises:
            ModelFileError: the model is not there, or not one that may be loaded.
        """
        config = self._config
        return fingerprint(
            self._model.folder,
            {
                "late_interaction": self.late_interaction,
                "rendering": _RENDERING,
                "dimension": config.dimension,
                "max_side_px": config.max_side_px,
                "text": config.text,
                "max_text_tokens": config.max_text_tokens,
            },
        )

    @cached_property
    def dimension(self) -> int:
        """
        Length of a vector; from the model's settings, or from the model where they do not tell.

        Raises:
            ConfigError: the vectors are to be cut to more numbers than they have.
        """
        own = self._model.folder.dimension or self._own_dimension()
        wanted = self._config.dimension
        if wanted and wanted > own:
            raise ConfigError(f"image.dimension is {wanted}, but {self.name} makes vectors of {own} numbers")
        return wanted or own

    @property
    def device(self) -> str:
        """Where it computes, such as "cpu" or "cuda"."""
        return self._model.placement.device

    @property
    def weights_bytes(self) -> int:
        """Memory that its weights take; known before they are loaded."""
        return self._model.weights_bytes

    def to_device(self) -> None:
        """Bring the weights to the device, from the host or from disk."""
        self._model.to_device()

    def to_host(self) -> None:
        """Bring the weights from the device to the host."""
        self._model.to_host()

    def free(self) -> None:
        """Give the weights up; they are loaded again when something is encoded."""
        self._model.free()

    def _own_dimension(self) -> int:
        with self._model.using() as session:
            width = session.model.get_embedding_dimension()
        if width is None:
            raise ModelFileError(f"{self.name} does not tell how long its vectors are")
        return int(width)

    def _finished(self, vectors: FloatArray) -> FloatArray:
        """Cut vectors to the wanted length and give them unit length."""
        return unit_length(vectors[:, : self.dimension])


def unit_length(vectors: FloatArray) -> FloatArray:
    """Scale (n, dimension) vectors to length 1; those without a direction stay zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: FloatArray = np.divide(
        vectors, lengths, out=np.zeros_like(vectors, np.float32), where=lengths > 0
    )
    return scaled
