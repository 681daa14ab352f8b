"""Making damaged vector segments again from the passages in the database; what is damaged is kept aside."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ragvl.indexers.manifest import check_manifest, encoder_manifest
from ragvl.indexers.passages import embedding_text
from ragvl.indexers.store.database import DATABASE_FILE, damaged
from ragvl.indexers.store.files import make_folder, writing
from ragvl.indexers.store.rendered import check_rendered
from ragvl.indexers.store.segments import check_segment
from ragvl.indexers.store.verify import verify_index
from ragvl.indexers.store.writer import IndexWriter
from ragvl.protocols import TextEncoder

QUARANTINE_FOLDER = "quarantine"
_BATCH_PASSAGES = 1024


def repair_index(folder: Path, encoder: TextEncoder) -> int:
    """
    Put damaged segments and page images into `quarantine/`, and encode anew every passage that has no vector.

    Returns:
        How many passages were encoded.

    Raises:
        IndexDamagedError: the database itself is damaged; it cannot be made again from what is here.
        IndexMismatchError: the index was made with another encoder.
    """
    if any(damage.file == DATABASE_FILE for damage in verify_index(folder).damages):
        raise damaged(folder / DATABASE_FILE)
    with IndexWriter(folder) as writer:
        check_manifest(writer.settings, encoder_manifest(encoder), str(folder))
        for damage in check_rendered(folder):
            _set_aside(folder, damage.file)
        for record in writer.segments():
            if check_segment(folder, record) is not None:
                _set_aside(folder, record.file)
                writer.forget_segment(record)
        lost = writer.passages_without_vector()
        for start in range(0, len(lost), _BATCH_PASSAGES):
            part = lost[start : start + _BATCH_PASSAGES]
            vectors = encoder.encode_passages([embedding_text(heading, text) for _, heading, text in part])
            owners = np.array([owner for owner, _, _ in part], dtype=np.int64)
            with writer.batch() as batch:
                batch.put_vectors(vectors, owners)
    return len(lost)


def _set_aside(folder: Path, file: str) -> None:
    path = folder / file
    aside = folder / QUARANTINE_FOLDER / path.name
    with writing(aside):
        if path.exists():
            make_folder(aside.parent)
            path.replace(aside)
