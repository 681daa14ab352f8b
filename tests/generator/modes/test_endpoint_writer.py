"""A served model as a writer: what is sent, and what becomes of a server that takes no schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ragvl.config import EndpointConfig, GeneratorConfig
from ragvl.errors import GeneratorError
from ragvl.generator.endpoint.generator import EndpointGenerator
from ragvl.protocols import Writer
from ragvl.testing import HashEncoder
from tests.generator.endpoint.fake_server import DONE, FakeServer, Script, event, head, refusal

FORM = {"type": "object", "properties": {"a": {"type": "string"}}}
FILLED: Script = [head(), event('{"a"'), event(': "b"}'), event(finish="stop"), DONE]
CUT: Script = [head(), event('{"a"'), event(finish="length"), DONE]


@pytest.fixture
def servers() -> Iterator[list[FakeServer]]:
    """Servers that are closed when the test is over."""
    started: list[FakeServer] = []
    yield started
    for server in started:
        server.close()


def writer_of(servers: list[FakeServer], *scripts: Script) -> EndpointGenerator:
    """A writer whose server answers by these scripts."""
    servers.append(FakeServer(*scripts))
    config = EndpointConfig(base_url=servers[-1].url, model="m", retries=0)
    return EndpointGenerator(GeneratorConfig(name="endpoint", endpoint=config), HashEncoder())


def test_a_schema_is_sent_along(servers: list[FakeServer]) -> None:
    """With the rules, the parts in order, and the limit of this request."""
    writer = writer_of(servers, FILLED)
    assert isinstance(writer, Writer)
    written = "".join(writer.write("Rules.", ["one ", "two"], schema=FORM, max_tokens=77))
    assert written == '{"a": "b"}'
    (request,) = servers[0].asked
    assert request.body["response_format"]["json_schema"]["schema"] == FORM
    assert request.body["max_tokens"] == 77
    assert request.body["messages"][0]["content"].startswith("Rules.")
    assert request.body["messages"][1]["content"] == "one two"


def test_a_server_that_refuses_the_schema_is_asked_without(servers: list[FakeServer]) -> None:
    """Once; the instructions have the form as well."""
    told = {"error": {"message": "response_format json_schema is not supported"}}
    writer = writer_of(servers, refusal("400 Bad Request", told), FILLED)
    assert "".join(writer.write("Rules.", ["x"], schema=FORM)) == '{"a": "b"}'
    assert "response_format" not in servers[0].asked[1].body


def test_other_failures_stay_failures(servers: list[FakeServer]) -> None:
    """And so does a refusal of a request that had no schema."""
    writer = writer_of(servers, refusal("401 Unauthorized", {"error": {"message": "no key"}}))
    with pytest.raises(GeneratorError, match="no key"):
        list(writer.write("Rules.", ["x"], schema=FORM))
    writer = writer_of(servers, refusal("400 Bad Request", {"error": {"message": "bad schema"}}))
    with pytest.raises(GeneratorError, match="bad schema"):
        list(writer.write("Rules.", ["x"]))
    assert [len(server.asked) for server in servers] == [1, 1]


def test_a_form_that_was_cut_is_an_error(servers: list[FakeServer]) -> None:
    """It says which limit to raise; a text is marked instead."""
    with pytest.raises(GeneratorError, match="max_answer_tokens"):
        list(writer_of(servers, CUT).write("Rules.", ["x"], schema=FORM))
    assert "".join(writer_of(servers, CUT).write("Rules.", ["x"])).endswith(" …")


def test_thoughts_are_left_out(servers: list[FakeServer]) -> None:
    """Whether they come in a field of their own or not."""
    thoughts: Script = [head(), event(reasoning_content="hm"), event("plain"), event(finish="stop"), DONE]
    assert "".join(writer_of(servers, thoughts).write("Rules.", ["x"])) == "plain"
