"""Server-sent events, however they are cut."""

from __future__ import annotations

import pytest

from ragvl.generator.endpoint import events
from ragvl.generator.endpoint.events import Event, EventParser, EventTooLongError

_STREAM = "\ufeff: hello\r\ndata: a\r\n\r\nevent: error\ndata:b ä\n data: no\ndata:  c\n\nid: 1\nretry: 5\n\ndata\r\rdata: 漢\n\n"
_EVENTS = [Event("message", "a"), Event("error", "b ä\n c"), Event("message", ""), Event("message", "漢")]


def _parse(chunks: list[bytes]) -> list[Event]:
    parser = EventParser()
    found = [event for chunk in chunks for event in parser.feed(chunk)]
    return found + list(parser.finish())


def test_events_are_the_same_however_they_are_cut() -> None:
    """Cut at every byte, in line ends and in characters too."""
    stream = _STREAM.encode()
    assert _parse([stream]) == _EVENTS
    assert _parse([stream[i : i + 1] for i in range(len(stream))]) == _EVENTS
    for cut in range(len(stream)):
        assert _parse([stream[:cut], stream[cut:]]) == _EVENTS


def test_the_last_event_needs_no_empty_line() -> None:
    """A server that closes right after its last line is understood."""
    assert _parse([b"data: x"]) == [Event("message", "x")]


def test_a_character_cut_by_the_end_is_marked() -> None:
    """Half a character becomes U+FFFD rather than an error."""
    assert _parse(["data: ä".encode()[:-1]]) == [Event("message", "\ufffd")]


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held in memory has a limit; comments and finished events do not count towards it."""
    monkeypatch.setattr(events, "MAX_EVENT_CHARACTERS", 100)
    parser = EventParser()
    for _ in range(50):
        assert len(list(parser.feed(b": keep-alive\ndata: 0123456789\n\n"))) == 1
        assert not list(parser.feed(b": keep-alive\n"))
    with pytest.raises(EventTooLongError, match="more than 100 characters"):
        for _ in range(50):
            list(parser.feed(b"data: 012"))
