"""The facade: one library of documents that can be indexed, searched and asked."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ragvl.asking import Asking
from ragvl.config import (
    INDEX_FOLDER,
    Config,
    GeneratorConfig,
    index_from_environment,
    load_config,
    merge_settings,
)
from ragvl.errors import IndexDamagedError, IndexNotFoundError
from ragvl.generator.modes.desk import Desk
from ragvl.indexers.manifest import (
    check_manifest,
    manifest,
    page_query_manifest,
    query_manifest,
    recorded_overrides,
)
from ragvl.indexers.scan import absolute_path
from ragvl.indexers.store.reader import IndexReader
from ragvl.models import Models, device_arbiter
from ragvl.protocols import Generator, LocalGenerator, PageEncoder, TextEncoder
from ragvl.registry import load
from ragvl.types import (
    Document,
    DocumentStatus,
    Hit,
    IndexEstimate,
    IndexProgress,
    IndexReport,
    Page,
    VerifyReport,
)

if TYPE_CHECKING:
    from ragvl.generator.calibration import IndexCalibration
    from ragvl.heat import HeatMap
    from ragvl.retrievers.image import ImageLane

_MODEL_DPI = 150  # at which pages are drawn for a model that sees


def find_index(start: Path | None = None) -> Path:
    """
    The index that a command means: `RAGVL_INDEX`, else `.ragvl` here or in the nearest folder above.

    Returns:
        Its folder; `.ragvl` in `start` when there is none yet.
    """
    named = index_from_environment()
    if named:
        return named
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / INDEX_FOLDER / "ragvl.db").is_file():
            return folder / INDEX_FOLDER
    return here / INDEX_FOLDER


def open(
    path: str | os.PathLike[str] | None = None,
    profile: str | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    encoder: TextEncoder | None = None,
    page_encoder: PageEncoder | None = None,
) -> Library:
    """
    Open a library, whose index is made by the first `index` when it is missing.

    Args:
        path: the index folder; None finds it as the command line does.
        profile: a preset of `configs/` or a YAML file; None takes the one that the index was made with.
        overrides: settings laid over the profile, such as `{"reading": {"workers": 1}}`.
        encoder: an encoder of your own, in place of the one that `text.encoder` names; the index records its name
            and fingerprint, and must be opened with it again.
        page_encoder: the same for the image lane.

    Raises:
        ConfigError: an unknown profile or setting.
        IndexDamagedError, IndexMismatchError: the index cannot be read, or a newer ragvl made it.
    """
    return Library(Path(path) if path else find_index(), profile, overrides or {}, encoder, page_encoder)


class Library(Asking):
    """
    Documents, indexed; made by `ragvl.open`, a context manager.

    Searching and asking are safe from several threads, and go on while `index` runs here or in another process.
    """

    def __init__(
        self,
        folder: Path,
        profile: str | None,
        overrides: Mapping[str, Any],
        encoder: TextEncoder | None = None,
        page_encoder: PageEncoder | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self._reader: IndexReader | None = None
        self._image: ImageLane | None = None
        self._guard = threading.RLock()
        if encoder is not None:
            overrides = merge_settings(overrides, {"text": {"encoder": encoder.name, "query_encoder": None}})
        if page_encoder is not None:
            own = {"encoder": page_encoder.name, "model": page_encoder.name, "query_model": None}
            overrides = merge_settings(overrides, {"image": own})
        self.config = self._resolve(profile, overrides)
        self._models = Models(self.config, encoder, page_encoder)

    def index(
        self,
        *paths: str | os.PathLike[str],
        password: str | None = None,
        exclude: Sequence[str] = (),
        retry: bool = False,
        progress: Callable[[IndexProgress], None] | None = None,
    ) -> IndexReport:
        """
        Bring the index in step with files and folders: adds, updates, renames and removes by content.

        Args:
            paths: files and folders; documents under them that are gone from the disk leave the index.
            password: tried on documents that need one.
            exclude: patterns in the syntax of gitignore.
            retry: read documents again that timed out, crashed or were damaged before.
            progress: called with the state of the run as it changes.

        Raises:
            FileNotFoundError: a path does not exist.
            IndexLockedError: another process is writing.
            IndexMismatchError: the index was made with other settings.
            IndexWriteError: the disk is full or failing; what was committed before stays.
        """
        from ragvl.indexers.indexer import IndexRun
        from ragvl.indexers.page_lane import PageLane
        from ragvl.indexers.plan import plan_sync
        from ragvl.indexers.store.writer import IndexWriter

        if not paths:
            raise ValueError("name at least one file or folder to index")
        roots = [Path(path) for path in paths]
        started = time.monotonic()
        encoder, page_encoder = self._models.passages(), self._models.pages()
        wanted = manifest(self.config, encoder, page_encoder)
        for root in roots:
            if not root.exists():
                raise FileNotFoundError(f"{root} does not exist")
        with IndexWriter(self.folder, {"profile": self.config.profile, **wanted}) as writer:
            check_manifest(writer.settings, wanted, str(self.folder))
            look_again = writer.documents_with_status(_look_again(password, retry))
            plan = plan_sync(roots, writer.files(), self._base, exclude, look_again)
            scan_s = time.monotonic() - started
            with ExitStack() as undo:
                pages = None
                if page_encoder is not None:
                    pages = PageLane(self.folder, page_encoder, writer.forms, self.config.image)
                    undo.callback(pages.close)
                run = IndexRun(writer, encoder, self.config, self._base, progress, pages)
                report = run.run(plan, password=password, look_again=look_again)
        return replace(report, timings_s={"scan": scan_s, **report.timings_s})

    def estimate(self, *paths: str | os.PathLike[str], exclude: Sequence[str] = ()) -> IndexEstimate:
        """
        Tell what `index` would do with the same arguments, how long it would take and how much disk.

        A few documents are read to measure; nothing is written.

        Raises:
            FileNotFoundError: a path does not exist.
        """
        from ragvl.indexers.estimate import estimate_run

        roots = [Path(path) for path in paths]
        encoder = self._models.passages()
        pages = self._models.pages()
        return estimate_run(self.folder, roots, self._base, exclude, encoder, self.config, pages)

    def search(self, query: str, k: int = 10, where: Mapping[str, Any] | None = None) -> list[Hit]:
        """
        Find pages, best first; the same query on the same index gives the same list.

        Args:
            query: a question or words.
            k: how many pages at most.
            where: `path` and `media_type` globs, `modified_from` and `modified_until` dates.

        Raises:
            IndexNotFoundError: nothing was indexed yet.
            ValueError: an empty query, k below 1, or an unknown filter.
        """
        from ragvl.retrievers.filters import parse_filter
        from ragvl.retrievers.retriever import Retriever

        if not query.strip():
            raise ValueError("the query is empty")
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        reader = self._open_reader()
        encoder = self._models.queries()
        check_manifest(reader.settings, query_manifest(self.config.text, encoder), str(reader.folder))
        image = self._image_lane(reader)
        retriever = Retriever(
            reader, encoder, self.config.retrieval, image, self._models.reranker(), self._draw_for_reranker
        )
        hits = retriever.search(query, k, parse_filter(where))
        return hits if image is None else image.with_matches(query, hits)

    def heat_map(self, query: str, hit: Hit) -> HeatMap | None:
        """
        Where a page matches a query, word by word, as the image lane sees it.

        Returns:
            None in an index without that lane, or for a page that has no places.
        """
        image = self._image_lane(self._open_reader())
        page = image.page_vectors(hit.page) if image else None
        if image is None or page is None:
            return None
        from ragvl.heat import heat_map

        return heat_map(query, image.query_vectors(query), page)

    def _image_lane(self, reader: IndexReader) -> ImageLane | None:
        """The image lane of an index that has one, unless it is configured away."""
        with self._guard:
            encoder = self._models.page_queries() if reader.forms.image is not None else None
            if encoder is not None and self._image is None:
                from ragvl.retrievers.image import ImageLane

                check_manifest(reader.settings, page_query_manifest(encoder), str(reader.folder))
                self._image = ImageLane(reader, encoder)
            return self._image

    @property
    def _desk(self) -> Desk:
        return Desk(
            self.generator,
            lambda: self._open_reader().snapshot(),
            self.search,
            self._draw,
            self.config.generator.context_pages,
            self._generator_config().refuse_below,
        )

    def _draw_for_reranker(self, page: Page) -> bytes | None:
        return self.page_image(page.document, page.number, self.config.retrieval.rerank.dpi)

    def _draw(self, hit: Hit) -> bytes | None:
        return self.page_image(hit.page.document, hit.page.number, _MODEL_DPI)

    def documents(self) -> list[Document]:
        """Every document, whatever its status, in the order of paths."""
        with self._open_reader().snapshot() as snapshot:
            return list(snapshot.documents().values())

    def remove(self, path: str) -> list[Document]:
        """
        Take documents out of the index; their files are not touched.

        A file that still lies under an indexed folder comes back with the next `index` of that folder.

        Args:
            path: a document's path as `documents` shows it, the end of one, or a glob.

        Returns:
            What was removed.

        Raises:
            ValueError: no document has that path.
        """
        from ragvl.indexers.store.writer import IndexWriter
        from ragvl.retrievers.filters import allowed_documents, parse_filter

        reader = self._open_reader()
        with reader.snapshot() as snapshot:
            ids = allowed_documents(snapshot, parse_filter({"path": path})) or frozenset()
            found = list(snapshot.documents(sorted(ids)).values())
        if not found:
            raise ValueError(f"no document at {path!r}; `ragvl list` shows what there is")
        with IndexWriter(self.folder) as writer, writer.batch() as batch:
            for file in writer.files().values():
                if file.document_id in ids:
                    batch.drop_file(file.path)
        return found

    def verify(self, repair: bool = False) -> VerifyReport:
        """
        Check every byte of the index against its checksums.

        Args:
            repair: make damaged vector segments again from the passages in the database; the damaged files
                are kept in `quarantine/`. A damaged database cannot be repaired; the report says so.

        Raises:
            IndexNotFoundError: nothing was indexed yet.
            IndexMismatchError: to be repaired, but made with another encoder.
        """
        from ragvl.indexers.store.verify import verify_index

        report = verify_index(self.folder)
        if repair and report.damages:
            from ragvl.indexers.repair import repair_index

            with suppress(IndexDamagedError):
                repair_index(self.folder, self._models.passages(), self._models.pages(), self.config)
            report = verify_index(self.folder)
        return report

    def compact(self) -> int:
        """
        Rewrite segments that hold many removed passages, and give free space back.

        Returns:
            Bytes saved.
        """
        from ragvl.indexers.store.writer import IndexWriter

        before = _size_bytes(self.folder)
        with IndexWriter(self.folder) as writer:
            writer.compact()
        return before - _size_bytes(self.folder)

    def page_image(self, document: Document, page_number: int, dpi: int = 110) -> bytes | None:
        """
        A page as a WebP image, drawn from the document's file.

        Returns:
            None when the file is gone, changed, or cannot be drawn.
        """
        from ragvl.indexers.render import page_image

        reader = self._open_reader()
        with reader.snapshot() as snapshot:
            stored = snapshot.file_paths(document.id)
        paths = [Path(os.fsdecode(absolute_path(path, self._base))) for path in stored]
        return page_image(self.folder, document, paths, page_number, dpi, self.config.reading)

    def close(self) -> None:
        """Close the index; again is harmless."""
        self._close_reader()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _base(self) -> Path:
        return Path(os.path.realpath(self.folder)).parent

    def _resolve(self, profile: str | None, overrides: Mapping[str, Any]) -> Config:
        try:
            settings = self._open_reader().settings
        except IndexNotFoundError:
            return load_config(profile or "embedded", overrides)
        if profile is not None:
            return load_config(profile, overrides)
        return load_config(settings["profile"], merge_settings(recorded_overrides(settings), overrides))

    def _open_reader(self) -> IndexReader:
        with self._guard:
            if self._reader is None:
                self._reader = IndexReader(self.folder)
            return self._reader

    def _close_reader(self) -> None:
        with self._guard:
            if self._reader is not None:
                self._reader.close()
                self._reader = self._image = None

    def generator(self) -> Generator:
        """The generator that `ask` uses."""
        from ragvl.generator.calibration import with_model

        settings = self._generator_config()
        generator: Generator = load("generator", settings.name)(settings, self._models.queries())
        if isinstance(generator, LocalGenerator):
            generator.share(device_arbiter(generator.device, self.config.device), self.folder)
        return with_model(generator, self.calibration())

    def calibration(self) -> IndexCalibration | None:
        """When answers are refused, as it was chosen on questions about this index; None for the shipped threshold."""
        from ragvl.generator.calibration import calibration_of

        try:
            with self._open_reader().snapshot() as snapshot:
                return calibration_of(snapshot.settings, self.config.generator)
        except IndexNotFoundError:
            return None

    def keep_calibration(self, calibration: IndexCalibration | None) -> None:
        """
        Record a calibration of the generator in the index, for every answer from now on; None forgets it.

        Raises:
            IndexLockedError: another process is writing.
            IndexNotFoundError, IndexWriteError: there is no index, or it cannot be written.
        """
        from ragvl.generator.calibration import setting_of
        from ragvl.indexers.store.writer import IndexWriter

        value = calibration.as_setting() if calibration else None
        with IndexWriter(self.folder) as writer, writer.batch() as batch:
            batch.put_setting(setting_of(self.config.generator), value)

    def _generator_config(self) -> GeneratorConfig:
        """What the generator is made with: the calibrated threshold where none is configured."""
        settings = self.config.generator
        calibration = self.calibration() if settings.refuse_below is None else None
        return (
            settings.model_copy(update={"refuse_below": calibration.refuse_below})
            if calibration
            else settings
        )


def _look_again(password: str | None, retry: bool) -> frozenset[DocumentStatus]:
    statuses = {DocumentStatus.LOCKED} if password else set()
    if retry:
        statuses |= {
            DocumentStatus.CORRUPT,
            DocumentStatus.CRASHED,
            DocumentStatus.PARTIAL,
            DocumentStatus.TIMEOUT,
            DocumentStatus.TOO_LARGE,
            DocumentStatus.UNSUPPORTED,
        }
    return frozenset(statuses)


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
