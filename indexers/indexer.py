"""A run of indexing: brings the index in step with folders, batch by batch, and can be stopped anywhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ragvl.config import Config
from ragvl.errors import ReadError
from ragvl.indexers.admission import admitted_media_type
from ragvl.indexers.language import document_language
from ragvl.indexers.page_lane import PageLane
from ragvl.indexers.passages import PageDraft, embedding_text
from ragvl.indexers.plan import SyncPlan, now_ns
from ragvl.indexers.scan import FoundFile, absolute_path, display_name, stored_path
from ragvl.indexers.store.files import sha256_of
from ragvl.indexers.store.forms import PageEntry
from ragvl.indexers.store.records import DocumentDraft, FileRecord
from ragvl.indexers.store.writer import Batch, IndexWriter
from ragvl.indexers.workers import DocumentRead, ReadingPool, ReadRequest
from ragvl.protocols import FloatArray, TextEncoder
from ragvl.types import DocumentStatus, Failure, IndexProgress, IndexReport

Progress = Callable[[IndexProgress], None]

_BATCH_PASSAGES = 256  # twice as many may be on their way: one batch is encoded while the next is read
_BATCH_PAGES = 64  # where pages are encoded, too
_BATCH_SECONDS = 5.0
_TELLING_SECONDS = 0.5
_UNREAD = 0  # the document id of a file whose document is not in the index yet


@dataclass(slots=True)
class _Arrival:
    """A document to be committed, and the files that hold it."""

    draft: DocumentDraft
    files: list[FileRecord]
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A document's passages as (n, dimension) vectors, and what the image lane keeps of its pages, by number."""

    vectors: FloatArray
    pages: Mapping[int, PageEntry]


@dataclass(slots=True)
class _Encoding:
    """A batch that is being encoded."""

    arrivals: list[_Arrival]
    encoded: Future[list[_Encoded]]


@dataclass(slots=True)
class _Tally:
    """What happened so far, as the report will tell it."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    unchanged: int = 0
    pages: int = 0
    passages: int = 0
    documents: int = 0


class IndexRun:
    """One run of indexing over a plan; use once."""

    def __init__(
        self,
        writer: IndexWriter,
        encoder: TextEncoder,
        config: Config,
        base: Path,
        progress: Progress | None = None,
        pages: PageLane | None = None,
    ) -> None:
        """
        Prepare a run.

        Args:
            writer: the open index.
            encoder: of the text lane.
            config: as the index was made with.
            base: the folder that the index lies in; paths inside it are stored relative to it.
            progress: called with the state of the run as it changes.
            pages: encodes pages for the image lane, where the index has one.
        """
        self._writer = writer
        self._encoder = encoder
        self._config = config
        self._base = base
        self._progress = progress
        self._pages = pages
        self._known: dict[bytes, FileRecord] = {}
        self._holders: dict[int, list[bytes]] = {}
        self._gone: set[bytes] = set()
        self._vanished: list[FileRecord] = []
        self._renamed: set[int] = set()  # documents that lie under another name now
        self._waiting: list[_Arrival] = []
        self._encoding: _Encoding | None = None
        self._encoders = ThreadPoolExecutor(1, "ragvl-encoding")
        self._moved: list[FileRecord] = []
        self._reading: dict[int, _Arrival] = {}
        self._by_content: dict[tuple[str, str], _Arrival] = {}
        self._pages_read: dict[int, int] = {}
        self._pages_expected: dict[int, int] = {}
        self._tally = _Tally()
        self._spent = {"read": 0.0, "encode": 0.0, "commit": 0.0}
        self._began = self._committed = time.monotonic()
        self._total = 0

    def run(
        self, plan: SyncPlan, *, password: str | None = None, look_again: frozenset[int] = frozenset()
    ) -> IndexReport:
        """
        Read what the plan names, and commit it in batches.

        Args:
            plan: from `plan_sync`.
            password: for documents that need one.
            look_again: documents to be read again even if their content is known.

        Raises:
            IndexWriteError: the disk is full or failing; what was committed before stays.
        """
        self._known = self._writer.files()
        for record in self._known.values():
            self._holders.setdefault(record.document_id, []).append(record.path)
        self._gone = {record.path for record in plan.gone}
        self._tally.unchanged = len(plan.unchanged)
        self._total = len(plan.look_at)
        interrupted = False
        with self._encoders:
            try:
                self._read_all(plan, password, look_again)
                self._turn_over()
                self._finish_encoding()
                self._commit(drop=[*plan.gone, *self._vanished])
                self._writer.tidy()
            except KeyboardInterrupt:
                interrupted = True
                # Pages may take a minute each: their batch is given up, one of passages alone is finished.
                if self._pages is not None:
                    self._pages.cancel()
                with suppress(CancelledError):
                    self._finish_encoding()
        self._tell("done")
        return self._report(interrupted)

    def _read_all(self, plan: SyncPlan, password: str | None, look_again: frozenset[int]) -> None:
        requests = self._requests(plan.look_at, password, look_again)
        # The pool costs seconds to start: do without it when there is nothing to read.
        first = next(requests, None)
        if first is None:
            return
        drawing = self._pages.drawing if self._pages else None
        with ReadingPool(self._config.reading, self._config.passages, drawing) as pool:
            started = time.monotonic()
            for read in pool.read(_chain(first, requests), on_pages=self._count_pages):
                self._spent["read"] += time.monotonic() - started
                self._take(read)
                started = time.monotonic()

    def _requests(
        self, look_at: Sequence[FoundFile], password: str | None, look_again: frozenset[int]
    ) -> Iterator[ReadRequest]:
        for key, file in enumerate(look_at):
            arrival = self._sort_out(file, look_again)
            if arrival is None:
                self._tally.documents += 1
                self._tell("scan")
                continue
            self._reading[key] = arrival
            yield ReadRequest(key, Path(os.fsdecode(file.path)), arrival.draft.media_type, password)

    def _sort_out(self, file: FoundFile, look_again: frozenset[int]) -> _Arrival | None:
        """Decide what a file is without reading it as a document; None when that settles it."""
        stored = stored_path(file.path, self._base)
        record = FileRecord(stored, display_name(stored), file.size_bytes, file.mtime_ns, now_ns(), _UNREAD)
        known = self._known.get(record.path)
        path = Path(os.fsdecode(file.path))
        try:
            media_type = admitted_media_type(file, self._config.reading.max_file_mb)
            sha256 = sha256_of(path)
        except ReadError as error:
            self._refuse(record, known, error, for_now="permission" in error.reason)
            return None
        except FileNotFoundError:
            self._vanished += [known] if known else []
            return None
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            self._refuse(record, known, ReadError(DocumentStatus.CORRUPT, reason), for_now=True)
            return None
        document_id = self._writer.document_with(sha256, media_type)
        if document_id is not None and document_id not in look_again:
            self._place(record, document_id, known)
            return None
        twin = self._by_content.get((sha256, media_type))
        if twin is not None:
            twin.files.append(record)
            return None
        draft = DocumentDraft(sha256, media_type, "", 0, DocumentStatus.OK, "")
        arrival = _Arrival(draft, [record], document_id)
        self._by_content[sha256, media_type] = arrival
        return arrival

    def _refuse(
        self, record: FileRecord, known: FileRecord | None, error: ReadError, *, for_now: bool
    ) -> None:
        """Record a file that was not read; one that cannot be opened just now keeps its document."""
        held = self._writer.status_of(known.document_id) if known else None
        if held and held.sha256 and for_now:
            self._tally.failed.append(Failure(record.name, error.status, error.reason))
        elif held and (held.status, held.reason) == (error.status, error.reason):
            self._tally.unchanged += 1
        else:
            self._arrive(_Arrival(DocumentDraft("", "", "", 0, error.status, error.reason), [record]))

    def _place(self, record: FileRecord, document_id: int, known: FileRecord | None) -> None:
        """Record a file whose document the index has already."""
        self._moved.append(replace(record, document_id=document_id))
        if known and known.document_id == document_id:
            self._tally.unchanged += 1
        elif known:
            self._tally.updated.append(record.name)
        else:
            others = self._holders.get(document_id, [])
            moved = bool(others) and self._gone.issuperset(others)
            (self._tally.renamed if moved else self._tally.added).append(record.name)
            self._renamed |= {document_id} if moved else set()

    def _take(self, read: DocumentRead) -> None:
        arrival = self._reading.pop(read.key)
        if not self._is_as_found(arrival.files[0]):
            self._distrust(arrival)
        arrival.draft = replace(
            arrival.draft,
            title=read.title,
            page_count=read.page_count,
            status=read.status,
            reason=read.reason,
            pages=_with_language(_carry_headings(read.pages)),
        )
        self._tally.documents += 1
        self._arrive(arrival)
        self._tell("read")

    def _is_as_found(self, file: FileRecord) -> bool:
        try:
            found = Path(os.fsdecode(absolute_path(file.path, self._base))).stat()
        except OSError:
            return False
        return (found.st_size, found.st_mtime_ns) == (file.size_bytes, file.mtime_ns)

    def _distrust(self, arrival: _Arrival) -> None:
        """
        Record what was read of a file that changed meanwhile as content of its own.

        No other file may be taken for it, and the next run looks at its files again.
        """
        del self._by_content[arrival.draft.sha256, arrival.draft.media_type]
        arrival.draft = replace(arrival.draft, sha256="")
        arrival.files = [replace(file, seen_ns=0) for file in arrival.files]

    def _arrive(self, arrival: _Arrival) -> None:
        self._waiting.append(arrival)
        waiting = [page for other in self._waiting for page in other.draft.pages]
        full = sum(len(page.passages) for page in waiting) >= _BATCH_PASSAGES or (
            self._pages is not None and len(waiting) >= _BATCH_PAGES
        )
        if full or time.monotonic() - self._committed > _BATCH_SECONDS:
            self._turn_over()

    def _turn_over(self) -> None:
        """Encode what waits in the background; what was encoded before is committed first."""
        self._finish_encoding()
        arrivals, self._waiting = self._waiting, []
        if arrivals:
            self._encoding = _Encoding(arrivals, self._encoders.submit(self._encode, arrivals))

    def _finish_encoding(self) -> None:
        if self._encoding is None:
            return
        started = time.monotonic()
        encoding = self._encoding
        while not encoding.encoded.done():
            wait([encoding.encoded], timeout=_TELLING_SECONDS)
            self._tell("encode")
        self._spent["encode"] += time.monotonic() - started
        self._encoding = None
        self._commit(encoding.arrivals, encoding.encoded.result())

    def _commit(
        self,
        arrivals: Sequence[_Arrival] = (),
        encoded: Sequence[_Encoded] = (),
        drop: Sequence[FileRecord] = (),
    ) -> None:
        moved, self._moved = self._moved, []
        if not (arrivals or moved or drop):
            return
        started = time.monotonic()
        with self._writer.batch() as batch:
            for file in moved:
                batch.put_file(file)
            for arrival, of_one in zip(arrivals, encoded, strict=True):
                _put(batch, arrival, of_one)
            for file in drop:
                batch.drop_file(file.path)
        self._writer.merge()
        self._spent["commit"] += time.monotonic() - started
        self._committed = time.monotonic()
        self._count(arrivals, drop)
        self._tell("commit")

    def _encode(self, arrivals: Sequence[_Arrival]) -> list[_Encoded]:
        texts = [_passage_texts(arrival.draft) for arrival in arrivals]
        flat = [text for of_one in texts for text in of_one]
        vectors = self._encoder.encode_passages(flat) if flat else np.empty((0, 1), dtype=np.float32)
        ends = np.cumsum([len(of_one) for of_one in texts])
        pages = self._encode_pages(arrivals)
        return [_Encoded(*of_one) for of_one in zip(np.split(vectors, ends[:-1]), pages, strict=True)]

    def _encode_pages(self, arrivals: Sequence[_Arrival]) -> list[dict[int, PageEntry]]:
        if self._pages is None:
            return [{} for _ in arrivals]
        drafts = [page for arrival in arrivals for page in arrival.draft.pages]
        entries = iter(self._pages.encode(drafts))
        of_each = [{page.number: next(entries) for page in arrival.draft.pages} for arrival in arrivals]
        return [
            {number: entry for number, entry in of_one.items() if entry is not None} for of_one in of_each
        ]

    def _count(self, arrivals: Sequence[_Arrival], drop: Sequence[FileRecord]) -> None:
        tally = self._tally
        for arrival in arrivals:
            self._by_content.pop((arrival.draft.sha256, arrival.draft.media_type), None)
            tally.pages += len(arrival.draft.pages)
            tally.passages += sum(len(page.passages) for page in arrival.draft.pages)
            for file in arrival.files:
                known = file.path in self._known
                (tally.updated if known else tally.added).append(file.name)
                if arrival.draft.status is not DocumentStatus.OK:
                    tally.failed.append(Failure(file.name, arrival.draft.status, arrival.draft.reason))
        tally.removed += [file.name for file in drop if file.document_id not in self._renamed]

    def _count_pages(self, key: int, read: int, expected: int) -> None:
        self._pages_read[key] = read
        self._pages_expected[key] = expected
        if self._encoding is not None and self._encoding.encoded.done():
            self._finish_encoding()
        self._tell("read")

    def _tell(self, step: str) -> None:
        if self._progress is None:
            return
        tally = self._tally
        self._progress(
            IndexProgress(
                step=step,
                documents_done=tally.documents,
                documents_total=self._total,
                pages_read=sum(self._pages_read.values()),
                pages_expected=sum(self._pages_expected.values()),
                passages=tally.passages,
                failed=tuple(tally.failed),
                elapsed_s=time.monotonic() - self._began,
                pages_encoded=self._pages.pages_encoded if self._pages else None,
            )
        )

    def _report(self, interrupted: bool) -> IndexReport:
        tally = self._tally
        return IndexReport(
            added=tuple(sorted(tally.added)),
            updated=tuple(sorted(tally.updated)),
            renamed=tuple(sorted(tally.renamed)),
            removed=tuple(sorted(tally.removed)),
            unchanged=tally.unchanged,
            failed=tuple(sorted(tally.failed, key=lambda failure: failure.path)),
            pages=tally.pages,
            passages=tally.passages,
            timings_s={**self._spent, "total": time.monotonic() - self._began},
            interrupted=interrupted,
        )


def _passage_texts(draft: DocumentDraft) -> list[str]:
    return [
        embedding_text(passage.heading, page.text[passage.start : passage.end])
        for page in draft.pages
        for passage in page.passages
    ]


def _put(batch: Batch, arrival: _Arrival, encoded: _Encoded) -> None:
    document_id = batch.put_document(arrival.draft, encoded.vectors, encoded.pages, arrival.replaces)
    for file in arrival.files:
        batch.put_file(replace(file, document_id=document_id))


def _carry_headings(pages: Sequence[PageDraft]) -> tuple[PageDraft, ...]:
    """Text at the top of a page stands under the last heading of the pages before."""
    carried, above = [], ""
    for page in pages:
        passages = tuple(replace(p, heading=above) if not p.heading else p for p in page.passages)
        carried.append(replace(page, passages=passages))
        above = page.last_heading or above
    return tuple(carried)


def _with_language(pages: tuple[PageDraft, ...]) -> tuple[PageDraft, ...]:
    """The pages with the language of their document."""
    language = document_language([page.text for page in pages])
    return tuple(replace(page, language=language) for page in pages)


def _chain(first: ReadRequest, rest: Iterator[ReadRequest]) -> Iterator[ReadRequest]:
    yield first
    yield from rest
