"""Answers from a served model, end to end against a scripted server."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from ragvl.config import GeneratorConfig
from ragvl.errors import GeneratorError
from ragvl.generator.endpoint.generator import EndpointGenerator
from ragvl.generator.grounding.prompt import Turn
from ragvl.testing import HashEncoder
from ragvl.types import Answer, Context, TextDelta
from tests.generator.endpoint.fake_server import (
    DONE,
    GOOD,
    STALL,
    USAGE,
    FakeServer,
    context,
    counted,
    event,
    head,
    refusal,
)

Serve = Callable[..., FakeServer]
_QUESTION = "How much does the crane lift?"


def _generator(server: FakeServer, **settings: Any) -> EndpointGenerator:
    endpoint = {"base_url": server.url, "model": "m", "retries": 0, **settings}
    config = GeneratorConfig.model_validate({"name": "endpoint", "endpoint": endpoint})
    return EndpointGenerator(config, HashEncoder())


def _ask(generator: EndpointGenerator, pages: Context | None = None, **options: object) -> tuple[str, Answer]:
    *deltas, answer = generator.stream(context() if pages is None else pages, _QUESTION, options)
    assert isinstance(answer, Answer)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), answer


def test_an_answer(serve: Serve) -> None:
    """The label becomes a citation; counts and times are recorded."""
    server = serve(GOOD)
    shown, answer = _ask(_generator(server))
    assert shown == answer.text == "The crane lifts forty tonnes [1]."
    assert [(one.document.path, one.page_number, one.verified) for one in answer.citations] == [
        ("crane.pdf", 1, True)
    ]
    assert (answer.generator, answer.refused) == ("endpoint", False)
    assert USAGE.items() <= answer.usage.items()
    times = answer.timings_s
    assert 0 < times["first_token"] <= times["first_text"] <= times["generate"]
    assert server.asked[0].body["model"] == "m"
    assert "authorization" not in server.asked[0].headers


def test_text_is_given_out_as_it_comes(serve: Serve) -> None:
    """The first words are there while the server still writes; closing lets it go."""
    server = serve([head(), event("The crane lifts "), event("forty "), STALL])
    events = _generator(server).stream(context(), _QUESTION, {})
    assert next(events) == TextDelta("The crane lifts ")
    events.close()  # type: ignore[attr-defined] # it is a generator
    assert server.asked[0].closed.wait(5)


def test_nothing_is_asked_without_pages(serve: Serve) -> None:
    """An empty context is answered here."""
    server = serve(GOOD)
    shown, answer = _ask(_generator(server), Context((), ()))
    assert answer.refused
    assert shown == answer.text
    assert server.received == []


def test_the_models_own_refusal(serve: Serve) -> None:
    """A model that finds no answer makes a refusal in ragvl's words."""
    shown, answer = _ask(_generator(serve([head(), event("NOT ANSW"), event("ERABLE"), DONE])))
    assert answer.refused
    assert shown == answer.text
    assert "crane.pdf, page 1" in answer.text


def test_an_answer_that_is_cut_is_marked(serve: Serve) -> None:
    """At the limit of tokens the text ends with an ellipsis."""
    shown, answer = _ask(_generator(serve([head(), event("The crane lifts"), event(finish="length"), DONE])))
    assert shown == answer.text == "The crane lifts …"


@pytest.mark.parametrize("mode", ["on", "auto"])
@pytest.mark.parametrize(
    "events",
    [
        [event(reasoning_content="Let me "), event("", reasoning_content="see.")],
        [event("", reasoning="Let me see.")],
        [event("<thi"), event("nk>Let me "), event("see.</thin"), event("k>\n\n")],
        [event("Let me see.\n</th"), event("ink>\n\n")],
        [],
    ],
    ids=["reasoning_content", "reasoning", "marks", "no opening mark", "no thought"],
)
def test_thoughts_are_no_answer(serve: Serve, mode: str, events: list[bytes]) -> None:
    """Wherever a server puts them."""
    server = serve([head(), *events, *GOOD[1:]])
    shown, answer = _ask(_generator(server, thinking={"mode": mode}))
    assert shown == answer.text == "The crane lifts forty tonnes [1]."


@pytest.mark.parametrize(
    "thought",
    [
        event(reasoning_content="Hmm, let me see. " * 9),
        event("<think>" + "Hmm, let me see. " * 9),
        event("Hmm. " * 30),
    ],
    ids=["a field", "marks", "no opening mark"],
)
def test_a_thought_past_its_budget_is_ended(serve: Serve, thought: bytes) -> None:
    """The connection is closed, and the question asked again without thinking; both requests are counted."""
    thinking = [
        head(),
        event("", usage={"prompt_tokens": 100}),
        thought,
        *([event("Hmm.")] * 10),
        event("</think>"),
        STALL,
    ]
    server = serve(thinking, GOOD)
    generator = _generator(server, thinking={"mode": "on", "budget_tokens": 20})
    shown, answer = _ask(generator)
    assert shown == answer.text == "The crane lifts forty tonnes [1]."
    first, second = server.asked
    assert first.closed.wait(5)
    assert first.body["messages"][0]["content"].endswith("/think")
    assert second.body["messages"][0]["content"].endswith("/no_think")
    assert second.body["max_tokens"] == 1024
    assert answer.usage["prompt_tokens"] == 100 + USAGE["prompt_tokens"]


def test_a_thought_that_cannot_be_ended_is_an_error(serve: Serve) -> None:
    """A model that thinks in spite of all is not asked for ever."""
    server = serve([head(), event(reasoning_content="Hmm, let me see. " * 9), STALL])
    with pytest.raises(GeneratorError, match="although it was told not to.*thinking.switch"):
        _ask(_generator(server, thinking={"mode": "on", "budget_tokens": 20}))
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([event("<think>Hmm"), event(finish="length")], "reached its limit of tokens before it answered"),
        ([event(finish="stop")], "the model wrote nothing"),
        ([event(finish="tool_calls")], "wrote nothing .it ended with 'tool_calls'"),
        ([event(finish="content_filter")], "content filter"),
        ([event("40? yes"), event("</think>"), event("Forty.")], "thinks although it was told not to"),
    ],
)
def test_no_answer_is_an_error(serve: Serve, events: list[bytes], message: str) -> None:
    """Silence is not taken for "the documents do not say"."""
    with pytest.raises(GeneratorError, match=message):
        _ask(_generator(serve([head(), *events, DONE])))


_TOO_LONG = {
    "error": {
        "message": "You passed 4100 input tokens and requested 1024 output tokens. However, the model's context length is "
        "only 4096 tokens, resulting in a maximum input length of 3072 tokens."
    }
}


def test_a_context_that_does_not_fit_is_made_smaller(serve: Serve) -> None:
    """By what the server says of the sizes; pictures of the worst pages go first, and the ledger says so."""
    server = serve(refusal("400 Bad Request", _TOO_LONG), GOOD)
    shown, answer = _ask(_generator(server), context(4))
    assert shown == "The crane lifts forty tonnes [1]."
    first, second = (_pictures(one.body) for one in server.asked)
    assert (first, 0 < second < 4) == (4, True)
    given_up = [entry for entry in answer.ledger if "smaller than stated" in entry.why]
    assert [entry.page_number for entry in given_up] == list(range(second + 1, 5))


def test_a_context_is_not_made_smaller_for_ever(serve: Serve) -> None:
    """After a few times the server's own words are told."""
    words = {"error": {"message": "the input length exceeds the context length"}}
    server = serve(refusal("400 Bad Request", words))
    with pytest.raises(
        GeneratorError, match="do not fit the model's context .400: the input length.*context_tokens"
    ):
        _ask(_generator(server), context(9, tokens=50))
    assert 2 <= len(server.asked) <= 4


def test_an_overflow_inside_the_stream(serve: Serve) -> None:
    """As llama.cpp's Python server tells it: with 200, and an event."""
    words = b'data: {"error": {"message": "Requested tokens (2285) exceed context window of 2048"}}\n\n'
    server = serve([head(), words], GOOD)
    assert (
        _ask(_generator(server, max_answer_tokens=100), context(4))[0] == "The crane lifts forty tonnes [1]."
    )


def _pictures(body: dict[str, Any]) -> int:
    content = body["messages"][1]["content"]
    return 0 if isinstance(content, str) else sum(part["type"] == "image_url" for part in content)


def test_the_only_model_is_asked(serve: Serve) -> None:
    """Without a name the server's list decides, when it has one entry."""
    server = serve(GOOD)
    server.models = [head("200 OK", "application/json"), b'{"data": [{"id": "nano-vl"}]}']
    _ask(_generator(server, model=""))
    assert server.asked[0].body["model"] == "nano-vl"
    server.models = [head("200 OK", "application/json"), b'{"data": [{"id": "a"}, {"id": "b"}]}']
    with pytest.raises(GeneratorError, match=r"offers a, b. Set generator.endpoint.model"):
        _ask(_generator(server, model=""))
    server.models = [head("200 OK", "application/json"), b"{}"]
    with pytest.raises(GeneratorError, match="/models gives no list of models .{}."):
        _ask(_generator(server, model=""))
    server.models = refusal("404 Not Found", {"detail": "Not Found"})
    with pytest.raises(GeneratorError, match="no list of models .404.. Set generator.endpoint.model"):
        _ask(_generator(server, model=""))


def test_an_unknown_model_is_told_with_the_known_ones(serve: Serve) -> None:
    """The reader sees what can be put into the setting."""
    server = serve(refusal("404 Not Found", {"error": {"message": "The model `m` does not exist."}}))
    server.models = [head("200 OK", "application/json"), b'{"data": [{"id": "nano-vl"}]}']
    with pytest.raises(GeneratorError, match="no model named 'm'.*offers nano-vl"):
        _ask(_generator(server))


def test_options_of_one_call(serve: Serve) -> None:
    """They take the place of the configured ones, and mistakes are named."""
    server = serve(GOOD)
    generator = _generator(server)
    history = (Turn("And the dredger?", "It lifts nothing."),)
    _ask(generator, thinking="on", temperature=0.6, max_answer_tokens=50, history=history)
    body = server.asked[0].body
    assert (body["temperature"], body["max_tokens"]) == (0.6, 50 + 4096)
    assert "And the dredger?" in str(body["messages"][1])
    for options, message in (
        ({"refuse_bellow": 1}, "unknown option 'refuse_bellow'.*known: history"),
        ({"temperature": 9}, "'temperature': .*less than or equal to 2, not 9"),
        ({"thinking": "maybe"}, "'thinking': .*not 'maybe'"),
        ({"history": "x"}, "sequence of Turn"),
    ):
        with pytest.raises(ValueError, match=message):
            _ask(generator, **options)


def test_room_for_pages(serve: Serve) -> None:
    """What is left beside the answer, the thoughts, the rules and the question; never less than nothing."""
    server = serve(GOOD)
    plain = _generator(server, context_tokens=8192).page_tokens(_QUESTION)
    assert 6000 < plain < 8192 - 1024
    assert (
        _generator(server, context_tokens=8192, thinking={"mode": "on"}).page_tokens(_QUESTION)
        == plain - 4096
    )
    assert _generator(server, context_tokens=8192).page_tokens(_QUESTION * 100) < plain - 400
    assert _generator(server, context_tokens=1100).page_tokens(_QUESTION * 100) == 0


_KEY = "sk-canary-5f2e9a71c4"


def test_the_key_is_sent_and_never_told(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in logs, not in messages, tracebacks or representations, also when the server repeats it."""
    monkeypatch.setenv("CRANE_KEY", f" {_KEY}\n")
    caplog.set_level(logging.DEBUG)
    said = {"error": {"message": f"Incorrect API key provided: {_KEY}"}}
    server = serve(GOOD, refusal("401 Unauthorized", said), [head(), b"data: " + _KEY.encode() + b"\n\n"])
    generator = _generator(server, api_key_env="CRANE_KEY")
    _, answer = _ask(generator)
    assert server.asked[0].headers["authorization"] == f"Bearer {_KEY}"
    told = [repr(answer), repr(generator), repr(vars(generator))]
    for message in (r"Incorrect API key provided: \*\*\*.*variable CRANE_KEY", r"no part of a chat: \*\*\*"):
        with pytest.raises(GeneratorError, match=message) as caught:
            _ask(generator)
        told += traceback.format_exception(caught.value)
    assert len(caplog.records) > 0
    assert _KEY not in "".join([*told, caplog.text])


def test_a_key_that_is_not_there(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent, and the variable is named; nor is what could not be a header."""
    server = serve(GOOD)
    generator = _generator(server, api_key_env="CRANE_KEY")
    monkeypatch.delenv("CRANE_KEY", raising=False)
    with pytest.raises(GeneratorError, match="variable CRANE_KEY is not set"):
        _ask(generator)
    monkeypatch.setenv("CRANE_KEY", "a\r\nhost: elsewhere")
    with pytest.raises(GeneratorError, match="odd characters") as caught:
        _ask(generator)
    assert "elsewhere" not in str(caught.value)
    assert server.received == []


def test_proxies_of_the_environment_do_not_see_local_requests(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is for other machines."""
    proxy, server = serve(GOOD), serve(GOOD)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
    _ask(_generator(server))
    assert (len(server.asked), proxy.received) == (1, [])


def test_counts_of_a_last_event_are_kept(serve: Serve) -> None:
    """Counts come after the end of the text."""
    _, answer = _ask(
        _generator(
            serve([head(), event("Forty [k7f2]."), event(finish="stop"), counted({"total_tokens": 3})])
        )
    )
    assert answer.usage["total_tokens"] == 3
