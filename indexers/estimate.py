"""What a run of indexing would do, and how long it would take, measured on a sample of the documents."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ragvl.config import Config
from ragvl.errors import IndexNotFoundError, ReadError
from ragvl.indexers.admission import admitted_media_type
from ragvl.indexers.manifest import manifest
from ragvl.indexers.multivector.codes import PageCodes
from ragvl.indexers.page_lane import PageLane
from ragvl.indexers.passages import PageDraft, embedding_text
from ragvl.indexers.plan import plan_sync
from ragvl.indexers.scan import FoundFile, display_name, stored_path
from ragvl.indexers.store import contents
from ragvl.indexers.store.forms import PageEntry, lane_forms
from ragvl.indexers.store.reader import IndexReader
from ragvl.indexers.store.records import FileRecord
from ragvl.indexers.workers import DocumentRead, ReadingPool, ReadRequest
from ragvl.protocols import PageEncoder, TextEncoder
from ragvl.types import DocumentStatus, Failure, ImageEstimate, IndexEstimate

_SAMPLE_DOCUMENTS = 4
_SAMPLE_BYTES = 3 << 20  # larger documents would make the estimate as long as the work
_SAMPLE_SECONDS = 8.0
_SAMPLE_PASSAGES = 48
_BYTES_A_VECTOR_ELEMENT = 2
_PROBED_PAGES = 3
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes
_TERMS_SHARE = 2.2  # the size of a page's terms and text in the database, as a multiple of its text


@dataclass(frozen=True, slots=True)
class _Sample:
    """What reading and encoding the sampled documents took."""

    size_bytes: int
    pages: int
    seconds: float
    index_bytes: int
    image: ImageEstimate | None = None


def estimate_run(
    folder: Path,
    roots: Sequence[Path],
    base: Path,
    exclude: Sequence[str],
    encoder: TextEncoder,
    config: Config,
    pages: PageEncoder | None = None,
) -> IndexEstimate:
    """
    Tell what `IndexRun` would do with the same arguments; nothing is written to the index.

    Raises:
        FileNotFoundError: a root does not exist.
    """
    plan = plan_sync(roots, _known_files(folder), base, exclude)
    readable: list[tuple[FoundFile, str]] = []
    refused: list[Failure] = []
    for file in plan.look_at:
        try:
            readable.append((file, admitted_media_type(file, config.reading.max_file_mb)))
        except ReadError as error:
            refused.append(Failure(_name(file, base), error.status, error.reason))
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            refused.append(Failure(_name(file, base), DocumentStatus.CORRUPT, reason))
    with TemporaryDirectory(prefix="ragvl-probe-") as scratch:
        lane = None
        if pages is not None:
            lane = PageLane(Path(scratch), pages, lane_forms(manifest(config, encoder, pages)), config.image)
        sample = _measure(_spread(readable), encoder, config, lane)
    scale = sum(file.size_bytes for file, _ in readable) / sample.size_bytes if sample.size_bytes else 0.0
    return IndexEstimate(
        to_read=tuple(sorted(_name(file, base) for file, _ in readable)),
        unchanged=len(plan.unchanged),
        gone=tuple(sorted(record.name for record in plan.gone)),
        refused=tuple(refused),
        pages=round(sample.pages * scale),
        seconds=sample.seconds * scale,
        index_bytes=round(sample.index_bytes * scale),
        image=sample.image,
    )


def _known_files(folder: Path) -> dict[bytes, FileRecord]:
    try:
        reader = IndexReader(folder)
    except IndexNotFoundError:
        return {}
    with closing(reader), reader.snapshot() as snapshot:
        return {file.path: file for file in contents.files(snapshot.connection)}


def _name(file: FoundFile, base: Path) -> str:
    return display_name(stored_path(file.path, base))


def _spread(readable: Sequence[tuple[FoundFile, str]]) -> list[tuple[FoundFile, str]]:
    """A few documents from small to large, the same ones each time."""
    sizes = sorted(
        (one for one in readable if one[0].size_bytes <= _SAMPLE_BYTES), key=lambda one: one[0].size_bytes
    )
    step = max(1, len(sizes) // _SAMPLE_DOCUMENTS)
    return sizes[step // 2 :: step][:_SAMPLE_DOCUMENTS]


def _measure(
    sampled: Sequence[tuple[FoundFile, str]], encoder: TextEncoder, config: Config, lane: PageLane | None
) -> _Sample:
    if not sampled:
        return _Sample(0, 0, 0.0, 0)
    requests = [
        ReadRequest(key, Path(os.fsdecode(file.path)), media_type, None)
        for key, (file, media_type) in enumerate(sampled)
    ]
    with ReadingPool(config.reading, config.passages, lane.drawing if lane else None) as pool:
        started = time.monotonic()
        read: list[DocumentRead] = []
        for document in pool.read(requests):
            read.append(document)
            if time.monotonic() - started > _SAMPLE_SECONDS:
                break
        seconds = time.monotonic() - started
    passages = sum(len(page.passages) for document in read for page in document.pages)
    seconds += passages * _seconds_a_passage(read, encoder)
    text = sum(len(page.text.encode()) * _TERMS_SHARE + len(page.words) for one in read for page in one.pages)
    index_bytes = round(text + passages * encoder.dimension * _BYTES_A_VECTOR_ELEMENT)
    pages = sum(document.page_count for document in read)
    size_bytes = sum(sampled[document.key][0].size_bytes for document in read)
    image = _probe(read, lane) if lane else None
    if image is not None:
        seconds += pages * image.seconds_a_page
        index_bytes += round(pages * image.bytes_a_page)
    return _Sample(size_bytes, pages, seconds, index_bytes, image)


def _probe(read: Sequence[DocumentRead], lane: PageLane) -> ImageEstimate | None:
    """Encode a few drawn pages; None where there are none."""
    drawn = [page for document in read for page in document.pages if page.picture is not None]
    chosen = drawn[:: max(1, len(drawn) // _PROBED_PAGES)][:_PROBED_PAGES]
    if not chosen:
        return None
    lane.encode([replace(chosen[0], picture=_copy(chosen[0]))])  # the first call loads the model
    started = time.monotonic()
    entries = [entry for entry in lane.encode(chosen) if entry is not None]
    seconds = time.monotonic() - started
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
    sizes = [_size_bytes(entry) for entry in entries]
    return ImageEstimate(seconds / len(chosen), sum(sizes) / len(sizes), most)


def _size_bytes(entry: PageEntry) -> int:
    if isinstance(entry, PageCodes):
        return entry.size_bytes
    return len(entry) * _BYTES_A_VECTOR_ELEMENT


def _copy(page: PageDraft) -> Path:
    """A second file of the page's picture, for encoding deletes it."""
    if page.picture is None:
        raise ValueError(f"page {page.number} was not drawn")
    return Path(shutil.copyfile(page.picture, page.picture.with_suffix(".copy.png")))


def _seconds_a_passage(read: Sequence[DocumentRead], encoder: TextEncoder) -> float:
    texts = [
        embedding_text(passage.heading, page.text[passage.start : passage.end])
        for document in read
        for page in document.pages
        for passage in page.passages
    ][:_SAMPLE_PASSAGES]
    if not texts:
        return 0.0
    encoder.encode_passages(texts[:1])  # the first call loads the model
    started = time.monotonic()
    encoder.encode_passages(texts)
    return (time.monotonic() - started) / len(texts)
