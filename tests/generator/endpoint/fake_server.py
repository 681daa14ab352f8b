"""A server of which every byte is scripted, and a context to ask it about."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ragvl.types import (
    BlockKind,
    Context,
    ContextPage,
    Document,
    DocumentStatus,
    Hit,
    LaneRank,
    LedgerEntry,
    Page,
    PageForm,
    PageImage,
    Passage,
    TextSource,
)

STALL = "stall"  # send nothing more, and keep the connection
RESET = "reset"  # drop the connection at once
Script = Sequence[bytes | str]

PNG = b"\x89PNG\r\n\x1a\n not a picture, but bytes that must arrive"
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    closed: threading.Event = field(default_factory=threading.Event)


class FakeServer:
    """
    Answers each connection by the next script, and the last one from then on.

    `/models` is answered by `models`, unless that is None.
    """

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.models: Script | None = None
        self.received: list[Received] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop; what stalls is let go."""
        self._over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)

    @property
    def asked(self) -> list[Received]:
        """The requests for completions."""
        return [one for one in self.received if one.path.endswith("/chat/completions")]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            if connection.recv(1, socket.MSG_PEEK) == b"\x16":  # the beginning of encryption
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            request = _read_request(connection)
            if request is None:
                return
            if request.path.endswith("/models") and self.models is not None:
                script = self.models
            else:
                place = len([one for one in self.received if not one.path.endswith("/models")])
                script = self.scripts[min(place, len(self.scripts) - 1)]
            self.received.append(request)
            try:
                for step in script:
                    if isinstance(step, bytes):
                        connection.sendall(step)
                    elif step == RESET:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    else:
                        self._stall(connection, request)
                connection.shutdown(socket.SHUT_WR)
                self._stall(connection, request)
            except OSError:
                request.closed.set()

    def _stall(self, connection: socket.socket, request: Received) -> None:
        """Until the client lets go, or the test is over."""
        connection.settimeout(0.02)
        while not self._over.is_set():
            try:
                if not connection.recv(1):
                    break
            except TimeoutError:
                continue
        request.closed.set()


def _read_request(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, path, _ = first.split(" ")
    return Received(method, path, headers, json.loads(body) if body else None)


def head(status: str = "200 OK", kind: str = "text/event-stream", *more: str) -> bytes:
    """Status line and headers of a response that ends with its connection."""
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", "connection: close", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def event(text: str = "", **more: Any) -> bytes:
    """An event that writes `text`; `finish` and `usage` at the end, `reasoning_content` and the like in the delta."""
    finish, usage = more.pop("finish", None), more.pop("usage", None)
    said: dict[str, Any] = {
        "choices": [{"index": 0, "delta": {"content": text, **more}, "finish_reason": finish}]
    }
    if usage is not None:
        said["usage"] = usage
    return f"data: {json.dumps(said, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 120, "completion_tokens": 7, "total_tokens": 127}


def counted(usage: dict[str, int] | None = None) -> bytes:
    """The event that only counts."""
    return f"data: {json.dumps({'choices': [], 'usage': usage or USAGE})}\n\n".encode()


def whole(text: str, **more: Any) -> bytes:
    """A body that is not streamed."""
    message = {"role": "assistant", "content": text, **more}
    return json.dumps(
        {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}
    ).encode()


def refusal(status: str, said: object, *more: str) -> Script:
    """A response with an error; `said` is sent as JSON, or as it is when it is bytes."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return [head(status, "application/json", *more), body]


GOOD: Script = [
    head(),
    event("The crane lifts "),
    event("forty tonnes [k7f2]."),
    event(finish="stop"),
    counted(),
    DONE,
]


def context(pages: int = 1, *, images: bool = True, tokens: int = 1000) -> Context:
    """A context of pages about cranes, labelled k7f2, k7f3 and so on."""
    document = Document(1, "crane.pdf", "0" * 64, "application/pdf", "Cranes", 9, 1, _WHEN, DocumentStatus.OK)
    made = []
    for number in range(1, pages + 1):
        text = "The crane lifts forty tonnes." if number == 1 else f"Page {number} says nothing on the crane."
        page = Page(number, document, number, 595, 842, text, TextSource.LAYER)
        passage = Passage(number, number, BlockKind.TEXT, "", text, 0, len(text), ())
        hit = Hit(page, 1 / number, (LaneRank("text", number, 0.5),), (passage,))
        image = PageImage(PNG, "image/png", 640, 480) if images else None
        form = PageForm.IMAGE if images else PageForm.TEXT
        made.append(ContextPage(f"k7f{number + 1}", hit, form, text, image, tokens))
    ledger = tuple(
        LedgerEntry(page.hit.page.id, "crane.pdf", page.hit.page.number, tokens, True, "rank", page.form)
        for page in made
    )
    return Context(tuple(page.hit for page in made), ledger, tuple(made))
