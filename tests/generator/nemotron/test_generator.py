"""The generator through the library, on a tiny random checkpoint: pages are really drawn, seen and read."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ragvl.config import NemotronConfig, load_config
from ragvl.errors import ConfigError, GeneratorError, ModelFileError
from ragvl.generator.grounding.prompt import Turn
from ragvl.generator.nemotron import writing
from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.generator import NemotronGenerator
from ragvl.generator.nemotron.measuring import measure
from ragvl.generator.nemotron.prompt.budget import ThinkingBudget
from ragvl.generator.nemotron.prompt.encoder import PromptInputs
from ragvl.protocols import LocalGenerator, Writer
from ragvl.types import Answer, TextDelta
from tests.generator.nemotron.ferries import QUESTION, Opening, Started, context_of, make_generator


def test_a_question_end_to_end(opened: Opening, started: Started, made: Path) -> None:
    """Pages are seen as pictures, text streams, and the answer tells what it took."""
    events = list(opened().ask_stream(QUESTION))
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert (answer.generator, answer.refused) == ("nemotron", False)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)).strip() == answer.text
    (inputs, reused) = started[0]
    assert inputs.features is not None
    assert answer.usage["prompt_tokens"] == len(inputs)
    assert 0 < answer.usage["completion_tokens"] <= 24
    assert reused == 0
    assert {"first_token", "first_text", "generate", "search", "context"} <= answer.timings_s.keys()
    assert answer.timings_s["first_token"] <= answer.timings_s["generate"]
    assert {entry.form for entry in answer.ledger if entry.kept}
    assert list((made / "features").glob("*.safetensors"))


def test_cited_labels_become_citations(
    opened: Opening, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement of a page under its label is verified; one under a label of nobody's is counted."""
    library = opened()
    generator = library.generator()
    assert isinstance(generator, NemotronGenerator)
    context = context_of(library, generator)
    page = next(page for page in context.pages if "1,204,500" in page.hit.page.text)

    def says(self: writing.Writing, engine: Engine, inputs: PromptInputs) -> Iterator[str]:
        yield f"Otter Ferries carried 1,204,500 passengers in 2018 [{page.label}]. "
        yield "Nothing else [q9q9]."

    monkeypatch.setattr(writing.Writing, "read", says)
    *_, answer = generator.stream(context, QUESTION, {})
    assert isinstance(answer, Answer)
    assert answer.text.startswith("Otter Ferries carried 1,204,500 passengers in 2018 [1].")
    assert [(each.page_number, each.verified) for each in answer.citations] == [(2, True)]
    assert answer.usage["unknown_labels"] == 1


def test_random_text_is_refused_where_support_is_asked_for(opened: Opening) -> None:
    """What no page says has no support."""
    answer = opened().ask(QUESTION, refuse_below=0.5)
    assert answer.refused
    assert answer.citations == ()


def test_costs_cover_the_prompt(opened: Opening, started: Started) -> None:
    """What pages were said to take, and what was left beside them, is never less than the real prompt."""
    library = opened()
    generator = library.generator()
    assert isinstance(generator, NemotronGenerator)
    context = context_of(library, generator)
    list(generator.stream(context, QUESTION, {}))
    counted = sum(page.cost_tokens for page in context.pages)
    frame = 4096 - 24 - generator.page_tokens(QUESTION)
    real = len(started[0][0])
    assert real <= counted + frame <= real + 60 * (len(context.pages) + 1)


@pytest.mark.parametrize("tokens", [1500, 1700, 2100])
def test_the_context_is_never_passed(opened: Opening, started: Started, tokens: int) -> None:
    """However little there is, prompt and answer fit in it."""
    answer = opened(context_tokens=tokens, thinking={"mode": "on", "budget_tokens": 40}).ask(QUESTION)
    assert answer.usage["thought_tokens"] == 40 + 64  # there is no end of a line to wait for
    assert answer.usage["completion_tokens"] > 40 + 64 + 24
    assert len(started[0][0]) + answer.usage["completion_tokens"] <= tokens
    assert len(answer.text.removesuffix(" …")) == 24


def test_a_short_thought_makes_the_answer_no_longer(opened: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thought leaves of its budget is not the answer's."""

    def close_at_once(self: ThinkingBudget, ids: Sequence[int]) -> tuple[int, ...]:
        closing = self.closing if self.is_open else ()
        self.spent += len(ids) if self.is_open else 0
        self.is_open = False
        return closing

    monkeypatch.setattr(ThinkingBudget, "feed", close_at_once)
    answer = opened(thinking={"mode": "on", "budget_tokens": 40}).ask(QUESTION)
    assert answer.usage["thought_tokens"] == 1
    assert len(answer.text.removesuffix(" …")) == 24


def test_a_context_that_is_too_large_is_made_smaller(
    opened: Opening, started: Started, whole: Path, tmp_path: Path
) -> None:
    """One made for another model loses its worst pages, and the ledger says so; one without room is refused."""
    whole_sized = make_generator(whole, tmp_path)
    context = context_of(opened(), whole_sized)
    list(whole_sized.stream(context, QUESTION, {}))
    small = make_generator(whole, tmp_path, context_tokens=len(started[0][0]) + 24 - 5)
    *_, answer = small.stream(context, QUESTION, {})
    assert isinstance(answer, Answer)
    assert any("given up" in entry.why for entry in answer.ledger)
    with pytest.raises(GeneratorError, match="max_answer_tokens"):
        list(make_generator(whole, tmp_path, context_tokens=600).stream(context, QUESTION, {}))


def test_it_stops_at_its_limit(opened: Opening) -> None:
    """An answer that is cut ends in an ellipsis; the option counts for one call."""
    library = opened()
    answer = library.ask(QUESTION, max_answer_tokens=16)
    assert answer.usage["completion_tokens"] == 16
    assert answer.text.endswith(" …")
    with pytest.raises(ValueError, match="max_answer_tokens"):
        library.ask(QUESTION, max_answer_tokens=4)
    with pytest.raises(ValueError, match="unknown option 'beams' for the nemotron generator"):
        library.ask(QUESTION, beams=2)


def test_it_stops_where_the_model_ends(opened: Opening, whole: Path, tmp_path: Path) -> None:
    """The token that ends an answer is not shown; an answer of nothing else is an error."""
    generator = make_generator(whole, tmp_path)
    context = context_of(opened(), generator)
    *_, cut = generator.stream(context, QUESTION, {})
    assert isinstance(cut, Answer)
    encoder = generator._session.encoder
    last = encoder.tokenizer.encode(cut.text[20])[0]
    encoder.markers = replace(encoder.markers, stop=frozenset({last}))
    *_, answer = generator.stream(context, QUESTION, {})
    assert isinstance(answer, Answer)
    assert not answer.text.endswith("…")
    assert cut.text.startswith(answer.text)
    assert answer.usage["completion_tokens"] <= 21


def test_nothing_written_is_an_error(opened: Opening, whole: Path, tmp_path: Path) -> None:
    """It is not taken for a refusal."""
    generator = make_generator(whole, tmp_path)
    context = context_of(opened(), generator)
    encoder = generator._session.encoder
    letters = {encoder.tokenizer.encode(letter)[0] for letter in "abcdefghijklmnopqrstuvwxyz"}
    encoder.markers = replace(encoder.markers, stop=frozenset(letters))
    encoder.tokenizer._silent |= letters
    with pytest.raises(GeneratorError, match="wrote nothing"):
        list(generator.stream(context, QUESTION, {}))


def test_closing_the_stream_stops_the_model(opened: Opening, whole: Path, tmp_path: Path) -> None:
    """The slot is free for the next question; a second answer at once, by the same thread, is refused."""
    generator = make_generator(whole, tmp_path)
    context = context_of(opened(), generator)
    stream = generator.stream(context, QUESTION, {})
    assert isinstance(next(stream), TextDelta)
    with pytest.raises(GeneratorError, match="under way"):
        next(generator.stream(context, QUESTION, {}))
    stream.close()  # type: ignore[attr-defined]  # a generator, which the protocol does not promise
    with generator._session.at_work() as engine:
        assert engine.free_slots == 1
    *_, answer = generator.stream(context, QUESTION, {})
    assert isinstance(answer, Answer)


def test_another_thread_waits_for_its_turn(opened: Opening, whole: Path, tmp_path: Path) -> None:
    """Two answers at once come one after the other."""
    generator = make_generator(whole, tmp_path)
    context = context_of(opened(), generator)
    first = generator.stream(context, QUESTION, {})
    next(first)
    answers: list[object] = []
    other = threading.Thread(target=lambda: answers.extend(generator.stream(context, QUESTION, {})))
    other.start()
    *_, answer = first
    other.join(60)
    assert isinstance(answer, Answer)
    assert isinstance(answers[-1], Answer)
    assert answers[-1].text == answer.text


@pytest.mark.parametrize(
    ("changed", "guesses"),
    [({}, True), ({"temperature": 0.5}, False), ({"thinking": {"mode": "on", "budget_tokens": 9}}, False)],
)
def test_pages_are_quoted_by_guessing(
    whole: Path, tmp_path: Path, changed: dict[str, Any], guesses: bool
) -> None:
    """Where the likeliest token is taken and nothing is thought, the pages' text is what guesses come from."""
    generator = make_generator(whole, tmp_path, **changed)
    session = generator._session
    drafter = writing.Writing(session, generator._config, ["Heron Ferries carried many."])._options().drafter
    assert (drafter is not None) == guesses
    if drafter is not None:
        after = session.encoder.tokenizer.encode("Heron Ferries")
        assert session.encoder.tokenizer.decode(drafter.propose(after)) == " carried"
    nothing = writing.Writing(session, generator._config, [""])._options().drafter
    assert nothing is None


def test_the_shipped_profile() -> None:
    """The shipped profile is whole: lanes, models and generator."""
    config = load_config("gpu")
    assert (config.image.encoder, config.image.dimension) == ("multi-vector", 128)
    assert (config.generator.name, config.generator.nemotron.device) == ("nemotron", "auto")


def test_modes_run(opened: Opening) -> None:
    """It is a writer: summaries are written, and a form that is cut is refused."""
    library = opened(context_tokens=8192)
    assert isinstance(library.generator(), Writer)
    assert isinstance(library.generator(), LocalGenerator)
    assert library.summarise("docs/otter.pdf").generator == "nemotron"
    schema = {"type": "object", "properties": {"passengers": {"type": "integer"}}}
    with pytest.raises(GeneratorError, match=r"was cut at 24 tokens"):
        library.extract(schema, QUESTION)


def test_writing_is_told_the_schema(started: Started, whole: Path, tmp_path: Path) -> None:
    """In the rules, where there is room for it."""
    generator = make_generator(whole, tmp_path)
    for schema in ({"type": "object", "title": "ferry"}, {"title": "x" * 5000}):
        with pytest.raises(GeneratorError, match="was cut"):
            list(generator.write("Rules.", ["Fill it in."], schema=schema))
    assert "".join(generator.write("Rules.", ["Go on."], max_tokens=16)).endswith(" …")
    texts = [generator._session.encoder.tokenizer.decode(inputs.ids) for inputs, _ in started]
    assert '"title": "ferry"' in texts[0]
    assert "xxx" not in texts[1]


def test_earlier_turns_are_shown(opened: Opening, started: Started) -> None:
    """History goes into the prompt as the other generators have it."""
    library = opened()
    library.ask("And how many passengers in 2017?", history=[Turn(QUESTION, "1,204,500 [1].")], rewrite=False)
    generator = library.generator()
    assert isinstance(generator, NemotronGenerator)
    text = generator._session.encoder.tokenizer.decode(started[-1][0].ids)
    assert f"Earlier question: {QUESTION}" in text
    assert text.endswith("Assistant\n<think></think>")


def test_a_model_that_is_not_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message has the command that brings it; nothing is downloaded."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    absent = make_generator(Path("nobody/nothing-at-all"), tmp_path)
    with pytest.raises(ModelFileError, match="hf download nobody/nothing-at-all"):
        absent.page_tokens(QUESTION)
    with pytest.raises(ModelFileError, match="must be a folder or a model of the hub"):
        make_generator(tmp_path / "gone", tmp_path).page_tokens(QUESTION)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"precision": "fp8"}, "does not multiply 8-bit matrices"),
        ({"device": "cuda:77"}, "finds no such device"),
        ({"device": "tpu"}, "take auto, cpu"),
    ],
)
def test_what_this_machine_cannot_do(
    whole: Path, tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    """Is said before anything is loaded."""
    with pytest.raises(ConfigError, match=words):
        make_generator(whole, tmp_path, **changed).page_tokens(QUESTION)


def test_thoughts_leave_room_for_pages() -> None:
    """The configuration refuses what cannot work."""
    with pytest.raises(ValueError, match="must leave room"):
        NemotronConfig(
            context_tokens=1000, max_answer_tokens=500, thinking={"mode": True, "budget_tokens": 500}
        )  # type: ignore[arg-type]  # as YAML has it


def test_the_benchmark_runs(whole: Path, tmp_path: Path) -> None:
    """On a CPU as well, where a test may wait for it."""
    session = make_generator(whole, tmp_path)._session
    speed = measure(session, prompt_tokens=200, answer_tokens=5)
    assert speed.written_tokens == 4
    assert 100 < speed.read_tokens <= 260
    assert min(speed.reading_s, speed.writing_s) > 0
    assert measure(session, prompt_tokens=200, answer_tokens=5, most_s=0.0).written_tokens == 0
