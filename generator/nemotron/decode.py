"""The decode step: one token for each slot, as a CUDA graph where there is CUDA."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ragvl.generator.nemotron.language.model import LanguageModel
from ragvl.generator.nemotron.state import State

__all__ = ["Decoder"]

_WARM_UPS = 2


class Decoder:
    """
    Runs the decode step over the first slots of a state, from and into buffers that stay where they are.

    Args:
        model: whose step it is.
        state: whose slots are moved on.
        capture: replay the step as a CUDA graph, one for each number of rows, recorded when it is first needed.
            None where the model is on a CUDA device.

    Raises:
        ValueError: capture was asked for on a device without CUDA.
    """

    def __init__(self, model: LanguageModel, state: State, *, capture: bool | None = None) -> None:
        device, vocabulary = model.device, model.settings.vocab_size
        if capture and device.type != "cuda":
            raise ValueError(f"a CUDA graph cannot be captured on {device}")
        self._capture = device.type == "cuda" if capture is None else capture
        self._model, self._state = model, state
        self._ids = torch.zeros(state.slots, dtype=torch.int64, device=device)
        self._active = torch.zeros(state.slots, dtype=torch.int32, device=device)
        self._active_now: tuple[bool, ...] = ()
        self._logits = torch.zeros(state.slots, vocabulary, dtype=torch.float32, device=device)
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}

    def step(self, ids: Sequence[int | None]) -> torch.Tensor:
        """
        Read one token in each of the first `len(ids)` slots.

        Args:
            ids: the token, or None for a slot that is idle: its length stands still, its recurrent state does not.

        Returns:
            (len(ids), vocabulary) float32, valid until the next step; junk for idle slots.
        """
        rows = len(ids)
        self._ids[:rows] = torch.tensor([token or 0 for token in ids])
        active = tuple(token is not None for token in ids)
        if active != self._active_now:
            self._active[:rows] = torch.tensor(active, dtype=torch.int32)
            self._active_now = active
        if self._capture:
            if rows not in self._graphs:
                self._graphs[rows] = self._record(rows)
            self._graphs[rows].replay()
        else:
            self._run(rows)
        return self._logits[:rows]

    def _run(self, rows: int) -> None:
        self._model.decode(
            self._ids[:rows], self._state.rows(0, rows), self._active[:rows], self._logits[:rows]
        )

    def _record(self, rows: int) -> torch.cuda.CUDAGraph:
        """Record the step; what the warm-up runs do to the state is undone."""
        device = self._model.device
        saved = self._state.save_recurrent()
        side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UPS):
                self._run(rows)
                self._state.load_recurrent(saved)
        torch.cuda.current_stream(device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(device), torch.cuda.graph(graph):
            self._run(rows)
        return graph
