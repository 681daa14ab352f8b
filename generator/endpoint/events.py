"""Server-sent events, from bytes that may be cut anywhere (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT_CHARACTERS = 8 * 2**20


class EventTooLongError(ValueError):
    """An event, or a line without an end, is longer than `MAX_EVENT_CHARACTERS`."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, "message" unless the server gave another, and its data, lines joined."""

    name: str
    data: str


class EventParser:
    """Takes bytes as they arrive and yields whole events; comments and unknown fields are passed over."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._open_line: list[str] = []
        self._after_return = False
        self._name = ""
        self._data: list[str] = []
        self._characters = 0

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """
        Yield the events that end in this chunk.

        Raises:
            EventTooLongError: the server sends without end.
        """
        yield from self._lines(self._decoder.decode(chunk))

    def finish(self) -> Iterator[Event]:
        """Yield an event that the server's last bytes end without the empty line that is due."""
        yield from self._lines(self._decoder.decode(b"", final=True) + "\n\n")

    def _lines(self, text: str) -> Iterator[Event]:
        if self._after_return and text.startswith("\n"):
            text = text[1:]
        if text:
            self._after_return = text.endswith("\r")
        *whole, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in whole:
            self._hold(line)
            full, self._open_line = "".join(self._open_line), []
            event = self._take(full)
            if event is not None:
                yield event
        self._hold(rest)

    def _hold(self, piece: str) -> None:
        self._characters += len(piece)
        if self._characters > MAX_EVENT_CHARACTERS:
            raise EventTooLongError(f"an event has more than {MAX_EVENT_CHARACTERS:,} characters")
        self._open_line.append(piece)

    def _take(self, line: str) -> Event | None:
        if not line:
            name, data = self._name or "message", self._data
            self._name, self._data, self._characters = "", [], 0
            return Event(name, "\n".join(data)) if data else None
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        else:
            self._characters -= len(line)
        return None
