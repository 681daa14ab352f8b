"""What a prompt puts into the residual stream: embedded tokens, with features in the place of some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from ragvl.generator.nemotron.language.model import LanguageModel

__all__ = ["EmbeddedInputs", "Inputs", "TokenInputs"]


class Inputs(Protocol):
    """A prompt, embedded piece by piece."""

    @property
    def ids(self) -> tuple[int, ...]:
        """Its tokens, where they are known; else nothing."""

    def __len__(self) -> int:
        """Count its tokens."""

    def embeds(self, model: LanguageModel, start: int, stop: int) -> torch.Tensor:
        """Embed tokens `start` to `stop` as (1, stop - start, hidden) on the model's device."""


@dataclass(frozen=True, slots=True, eq=False)
class TokenInputs:
    """
    Tokens, some of which may stand for features of an image.

    Attributes:
        ids: every token of the prompt.
        features: (n, hidden), of n placeholders; None for a prompt of text.
        positions: (n,) int64, ascending: which tokens are placeholders.

    Raises:
        ValueError: there are no tokens, or features and positions do not belong together.
    """

    ids: tuple[int, ...]
    features: torch.Tensor | None = None
    positions: torch.Tensor | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be embedded."""
        if not self.ids:
            raise ValueError("a prompt needs at least one token")
        if (self.features is None) != (self.positions is None):
            raise ValueError("features and positions come together")
        if self.features is None or self.positions is None:
            return
        if self.features.ndim != 2 or self.positions.shape != self.features.shape[:1]:
            raise ValueError(
                f"features are {tuple(self.features.shape)}, positions {tuple(self.positions.shape)};"
                " there is one position for each row of features"
            )
        found = self.positions.cpu()
        ascending = bool((found[1:] > found[:-1]).all())
        if found.numel() and not (ascending and found[0] >= 0 and found[-1] < len(self.ids)):
            raise ValueError(f"positions must ascend and lie within the {len(self.ids)} tokens")

    def __len__(self) -> int:
        """Count the tokens."""
        return len(self.ids)

    def embeds(self, model: LanguageModel, start: int, stop: int) -> torch.Tensor:
        """Embed some of the tokens, and put the features of those among them in their places."""
        ids = torch.tensor([self.ids[start:stop]], device=model.device)
        embeds = model.embed(ids)
        if self.features is not None and self.positions is not None:
            bounds = torch.searchsorted(
                self.positions, torch.tensor([start, stop], device=self.positions.device)
            )
            first, last = bounds.tolist()
            where = (self.positions[first:last] - start).to(model.device)
            embeds[0, where] = self.features[first:last].to(model.device, model.dtype)
        return embeds


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedInputs:
    """
    A prompt that is embedded already.

    Attributes:
        values: (tokens, hidden), any float dtype, on any device.

    Raises:
        ValueError: there are no tokens.
    """

    values: torch.Tensor

    def __post_init__(self) -> None:
        """Refuse what cannot be read."""
        if self.values.ndim != 2 or not self.values.shape[0]:
            raise ValueError(f"embeddings are {tuple(self.values.shape)}; (tokens, hidden) is needed")

    @property
    def ids(self) -> tuple[int, ...]:
        """Not known."""
        return ()

    def __len__(self) -> int:
        """Count the tokens."""
        return self.values.shape[0]

    def embeds(self, model: LanguageModel, start: int, stop: int) -> torch.Tensor:
        """Take some of the tokens."""
        return self.values[None, start:stop].to(model.device, model.dtype)
