"""Servers that are closed when their test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.generator.endpoint.fake_server import FakeServer, Script


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeServer]]:
    """Starts servers by their scripts."""
    servers: list[FakeServer] = []

    def start(*scripts: Script) -> FakeServer:
        servers.append(FakeServer(*scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
