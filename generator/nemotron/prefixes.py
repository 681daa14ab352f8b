"""What the model remembers of beginnings of prompts, kept for the next prompt that begins so."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from ragvl.generator.nemotron.prompt.assembly import Boundary
from ragvl.generator.nemotron.settings import LanguageSettings
from ragvl.generator.nemotron.snapshot import Snapshot

__all__ = ["PrefixStore"]


class PrefixStore:
    """
    Snapshots in the host's memory, those used longest ago out first; for one thread at a time.

    Which places of a prompt are kept depends on the prompt alone, so that the model reads the same pieces whether a
    beginning was found or not, and gives the same bits.

    Args:
        settings: of the model.
        max_bytes: of all snapshots, and of those that are taken of one prompt; 0 keeps none.
        item_bytes: of a number of keys and values.
    """

    def __init__(self, settings: LanguageSettings, max_bytes: int, item_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, Snapshot] = OrderedDict()
        token = 2 * settings.attention_layers * settings.key_value_heads * settings.attention_head_dim
        window = settings.mamba_layers * settings.conv_dim * settings.conv_kernel
        states = settings.mamba_layers * settings.mamba_inner * settings.state_size
        self._token_bytes, self._fixed_bytes = token * item_bytes, window * item_bytes + 4 * states

    @property
    def nbytes(self) -> int:
        """What the snapshots take."""
        return sum(snapshot.nbytes for snapshot in self._kept.values())

    def places(self, ends: Sequence[Boundary]) -> tuple[Boundary, ...]:
        """
        Choose where snapshots are taken: from the first place on, as many as may be kept together.

        Args:
            ends: of the system's block and of leading pictures, ascending.
        """
        chosen, total = [], 0
        for end in ends:
            total += self._fixed_bytes + self._token_bytes * end.tokens
            if total > self._max_bytes:
                break
            chosen.append(end)
        return tuple(chosen)

    def find(self, places: Sequence[Boundary]) -> Snapshot | None:
        """The longest beginning that is kept; None for none."""
        for place in reversed(places):
            if place.key in self._kept:
                self._kept.move_to_end(place.key)
                return self._kept[place.key]
        return None

    def keep(self, places: Sequence[Boundary], taken: Mapping[int, Snapshot]) -> None:
        """Keep what was taken, by the number of tokens, and drop what no longer fits."""
        for place in places:
            if place.tokens in taken:
                self._kept[place.key] = taken[place.tokens].to("cpu")
                self._kept.move_to_end(place.key)
        while self.nbytes > self._max_bytes:
            self._kept.popitem(last=False)
