"""Every fault on the wire ends in an answer or in an error that says what, where and what to do; none in a hang."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ragvl.config import EndpointConfig
from ragvl.errors import GeneratorError
from ragvl.generator.endpoint import wire
from ragvl.generator.endpoint.client import EndpointClient
from ragvl.generator.endpoint.deltas import Delta
from ragvl.generator.endpoint.failures import EndpointFailure
from ragvl.generator.endpoint.overflow import Overflow
from tests.generator.endpoint.fake_server import (
    DONE,
    GOOD,
    RESET,
    STALL,
    FakeServer,
    Script,
    counted,
    event,
    head,
    refusal,
    whole,
)

Serve = Callable[..., FakeServer]
_TEXT = "The crane lifts forty tonnes [k7f2]."
_PATIENT = {"connect_s": 20.0, "first_token_s": 20.0, "idle_s": 20.0, "total_s": 40.0}
_SOON_S = 0.2


class Asked:
    """What asking came to: text, the error if any, and the waits between attempts, which are not waited."""

    def __init__(self, config: EndpointConfig, total_s: float | None = None) -> None:
        self.waits: list[float] = []
        self.text = ""
        self.error = ""
        self.deltas: list[Delta] = []
        client = EndpointClient(config, sleep=self.waits.append)
        try:
            for delta in client.complete(
                {"model": "m"}, time.monotonic() + (total_s or config.timeouts.total_s)
            ):
                self.deltas.append(delta)
                self.text += delta.text
        except GeneratorError as error:
            self.error = str(error)


def _config(server: FakeServer | str, limits: Mapping[str, float] = {}, **more: Any) -> EndpointConfig:
    url = server if isinstance(server, str) else server.url
    return EndpointConfig.model_validate(
        {"base_url": url, "model": "m", "timeouts": {**_PATIENT, **limits}, **more}
    )


@pytest.fixture(autouse=True)
def _no_waiting_for_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_AFTER_END_S", 0.1)


def _pieces(*events: bytes) -> list[bytes]:
    """The events, a byte at a time."""
    data = b"".join(events)
    return [data[i : i + 1] for i in range(len(data))]


_CHUNKED = head("200 OK", "text/event-stream", "transfer-encoding: chunked").replace(
    b"connection: close\r\n", b""
)


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(GOOD, id="as it should be"),
        pytest.param([head(), *_pieces(event(_TEXT), event(finish="stop"), DONE)], id="a byte at a time"),
        pytest.param([head(), event(_TEXT, finish="stop")], id="no [DONE]"),
        pytest.param([head(), event(_TEXT), DONE], id="no reason to finish"),
        pytest.param(
            [head(), event(_TEXT), event(finish="stop"), STALL], id="no [DONE], and the connection stays"
        ),
        pytest.param([head(), event(_TEXT), event(finish="stop"), RESET], id="reset after the end"),
        pytest.param([head(), event(_TEXT), DONE, event("more"), STALL], id="more after [DONE]"),
        pytest.param([head(), b": hello\n\n: again\n", event(_TEXT), b": x\n", DONE], id="comments"),
        pytest.param(
            [head(), b"data:\n\nevent: ping\ndata: now\n\n", event(_TEXT), DONE], id="empty and named events"
        ),
        pytest.param([head(), event(_TEXT).replace(b"\n", b"\r\n"), DONE.replace(b"\n", b"\r\n")], id="CRLF"),
        pytest.param([head(), event(_TEXT).replace(b"data: ", b"data:"), b"data:[DONE]\n\n"], id="no space"),
        pytest.param([head(), event(_TEXT) + event(finish="stop").rstrip()], id="no last empty line"),
        pytest.param([head("200 OK", "text/plain"), event(_TEXT), DONE], id="text/plain"),
        pytest.param([head("200 OK", "application/json"), event(_TEXT), DONE], id="a stream called JSON"),
        pytest.param([head("200 OK", "application/json"), whole(_TEXT)], id="not streamed"),
        pytest.param([head(), b"\n ", whole(_TEXT)], id="not streamed, called a stream"),
        pytest.param(
            [
                head("200 OK", "text/event-stream", "content-encoding: gzip"),
                gzip.compress(event(_TEXT) + DONE),
            ],
            id="gzip",
        ),
        pytest.param(
            [head("200 OK", "application/json", "content-encoding: gzip"), gzip.compress(whole(_TEXT))],
            id="gzip, not streamed",
        ),
        pytest.param([_CHUNKED, _chunk(event(_TEXT) + DONE), STALL], id="chunked, never closed"),
        pytest.param(
            [_CHUNKED, _chunk(event(_TEXT, finish="stop")), RESET], id="chunked, reset after the end"
        ),
        pytest.param([head(), event("x" * 1_000_000), event(finish="stop"), DONE], id="a huge line"),
    ],
)
def test_what_completes(serve: Serve, script: Script) -> None:
    """Whatever a server leaves out or adds, a whole answer is a whole answer."""
    asked = Asked(_config(serve(script)))
    assert asked.error == ""
    assert asked.text in {_TEXT, "x" * 1_000_000}
    assert not asked.waits


_ONE_CRANE = event("The crane ")


@pytest.mark.parametrize(
    ("script", "text", "message"),
    [
        pytest.param(
            [STALL], "", "no token came within 0.2 seconds.*first_token_s", id="stall before the headers"
        ),
        pytest.param([head()[:-2], STALL], "", "no token came.*first_token_s", id="stall in the headers"),
        pytest.param([head(), STALL], "", "no token came.*first_token_s", id="stall before the first event"),
        pytest.param(
            [head(), event(role="assistant"), STALL],
            "",
            "no token came.*first_token_s",
            id="a role is no token",
        ),
        pytest.param(
            [head(), _ONE_CRANE, STALL], "The crane ", "next token did not come.*idle_s", id="between events"
        ),
        pytest.param([head(), _ONE_CRANE, b"data: {", STALL], "The crane ", "idle_s", id="stall in an event"),
        pytest.param([head(), _ONE_CRANE], "The crane ", "in the middle of its answer", id="ended early"),
        pytest.param(
            [head(), _ONE_CRANE, event("forty")[:-20], RESET],
            "The crane ",
            "in the middle of its answer.*Connection reset",
            id="reset in an event",
        ),
        pytest.param(
            [_CHUNKED, _chunk(_ONE_CRANE)],
            "The crane ",
            "in the middle of its answer.*incomplete",
            id="chunks cut",
        ),
        pytest.param(
            [head(), _ONE_CRANE, event("größer").split("ö".encode())[0] + b"\xc3"],
            "The crane ",
            "an event that is no part of a chat.*gr",
            id="cut in a character",
        ),
        pytest.param(
            [head(), event("The cra")], "The cra", "in the middle of its answer", id="cut in a word"
        ),
        pytest.param(
            [head(), _ONE_CRANE, b"data: {nonsense}\n\n"], "The crane ", "nonsense", id="malformed JSON"
        ),
        pytest.param(
            [head(), _ONE_CRANE, b'data: {"error": "bad "quotes" inside"}\n\n', STALL],
            "The crane ",
            "bad .quotes. inside",
            id="an error that is malformed JSON",
        ),
        pytest.param(
            [head(), _ONE_CRANE, b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'],
            "The crane ",
            "500: out of memory",
            id="an error in the stream",
        ),
        pytest.param(
            [head(), _ONE_CRANE, b"event: error\ndata: the engine is dead\n\n", STALL],
            "The crane ",
            "the engine is dead",
            id="an error event",
        ),
        pytest.param(
            [head("200 OK", "application/json"), b'{"error": {"message": "no credits left"}}'],
            "",
            "no credits left",
            id="an error with 200",
        ),
        pytest.param(
            [head("200 OK", "text/html"), b"<!doctype html><title>Hi"], "", "web page.*/v1", id="a web page"
        ),
        pytest.param(
            [head("200 OK", "application/json"), b'{"a": 1}'], "", "no chat completion: .*a", id="other JSON"
        ),
        pytest.param([head("200 OK", "application/json"), b"[1, 2"], "", "no chat completion", id="cut JSON"),
        pytest.param(
            [head("200 OK", "application/json"), b"[" * 100_000], "", "no chat completion", id="deep JSON"
        ),
        pytest.param([head()], "", "before it answered", id="an empty stream"),
        pytest.param([head("204 No Content")], "", "refused the request .204", id="no content"),
        pytest.param([b"SSH-2.0-OpenSSH_9\r\n"], "", "before it answered", id="another protocol"),
        pytest.param(
            [head("200 OK", "text/event-stream", "content-encoding: gzip"), b"not gzip"],
            "",
            "cannot be unpacked",
            id="false gzip",
        ),
        pytest.param(
            [head(), b"data: " + b"x" * 9_000_000], "", "sends without end", id="a line without end"
        ),
        pytest.param(
            [head(), *[b": " + b"x" * 70_000_000]], "", "more than|without end", id="a comment without end"
        ),
    ],
)
def test_what_fails(serve: Serve, script: Script, text: str, message: str) -> None:
    """The text up to the fault is given out, then the error; it names the server."""
    server = serve(script)
    limits = {name: _SOON_S for name in ("first_token_s", "idle_s") if name in message}
    asked = Asked(_config(server, limits, retries=0))
    assert asked.text == text
    pytest.raises(GeneratorError, _raise, asked.error).match(f"(?s).*{message}")
    assert f"127.0.0.1:{server.port}/v1" in asked.error


def _raise(message: str) -> None:
    raise GeneratorError(message)


def test_signs_of_life_do_not_put_off_the_limits(serve: Serve) -> None:
    """A server that sends comments for ever is given up as if it were silent."""
    comments = [b": still here\n\n"] * 10_000
    silent = _config(serve([head(), *comments, STALL]), {"first_token_s": _SOON_S}, retries=0)
    assert "first_token_s" in Asked(silent).error
    broken = _config(serve([head(), _ONE_CRANE, *comments, STALL]), {"idle_s": _SOON_S}, retries=0)
    assert "idle_s" in Asked(broken).error


def test_the_whole_has_a_limit_too(serve: Serve) -> None:
    """A server that always writes a little is stopped at the end of the time allowed."""
    asked = Asked(_config(serve([head(), _ONE_CRANE, STALL])), total_s=_SOON_S)
    assert "not whole" in asked.error
    assert "total_s" in asked.error


@pytest.mark.parametrize("status", ["408 X", "429 X", "500 X", "502 X", "503 X", "504 X"])
def test_passing_errors_are_tried_again(serve: Serve, status: str) -> None:
    """Once refused, then good: waits grow and are not all alike."""
    server = serve(refusal(status, {"error": {"message": "busy"}}), refusal(status, b"<html>busy"), GOOD)
    asked = Asked(_config(server))
    assert (asked.text, asked.error) == (_TEXT, "")
    assert len(server.asked) == 3
    assert 0.25 <= asked.waits[0] <= 0.5 <= asked.waits[1] <= 1.0


@pytest.mark.parametrize(
    "first", [[RESET], [], [head()], [b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"c']]
)
def test_a_connection_lost_before_the_first_token_is_tried_again(serve: Serve, first: Script) -> None:
    """Nothing was shown, so nothing is lost by asking again."""
    server = serve(first, GOOD)
    assert Asked(_config(server)).text == _TEXT
    assert len(server.asked) == 2


def test_a_stream_that_ends_without_a_word_is_asked_for_the_reason(serve: Serve) -> None:
    """llama.cpp's Python server breaks off its stream at an error; without streaming it tells the error."""
    server = serve(
        [head()], refusal("400 X", {"error": {"message": "Requested tokens (9) exceed context window of 5"}})
    )
    client = EndpointClient(_config(server, retries=0))
    with pytest.raises(EndpointFailure, match="do not fit the model's context") as caught:
        list(client.complete({"model": "m", "stream": True, "stream_options": {}}, time.monotonic() + 20))
    assert caught.value.overflow == Overflow(9, 5)
    assert [one.body for one in server.asked] == [
        {"model": "m", "stream": True, "stream_options": {}},
        {"model": "m"},
    ]


def test_an_error_inside_the_stream_before_the_first_token_is_tried_again(serve: Serve) -> None:
    """OpenRouter reports what its providers do with 200 and a code inside."""
    error = b'data: {"error": {"message": "provider is down", "code": 502}, "choices": []}\n\n'
    server = serve([head(), error], GOOD)
    assert Asked(_config(server)).text == _TEXT


def test_the_server_says_how_long_to_wait(serve: Serve) -> None:
    """`Retry-After` in seconds or as a date is kept, nonsense is not."""
    past = "retry-after: Wed, 21 Oct 2015 07:28:00 GMT"
    for header, least, most in (("retry-after: 3", 3, 3), (past, 0, 0.5), ("retry-after: soon", 0, 0.5)):
        asked = Asked(_config(serve(refusal("429 X", {"error": "slow down"}, header), GOOD)))
        assert asked.text == _TEXT
        assert least <= asked.waits[0] <= most


def test_a_wait_beyond_the_limit_is_not_begun(serve: Serve) -> None:
    """An hour is not waited for; the error says what was asked."""
    asked = Asked(_config(serve(refusal("429 X", {"error": "slow down"}, "retry-after: 3600"))))
    assert asked.waits == []
    assert "takes no more requests now (429: slow down)" in asked.error
    assert "wait 3600 seconds" in asked.error


def test_attempts_come_to_an_end(serve: Serve) -> None:
    """The last error is told, with the number of attempts."""
    server = serve(refusal("503 X", {"error": "busy"}))
    asked = Asked(_config(server, retries=2))
    assert len(server.asked) == 3
    assert "503: busy" in asked.error
    assert "tried 3 times" in asked.error


@pytest.mark.parametrize(
    ("status", "said", "message"),
    [
        ("400 X", {"error": {"message": "bad field"}}, "refused the request (400: bad field)"),
        ("401 X", {"error": {"message": "invalid key"}}, "Name the environment variable that holds the key"),
        ("403 X", {"message": "no"}, '403: {"message": "no"}'),
        ("404 X", {"detail": "Not Found"}, "usually ends in /v1"),
        ("405 X", b"", "405: no reason given"),
        ("413 X", b"<html>too large", "413: a web page"),
        ("422 X", {"detail": [{"loc": ["body"], "msg": "bad"}]}, "422: "),
        ("501 X", {"error": "never"}, "501: never"),
        (
            "400 X",
            {"error": {"message": "At most 4 image(s) may be provided in one prompt."}},
            "context_pages",
        ),
        (
            "500 X",
            {"error": {"message": "image input is not supported - you may need an mmproj"}},
            "sees_images",
        ),
    ],
)
def test_other_refusals_are_final(serve: Serve, status: str, said: object, message: str) -> None:
    """The same request would be refused again: it is sent once."""
    server = serve(refusal(status, said), GOOD)
    asked = Asked(_config(server))
    assert message in asked.error
    assert len(server.asked) == 1


def test_nothing_is_asked_again_once_text_was_given_out(serve: Serve) -> None:
    """A reader must not see the beginning twice."""
    for fault in ([RESET], [b'data: {"error": {"message": "down", "code": 503}}\n\n'], [STALL]):
        server = serve([head(), _ONE_CRANE, *fault], GOOD)
        asked = Asked(_config(server, {"idle_s": _SOON_S} if fault == [STALL] else {}))
        assert asked.text == "The crane "
        assert asked.error
        assert len(server.asked) == 1


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    """Pages and key go to the configured server, whatever it says."""
    elsewhere = serve(GOOD)
    for status in ("301 X", "302 X", "307 X", "308 X"):
        server = serve(
            [head(status, "text/plain", f"location: http://user:pw@localhost:{elsewhere.port}/v1/x")]
        )
        asked = Asked(_config(server))
        assert "redirects to localhost, which is not followed" in asked.error
        assert "pw" not in asked.error
    assert elsewhere.received == []


def test_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused connections and unknown names say so, after the attempts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    asked = Asked(_config(f"http://127.0.0.1:{port}/v1", retries=1))
    assert "no connection to http://127.0.0.1" in asked.error
    assert "Start it" in asked.error
    assert "tried 2 times" in asked.error

    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    asked = Asked(_config("http://nowhere.invalid/v1", retries=0))
    assert "Its name is unknown here; check generator.endpoint.base_url" in asked.error


def test_a_name_that_is_looked_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a name server ends with the limit for the connection, not when the system gives up."""
    over, gave_up = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> object:
        over.wait(20)
        gave_up.set()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    asked = Asked(_config("http://slow.invalid/v1", {"connect_s": _SOON_S}, retries=0))
    assert not gave_up.is_set()
    over.set()
    assert "no connection within 0.2 seconds" in asked.error
    assert "connect_s" in asked.error


def test_encryption_that_is_none(serve: Serve) -> None:
    """https where the server speaks http is told as such."""
    url = serve(GOOD).url.replace("http:", "https:")
    assert "Check its certificate, or the address" in Asked(_config(url, retries=0)).error


def _texts(deltas: Iterator[Delta]) -> Iterator[str]:
    return (delta.text for delta in deltas if delta.text)


def test_closing_the_iterator_closes_the_connection(serve: Serve) -> None:
    """The server notices at once, and can stop computing."""
    server = serve([head(), event("The crane "), STALL])
    deltas = EndpointClient(_config(server)).complete({"model": "m"}, time.monotonic() + 60)
    assert next(_texts(deltas)) == "The crane "
    assert not server.asked[0].closed.is_set()
    deltas.close()
    assert server.asked[0].closed.wait(5)


def test_a_caller_may_run_in_an_event_loop(serve: Serve) -> None:
    """As in a notebook."""
    import asyncio

    async def ask() -> str:
        return Asked(_config(serve(GOOD))).text

    assert asyncio.run(ask()) == _TEXT


def test_counts_are_read_wherever_they_stand(serve: Serve) -> None:
    """With the last piece, after it, or in every piece; details are counts too."""
    usage = {"prompt_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 2}, "cost": 0.1, "x": None}
    for script in (
        [head(), event(_TEXT), event(finish="stop", usage=usage), DONE],
        [
            head(),
            event(_TEXT),
            event(finish="stop"),
            f"data: {json.dumps({'usage': usage})}\n\n".encode(),
            DONE,
        ],
        [head(), event(_TEXT), event(finish="stop"), counted(usage), DONE],  # type: ignore[arg-type] # as servers do
    ):
        counts = {
            name: n for delta in Asked(_config(serve(script))).deltas for name, n in delta.usage.items()
        }
        assert counts == {"prompt_tokens": 5, "reasoning_tokens": 2}
