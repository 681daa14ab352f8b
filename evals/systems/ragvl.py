"""ragvl itself as a system under test."""

from __future__ import annotations

import glob
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from ragvl import __version__
from ragvl.config import INDEX_FOLDER, load_config
from ragvl.errors import RagvlError
from ragvl.evals.machine import package_versions
from ragvl.evals.memory import PeakMemory
from ragvl.evals.systems.given_index import find_given_index, match_documents
from ragvl.evals.systems.index_cache import IndexCache, corpus_key
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.systems.page_files import document_folders, readable_as, write_page_files
from ragvl.evals.systems.page_map import PageMap, map_documents, map_page_files
from ragvl.evals.systems.system_answer import system_answer
from ragvl.evals.types import EvalQuery, EvalSet, IndexingFigures, SystemAnswer
from ragvl.indexers.manifest import encoder_manifest, manifest
from ragvl.indexers.store.files import sha256_of
from ragvl.library import Library
from ragvl.models import Models
from ragvl.types import Document, DocumentStatus, Hit, IndexProgress

__all__ = ["RagvlSystem"]

_PACKAGES = ("faiss-cpu", "apsw", "onnxruntime", "openvino", "pymupdf", "pypdfium2", "rapidocr", "tokenizers")


class RagvlSystem:
    """ragvl under one configuration, through its library as users call it."""

    answers = True

    def __init__(self, options: SystemOptions) -> None:
        """
        Check the configuration; nothing is opened yet.

        Raises:
            ConfigError: an unknown profile or setting.
            RagvlError: `read` is given together with a ready index.
        """
        self._options = options
        if options.index is None:
            load_config(options.profile or "embedded", options.settings)
        elif options.read != "auto":
            raise RagvlError(
                "a ready index holds what its pages were read from: leave out --read, or --index"
            )
        self._library: Library | None = None
        self._pages = PageMap({}, {})
        self._folders: dict[str, str] = {}  # ends of paths, by document id, where every page is a file
        self._documents: dict[str, Document] = {}  # by the SHA-256 of their files

    @property
    def name(self) -> str:
        """Name the profile where it is not the usual one."""
        profile = self._options.profile
        return f"ragvl {Path(profile).stem}" if profile else "ragvl"

    def describe(self) -> Mapping[str, object]:
        """Tell the resolved configuration, the encoder's fingerprint, and the content of the index."""
        library = self._opened()
        config = library.config
        queries = Models(config).queries()
        held = sorted((one.sha256, one.status, one.page_count) for one in library.documents())
        return {
            "configuration": config.model_dump(mode="json"),
            "encoder": encoder_manifest(queries),
            "index": hashlib.sha256(repr(held).encode()).hexdigest(),
            "packages": {"ragvl": __version__, **package_versions(_PACKAGES)},
        }

    def index(self, corpus: EvalSet) -> IndexingFigures:
        """
        Index the corpus, or find that it is indexed already.

        Raises:
            RagvlError: the corpus has no pages that can be read, or a ready index lacks some.
            KeyboardInterrupt: it was stopped; what was indexed stays, and the next call goes on from there.
        """
        if self._options.index is not None:
            return self._use_given(corpus, find_given_index(self._options.index))
        kind = readable_as(corpus, self._options.read)
        config = load_config(self._options.profile or "embedded", self._options.settings)
        models = Models(config)
        made_by = {
            "ragvl": __version__,
            "read": kind,
            **manifest(config, models.passages(), models.pages()),
        }
        cache = IndexCache(self._options.work / "indexes" / corpus_key(corpus, made_by))
        self._library = Library(cache.folder / INDEX_FOLDER, config.profile, self._options.settings)
        paths = self._place(corpus, kind)
        figures = cache.figures() or self._make(cache, paths)
        self._know_documents()
        return figures

    def search(self, query: EvalQuery, k: int, document: str = "") -> Mapping[str, float]:
        """Search as a user does; of one document with a filter on the paths of its files."""
        where = self._where(document) if document else None
        if where is not None and not where["path"]:
            return {}
        asked = k
        while True:
            hits = self._opened().search(query.text, k=asked, where=where)
            scores = dict(islice(self._scores(hits, document).items(), k))
            if len(scores) == k or len(hits) < asked:
                return scores
            asked *= 2  # some hits were no pages of the corpus, or several of the same one

    def answer(self, query: EvalQuery, pages: tuple[str, ...] = ()) -> SystemAnswer:
        """Answer as a user is answered; from given pages through `Library.ask_pages`."""
        library = self._opened()
        given = sorted(set(self._given(pages)))
        if pages and not given:
            raise RagvlError(f"none of the pages {', '.join(pages)} is in the index")
        answer = library.ask_pages(query.text, given) if given else library.ask(query.text)
        return system_answer(answer, self._pages)

    def close(self) -> None:
        """Close the library."""
        if self._library is not None:
            self._library.close()

    def _opened(self) -> Library:
        if self._library is None:
            raise RagvlError("index the corpus first")
        return self._library

    def _use_given(self, corpus: EvalSet, folder: Path) -> IndexingFigures:
        self._library = library = Library(folder, self._options.profile, self._options.settings)
        held = library.documents()
        self._pages = map_documents(corpus, match_documents(corpus, held, folder))
        self._know_documents()
        return IndexingFigures(_page_count(held), 0.0, _size_bytes(folder), 0, _failures(held))

    def _place(self, corpus: EvalSet, kind: str) -> list[Path]:
        """Bring the corpus into files, and map them; return what is to be indexed."""
        if kind == "files":
            hashes = {document.id: sha256_of(document.path) for document in corpus.documents}
            self._pages = map_documents(corpus, hashes)
            wanted = {page.document for page in corpus.pages}
            return [document.path for document in corpus.documents if document.id in wanted]
        folder = self._options.work / "pages" / corpus_key(corpus, {"read": kind})
        self._folders = {one: f"{folder.name}/{name}" for one, name in document_folders(corpus).items()}
        self._pages = map_page_files(corpus, write_page_files(corpus, kind, folder, self._told))
        return [folder]

    def _make(self, cache: IndexCache, paths: Sequence[Path]) -> IndexingFigures:
        library = self._opened()
        started = time.monotonic()
        with PeakMemory() as memory:
            report = library.index(*paths, progress=self._options.progress)
        seconds = time.monotonic() - started
        size = _size_bytes(library.folder)
        failed = _failures(library.documents())
        figures = IndexingFigures(report.pages, seconds, size, memory.bytes, failed)
        figures = cache.note(figures, finished=not report.interrupted)
        if report.interrupted:
            raise KeyboardInterrupt
        return figures

    def _where(self, document: str) -> Mapping[str, Sequence[str]]:
        """Write the filter that lets the files of a document through, and perhaps others."""
        if document in self._folders:
            return {"path": [f"{self._folders[document]}/*"]}
        files = self._pages.files_of(document) & self._documents.keys()
        return {"path": sorted(glob.escape(self._documents[file].path) for file in files)}

    def _know_documents(self) -> None:
        self._documents = {one.sha256: one for one in self._opened().documents() if one.sha256}

    def _scores(self, hits: Sequence[Hit], document: str) -> dict[str, float]:
        scores: dict[str, float] = {}
        for hit in hits:
            for page in self._pages.ids(hit.page.document.sha256, hit.page.number, document):
                scores.setdefault(page, hit.score)
        return scores

    def _given(self, pages: Sequence[str]) -> Iterator[tuple[str, int]]:
        """Paths and page numbers in the index, of those pages that it has."""
        for page in pages:
            place = self._pages.places.get(page)
            document = self._documents.get(place.sha256) if place else None
            if place is None or document is None:
                continue
            numbers = (place.number,) if place.number else range(1, document.page_count + 1)
            yield from ((document.path, number) for number in numbers)

    def _told(self, done: int, total: int) -> None:
        if self._options.progress:
            self._options.progress(IndexProgress("scan", done, total, 0, 0, 0, (), 0.0))


def _failures(documents: Sequence[Document]) -> tuple[str, ...]:
    return tuple(
        f"{one.path}: {one.status}: {one.reason}" for one in documents if one.status is not DocumentStatus.OK
    )


def _page_count(documents: Sequence[Document]) -> int:
    return sum(document.page_count for document in documents)


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
