"""All that stands before the language model: a conversation with pictures and videos becomes what the engine reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from ragvl.generator.nemotron.inputs import TokenInputs
from ragvl.generator.nemotron.prompt.assembly import Boundary, Placeholder, assemble
from ragvl.generator.nemotron.prompt.markers import Markers, find_markers
from ragvl.generator.nemotron.prompt.template import Exchange, Layout, Mark, Part, Piece, Text, chat_pieces
from ragvl.generator.nemotron.prompt.tokenizer import PromptTokenizer
from ragvl.generator.nemotron.settings import CheckpointConfig
from ragvl.generator.nemotron.video.clip import Video
from ragvl.generator.nemotron.video.evs import prune
from ragvl.generator.nemotron.video.labels import FrameStyle, frame_texts
from ragvl.generator.nemotron.vision.features import FeatureCache
from ragvl.generator.nemotron.vision.pictures import Features, PictureEncoder, Seeing, Shown

__all__ = ["PromptEncoder", "PromptInputs"]


@dataclass(frozen=True, slots=True, eq=False)
class PromptInputs(TokenInputs):
    """
    A prompt as `Engine.start` reads it.

    Attributes:
        boundaries: where it may be parted, for snapshots of what the model remembers of its beginning.
    """

    boundaries: tuple[Boundary, ...] = ()


class PromptEncoder:
    """
    Makes prompts for the engine; for one thread at a time.

    Args:
        config: of the checkpoint, by `read_config`.
        device: where the vision model goes; its weights are read when a picture is first seen.
        seeing: how pictures are seen.
        cache: where features of pictures are kept; None keeps none.
        pruning_rate: share of a video's tokens that is dropped; None for what the checkpoint says.
        frame_style: what is written around the frames of a video.
        pictures: what sees pictures, when it is not made from the arguments before.

    Attributes:
        tokenizer, markers: of the checkpoint.
        pictures: see above; `pictures.free()` gives the vision model's memory back.

    Raises:
        ModelFileError: the checkpoint lacks the tokenizer or a special token, or does not say how pictures are
            prepared.
    """

    def __init__(
        self,
        config: CheckpointConfig,
        device: torch.device | str,
        *,
        seeing: Seeing | None = None,
        cache: FeatureCache | None = None,
        pruning_rate: float | None = None,
        frame_style: FrameStyle | None = None,
        pictures: PictureEncoder | None = None,
    ) -> None:
        self.tokenizer = PromptTokenizer(config.folder)
        self.markers: Markers = find_markers(self.tokenizer, config.raw, config.language.stop_ids)
        self.pictures = pictures or PictureEncoder(config, device, seeing, cache=cache)
        said = config.raw.get("video_pruning_rate") or 0.0
        self._pruning_rate = float(said) if pruning_rate is None else pruning_rate
        self._frame_style = frame_style or FrameStyle()

    def encode(
        self,
        parts: Sequence[Part],
        *,
        system: str = "",
        history: Sequence[Exchange] = (),
        think: bool | None = None,
        layout: Layout = "in_place",
    ) -> PromptInputs:
        """
        Make a prompt.

        Args:
            parts: of the user's message, in order.
            system: the rules.
            history: earlier turns, oldest first.
            think: begin with a thought; None for what the system text says.
            layout: where pictures stand.

        Raises:
            GeneratorError: a picture is too large or cannot be decoded.
            DeviceMemoryError: the device's memory does not last for one tile.
            ModelFileError: the vision model cannot be read.
            MissingExtraError: transformers does not have the vision model.
        """
        pieces = list(chat_pieces(parts, system=system, history=history, think=think, layout=layout))
        seen = iter(self.pictures.encode([shown for piece in pieces for shown in _shown(piece)]))
        placed: list[Mark | Text | Placeholder] = []
        values: list[torch.Tensor] = []
        for piece in pieces:
            if isinstance(piece, str | Text):
                placed.append(piece)
            elif isinstance(piece, Video):
                self._place_video(piece, [next(seen) for _ in piece.frames], placed, values)
            else:
                features = next(seen)
                placed.append(Placeholder(len(features.values), features.key))
                values.append(features.values)
        assembled = assemble(placed, self.tokenizer, self.markers)
        return PromptInputs(
            assembled.ids,
            torch.cat(values) if values else None,
            torch.tensor(assembled.positions, dtype=torch.int64) if values else None,
            assembled.boundaries,
        )

    def _place_video(
        self,
        video: Video,
        frames: Sequence[Features],
        placed: list[Mark | Text | Placeholder],
        values: list[torch.Tensor],
    ) -> None:
        pruned = prune([frame.values for frame in frames], self._pruning_rate)
        values.append(pruned.values)
        texts = frame_texts(len(frames), video.times_s, self._frame_style)
        # What is dropped of a frame depends on all the others.
        together = " ".join([str(self._pruning_rate), *(frame.key for frame in frames)])
        rest = hashlib.sha256(together.encode()).hexdigest() if self._pruning_rate else ""
        for (before, behind), count, frame in zip(texts, pruned.counts, frames, strict=True):
            placed += [Text(before), Placeholder(count, frame.key + rest), Text(behind)]


def _shown(piece: Piece) -> Iterator[Shown]:
    if isinstance(piece, Video):
        yield from (Shown(frame, is_frame=True) for frame in piece.frames)
    elif not isinstance(piece, str | Text):
        yield Shown(piece)
