"""One checkpoint, opened: what makes its prompts, what answers them, and one answer at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakValueDictionary

from ragvl.arbiter import Arbiter
from ragvl.config import NemotronConfig
from ragvl.errors import ConfigError, DeviceMemoryError, GeneratorError
from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.finding import find_checkpoint
from ragvl.generator.nemotron.memory import plan_memory, require_room
from ragvl.generator.nemotron.placing import place
from ragvl.generator.nemotron.prefixes import PrefixStore
from ragvl.generator.nemotron.prompt.assembly import Boundary
from ragvl.generator.nemotron.prompt.cost import PromptCost
from ragvl.generator.nemotron.prompt.encoder import PromptEncoder, PromptInputs
from ragvl.generator.nemotron.request import Options, Request
from ragvl.generator.nemotron.resident import ResidentModel
from ragvl.generator.nemotron.settings import read_config
from ragvl.generator.nemotron.vision.features import FeatureCache
from ragvl.generator.nemotron.vision.pictures import Seeing
from ragvl.indexers.encoders.vision.budget import is_out_of_memory

__all__ = ["Session", "open_session"]

logger = logging.getLogger(__name__)

_FEATURES = "features"  # the folder below that of the index
_SYSTEM_PIECES = 3  # of a prompt: its beginning, the system's mark, the rules
_sessions: WeakValueDictionary[tuple[NemotronConfig, Arbiter, Path | None], Session] = WeakValueDictionary()
_opening = threading.Lock()


class Session:
    """
    A checkpoint on its device; safe to use from several threads, of which one is answered at a time.

    Nothing is loaded before the first answer.

    Args:
        config: which checkpoint, and how.
        arbiter: of the device's memory.
        folder: of the index, beside which features of pages are kept; None keeps none.

    Attributes:
        encoder: makes prompts; pictures only inside of `at_work`.
        cost: how it counts.
        plan: of the device's memory.
        prefixes: what is kept of beginnings.

    Raises:
        ModelFileError: the checkpoint is not on this machine, incomplete or damaged.
        ConfigError: the device is not there, or the checkpoint reads no context of that length.
        DeviceMemoryError: the model will not fit, whatever else leaves.
    """

    def __init__(self, config: NemotronConfig, arbiter: Arbiter, folder: Path | None) -> None:
        checkpoint = read_config(find_checkpoint(config.model, config.revision))
        if config.context_tokens > checkpoint.language.max_positions:
            raise ConfigError(
                f"generator.nemotron.context_tokens is {config.context_tokens:,}, but {config.model} reads "
                f"{checkpoint.language.max_positions:,} at most"
            )
        placing = place(config)
        cache = None
        if folder is not None and config.page_cache_mb:
            cache = FeatureCache(folder / _FEATURES, max_bytes=config.page_cache_mb << 20)
        self.encoder = PromptEncoder(
            checkpoint,
            placing.device,
            seeing=Seeing(max_tiles=config.max_tiles, dtype=placing.dtype),
            cache=cache,
        )
        self.cost = PromptCost(self.encoder, config.context_tokens)
        self.plan = plan_memory(checkpoint, self.encoder.pictures.settings, config, placing)
        logger.info("%s will take %s, of the %s device", config.model, self.plan, placing.device.type)
        require_room(self.plan, arbiter.budget_bytes, config)
        self.prefixes = PrefixStore(checkpoint.language, config.prefix_cache_mb << 20, placing.dtype.itemsize)
        # By the method the model holds this session: it lives as long as the arbiter keeps the model somewhere.
        self._model = ResidentModel(checkpoint, config, placing, self.plan, self._free_vision)
        self._arbiter = arbiter
        self._turn = threading.Lock()
        self._holder: int | None = None

    @contextmanager
    def at_work(self) -> Iterator[Engine]:
        """
        Hold the model on its device, alone.

        Raises:
            GeneratorError: this thread holds it already, by an answer that it has not read to its end.
            DeviceMemoryError: there is no room that others would give back, or it did not last.
        """
        if self._holder == threading.get_ident():
            raise GeneratorError(
                "this thread has an answer of the same model under way; read it to its end or close it first"
            )
        with self._turn:
            self._holder = threading.get_ident()
            try:
                with self._arbiter.using(self._model, self.plan.working_bytes):
                    yield self._model.engine
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                raise DeviceMemoryError(
                    f"the memory of the device did not last, although {self.plan} were to be enough: {error}. Close "
                    "what else uses the device, set device.memory_mb lower than what is free, or shorten "
                    "generator.nemotron.context_tokens"
                ) from error
            finally:
                self._holder = None

    def start(self, engine: Engine, inputs: PromptInputs, options: Options) -> tuple[Request, int]:
        """
        Read a prompt, but for what is remembered of its beginning, and write the first token.

        Returns:
            The request, and how many tokens were not read again.

        Raises:
            GeneratorError: prompt and answer do not fit.
        """
        places = self.prefixes.places(self._ends(inputs))
        known = self.prefixes.find(places)
        done = known.length if known is not None else 0
        cuts = [each.tokens for each in places if each.tokens > done]
        request = engine.start(inputs, options, prefix=known, snapshot_at=cuts)
        self.prefixes.keep(places, request.snapshots)
        request.snapshots.clear()
        return request, done

    def _free_vision(self) -> None:
        self.encoder.pictures.free()

    def _ends(self, inputs: PromptInputs) -> Sequence[Boundary]:
        """The ends of the system's block and of the pictures."""
        end = self.encoder.markers.image_end
        system, rest = inputs.boundaries[_SYSTEM_PIECES - 1], inputs.boundaries[_SYSTEM_PIECES:]
        return [system, *(each for each in rest if inputs.ids[each.tokens - 1] == end)]


def open_session(config: NemotronConfig, arbiter: Arbiter, folder: Path | None) -> Session:
    """
    Open a checkpoint, or take the session that has it open: it lives as long as it is used or holds memory.

    Raises:
        RagvlError: as `Session` does.
    """
    with _opening:
        key = (config, arbiter, folder)
        session = _sessions.get(key)
        if session is None:
            session = _sessions[key] = Session(config, arbiter, folder)
        return session
