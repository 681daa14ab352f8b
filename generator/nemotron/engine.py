"""Answers requests: reads prompts in pieces, then writes tokens, several requests a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch

from ragvl.errors import GeneratorError
from ragvl.generator.nemotron.decode import Decoder
from ragvl.generator.nemotron.inputs import Inputs
from ragvl.generator.nemotron.language.model import LanguageModel
from ragvl.generator.nemotron.request import Options, Request
from ragvl.generator.nemotron.sampling import Sampler, next_tokens
from ragvl.generator.nemotron.snapshot import Snapshot
from ragvl.generator.nemotron.speculation.verify import verify

__all__ = ["Engine"]

_TAIL = 32  # tokens that a drafter is shown


def _never() -> bool:
    return False


class Engine:
    """
    Holds a model and what it remembers of the requests under way; for one thread at a time.

    Args:
        model: that answers.
        slots: requests that can be under way together.
        capacity: tokens of a request, prompt and answer together.
        prefill_tokens: tokens of a prompt that are read at once, which bounds the memory on the way.
        capture: see `Decoder`.

    Raises:
        ValueError: a number below 1.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        slots: int = 1,
        capacity: int = 16_384,
        prefill_tokens: int = 4096,
        capture: bool | None = None,
    ) -> None:
        if prefill_tokens < 1:
            raise ValueError(f"prefill_tokens must be at least 1, not {prefill_tokens}")
        self.model = model
        self.capacity = capacity
        self._prefill_tokens = prefill_tokens
        with torch.inference_mode():
            self._state = model.new_state(slots, capacity)
            self._decoder = Decoder(model, self._state, capture=capture)
        self._running: list[Request | None] = [None] * slots

    @property
    def free_slots(self) -> int:
        """Requests that can be started now."""
        return self._running.count(None)

    def start(
        self,
        inputs: Inputs,
        options: Options,
        *,
        prefix: Snapshot | None = None,
        snapshot_at: Sequence[int] = (),
        cancelled: Callable[[], bool] = _never,
    ) -> Request:
        """
        Read a prompt and write the answer's first token.

        Args:
            inputs: the prompt.
            options: how it is answered.
            prefix: what the model remembers of the prompt's beginning, which is not read again. The rest gives the
                same bits as in the run that took the snapshot.
            snapshot_at: numbers of tokens, within the prompt, after which snapshots are taken.
            cancelled: asked between the pieces of a prompt.

        Raises:
            GeneratorError: no slot is free, or prompt and answer do not fit.
            ValueError: the prefix is not shorter than the prompt, or a snapshot is asked for outside of it.
        """
        self._require_room(inputs, options)
        done = prefix.length if prefix is not None else 0
        cuts = sorted(set(snapshot_at))
        if not done < len(inputs) or (cuts and not done < cuts[0] <= cuts[-1] <= len(inputs)):
            raise ValueError(
                f"a prefix of {done} tokens and snapshots at {cuts} do not suit a prompt of {len(inputs)} tokens"
            )
        slot = self._running.index(None)
        request = Request(inputs, options, Sampler(options.sampling, self.model.device), slot, done)
        with torch.inference_mode():
            self._state.reset(slot)
            if prefix is not None:
                self._state.restore(slot, prefix)
            logits = self._read(request, cuts, cancelled)
            if logits is None:
                request.ending = "cancelled"
                return request
            self._running[slot] = request
            request.add(next_tokens(logits, [request.sampler]))
            self._settle(request)
        return request

    def step(self) -> None:
        """Write at least one more token of every request under way."""
        with torch.inference_mode():
            running = [request for request in self._running if request is not None]
            # A decode step disturbs the recurrent state of every row below the last; none may sit it out.
            if running and not (len(running) == 1 and self._speculate(running[0])):
                self._decode(running)

    def extend(self, request: Request, tokens: Sequence[int]) -> None:
        """
        Put words into a request's mouth: the model reads its last token and these, and writes the one after them.

        Args:
            request: under way.
            tokens: become part of the answer; they count towards its limit and do not stop it.

        Raises:
            ValueError: there are no tokens, or more than the answer may still take and one.
        """
        if not tokens or len(tokens) >= request.room or request.ending is not None:
            raise ValueError(
                f"{len(tokens)} tokens cannot be added to an answer that may take {request.room} more"
            )
        with torch.inference_mode():
            ids = torch.tensor([[request.tokens[-1], *tokens]], device=self.model.device)
            logits = self._prefill(request, self.model.embed(ids))
            request.tokens += tokens
            request.add(next_tokens(logits, [request.sampler]))
            self._settle(request)

    def snapshot(self, request: Request) -> Snapshot:
        """
        Copy what the model remembers of a request under way: the prompt and the answer but for its last token.

        Raises:
            ValueError: the request has ended; its slot may be another's.
        """
        if self._running[request.slot] is not request:
            raise ValueError("the request has ended; ask for a snapshot of the end by the option keep_end")
        with torch.inference_mode():
            return self._state.snapshot(request.slot)

    def cancel(self, request: Request) -> None:
        """End a request; its slot is free again."""
        if request.ending is None:
            request.ending = "cancelled"
        if self._running[request.slot] is request:
            self._running[request.slot] = None

    def stream(
        self, inputs: Inputs, options: Options, *, cancelled: Callable[[], bool] = _never
    ) -> Iterator[int]:
        """Yield the tokens of one answer as they are written; closing the iterator ends the request."""
        request = self.start(inputs, options, cancelled=cancelled)
        shown = 0
        try:
            while True:
                yield from request.tokens[shown:]
                shown = len(request.tokens)
                if request.ending is not None or cancelled():
                    return
                self.step()
        finally:
            self.cancel(request)

    def generate(self, prompts: Sequence[tuple[Inputs, Options]]) -> list[Request]:
        """Answer any number of prompts, as many at a time as there are slots; results come in their order."""
        requests: list[Request] = []
        try:
            while len(requests) < len(prompts) or any(request.ending is None for request in requests):
                while self.free_slots and len(requests) < len(prompts):
                    requests.append(self.start(*prompts[len(requests)]))
                self.step()
        finally:
            for request in requests:
                self.cancel(request)
        return requests

    def _require_room(self, inputs: Inputs, options: Options) -> None:
        if not self.free_slots:
            raise GeneratorError(f"all {len(self._running)} slots are taken; wait for an answer to end")
        needed = len(inputs) + options.max_tokens
        if needed > self.capacity:
            raise GeneratorError(
                f"a prompt of {len(inputs)} tokens and an answer of up to {options.max_tokens} do not fit the"
                f" {self.capacity} tokens that the engine was made for; show fewer pages or make it larger"
            )

    def _read(
        self, request: Request, cuts: Sequence[int], cancelled: Callable[[], bool]
    ) -> torch.Tensor | None:
        """Read the rest of a prompt, and return its last logits, (1, vocabulary); None when cancelled."""
        total = len(request.inputs)
        logits = None
        while request.read < total:
            if cancelled():
                return None
            ends = [cut for cut in cuts if cut > request.read]
            stop = min(request.read + self._prefill_tokens, total, *ends[:1])
            logits = self._prefill(
                request, request.inputs.embeds(self.model, request.read, stop), last=stop == total
            )
            if stop in cuts:
                request.snapshots[stop] = self._state.snapshot(request.slot)
        return logits

    def _prefill(self, request: Request, embeds: torch.Tensor, *, last: bool = True) -> torch.Tensor:
        row = self._state.rows(request.slot, request.slot + 1)
        logits = self.model.prefill(embeds, row, request.read, keep=int(last))
        request.read += embeds.shape[1]
        return logits[:, -1] if last else logits

    def _decode(self, requests: Sequence[Request]) -> None:
        rows = 1 + max(request.slot for request in requests)
        ids: list[int | None] = [None] * rows
        samplers: list[Sampler | None] = [None] * rows
        for request in requests:
            ids[request.slot], samplers[request.slot] = request.tokens[-1], request.sampler
        chosen = next_tokens(self._decoder.step(ids), samplers)
        for request in requests:
            request.read += 1
            request.add([chosen[request.slot]])
            self._settle(request)

    def _speculate(self, request: Request) -> bool:
        """Move a request on by checked guesses; False when there are none."""
        if request.options.drafter is None or request.room < 2:
            return False
        known = [*request.inputs.ids[-_TAIL:], *request.tokens[-_TAIL:]]
        guess = list(request.options.drafter.propose(known))[: request.room - 1]
        if not guess:
            return False
        row = self._state.rows(request.slot, request.slot + 1)
        verified = verify(self.model, row, request.read, request.tokens[-1], guess)
        count = request.add(verified.tokens)
        verified.take_in(count)
        request.read += count
        request.checked += len(guess)
        request.accepted += min(count, verified.accepted)
        self._settle(request)
        return True

    def _settle(self, request: Request) -> None:
        """Free the slot of a request that has ended."""
        if request.ending is not None:
            if request.options.keep_end:
                request.snapshots[request.read] = self._state.snapshot(request.slot)
            self._running[request.slot] = None
