"""The model as the arbiter of a device sees it: loaded, moved and freed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ragvl.config import NemotronConfig
from ragvl.errors import ConfigError
from ragvl.generator.nemotron.checkpoint.loading import load_language
from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.language.model import LanguageModel
from ragvl.generator.nemotron.memory import PREFILL_TOKENS, MemoryPlan
from ragvl.generator.nemotron.moving import moved
from ragvl.generator.nemotron.placing import Placing
from ragvl.generator.nemotron.settings import CheckpointConfig
from ragvl.indexers.encoders.vision.budget import release_memory

__all__ = ["ResidentModel"]

logger = logging.getLogger(__name__)


class ResidentModel:
    """
    Language model, its engine, and the vision model beside them; a `DeviceModel`.

    Args:
        checkpoint: where the weights are.
        config: for the context's length.
        placing: device and precision.
        plan: of the memory.
        free_vision: gives the vision model's memory back; it is read again when it is next needed.
    """

    def __init__(
        self,
        checkpoint: CheckpointConfig,
        config: NemotronConfig,
        placing: Placing,
        plan: MemoryPlan,
        free_vision: Callable[[], None],
    ) -> None:
        self.name = config.model
        self.weights_bytes = plan.resident_bytes
        self._checkpoint, self._config, self._placing = checkpoint, config, placing
        self._free_vision = free_vision
        self._model: LanguageModel | None = None
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """
        The engine, while the model is on its device.

        Raises:
            RuntimeError: it is not.
        """
        if self._engine is None:
            raise RuntimeError(f'"{self.name}" is not on its device; hold it by the arbiter first')
        return self._engine

    def to_device(self) -> None:
        """
        Bring the weights to the device, from the host or from disk, and make the engine.

        Raises:
            ModelFileError: files are absent or damaged.
            ConfigError: 8-bit matrices were asked for, and the checkpoint has none.
        """
        began = time.monotonic()
        if self._model is None:
            self._model = self._load()
        else:
            self._model = moved(self._model, self._placing.device)
        self._engine = Engine(
            self._model, capacity=self._config.context_tokens, prefill_tokens=PREFILL_TOKENS
        )
        logger.info("%s is on %s after %.1f s", self.name, self._placing.device, time.monotonic() - began)

    def to_host(self) -> None:
        """Bring the language model to the host; the vision model is given up."""
        self._leave()
        if self._model is not None:
            self._model = moved(self._model, "cpu")
        release_memory()

    def free(self) -> None:
        """Give everything up."""
        self._leave()
        self._model = None
        release_memory()

    def _leave(self) -> None:
        self._engine = None
        self._free_vision()

    def _load(self) -> LanguageModel:
        placing = self._placing
        model, report = load_language(
            self._checkpoint, placing.device, dtype=placing.dtype, keep_fp8=placing.keep_fp8
        )
        if self._config.precision == "fp8" and not report.formats["fp8"]:
            raise ConfigError(
                f"generator.nemotron.precision is fp8, but {self._checkpoint.folder} has no 8-bit matrices; take the "
                "checkpoint nvidia/NVIDIA-Nemotron-Nano-12B-v2-VL-FP8, or precision auto"
            )
        return model
