"""What the tests of the store share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.harness import open_writer, put

TEXTS = {
    "crane.txt": "The harbour crane lifts forty tonnes.",
    "tide.txt": "The tide table hangs at the north pier.",
    "storm.txt": "After the storm the pilot counted three anchors.",
}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index of three documents, each in a segment of its own, closed."""
    folder = tmp_path / ".ragvl"
    with open_writer(folder) as writer:
        for name, text in TEXTS.items():
            with writer.batch() as batch:
                put(batch, name, text)
    return folder
