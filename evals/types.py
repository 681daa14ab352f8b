"""The nouns of evaluation: a set of pages, queries and judgements, and what a system under test made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "AnnotatedBox",
    "CorpusPage",
    "EvalDocument",
    "EvalQuery",
    "EvalSet",
    "IndexingFigures",
    "QueryResult",
    "Run",
    "System",
    "SystemAnswer",
    "SystemCitation",
]

Run = Mapping[str, Mapping[str, float]]  # query id -> page id -> score, more is better


@dataclass(frozen=True, slots=True)
class EvalDocument:
    """A source document of a set, where the set has its file."""

    id: str
    path: Path


@dataclass(frozen=True, slots=True)
class CorpusPage:
    """
    A page that can be found.

    Attributes:
        id: as the source spells it, as a string; scores are joined on it.
        document: id of its document; of an image that belongs to none, its own id.
        number: place in the document, from 1.
        image: opens the dataset's own image as RGB; None where the page is to be read from the document's file.
        text: the dataset's own text of it, "" for none.
        size_pt: width and height in points of a page that is read from its document's file and has annotated
            boxes; boxes on it are in points too.
    """

    id: str
    document: str
    number: int
    image: Callable[[], Image] | None = None
    text: str = ""
    size_pt: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class AnnotatedBox:
    """
    A box that one annotator drew as evidence on a page, origin top left: in pixels of the page's image, or in points
    where the page has none and is read from its document's file.
    """

    annotator: str
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class EvalQuery:
    """
    A question.

    Attributes:
        id: as the source spells it, as a string.
        document: id of the document that it is about, where the source says so; "" otherwise.
        language: ISO 639-1 code, "" when unknown.
        answers: reference answers, any of which is right; empty when the source has none.
        answer_format: as the source names it, such as "Int" or "List"; "" when it does not.
        answerable: whether the documents answer it; None when the source does not say.
        groups: what results are broken down by: dimension ("document type", "evidence source") to its values.
    """

    id: str
    text: str
    document: str = ""
    language: str = ""
    answers: tuple[str, ...] = ()
    answer_format: str = ""
    answerable: bool | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvalSet:
    """
    A dataset, whatever its source.

    Attributes:
        name: such as "vidore_v3_hr".
        board: the board variant that its numbers belong to, in words, such as "ViDoRe v3, English queries, 8 public
            datasets"; "" for none.
        revision: commit or content hash of the data.
        main_metric: such as "ndcg@10".
        documents: files that pages are read from; empty for a corpus of images.
        pages: the corpus, in the order of the source.
        queries: in the order of the source.
        relevance: query id to page id to grade; a query without an entry has no judged page and is left out of
            retrieval metrics, and counted.
        boxes: (query id, page id) to the boxes of every annotator.
        answer_rule: how answers are scored: "mmlongbench", "anls", "relaxed", "exact", "list"; "" for not at all.
        notes: what was left out of the source and why, one sentence each.
    """

    name: str
    board: str
    revision: str
    main_metric: str
    documents: tuple[EvalDocument, ...]
    pages: tuple[CorpusPage, ...]
    queries: tuple[EvalQuery, ...]
    relevance: Mapping[str, Mapping[str, int]]
    boxes: Mapping[tuple[str, str], tuple[AnnotatedBox, ...]] = field(default_factory=dict)
    answer_rule: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemCitation:
    """
    A citation that a system gave.

    Attributes:
        page: page id, or "" for a page that is not in the corpus.
        in_context: whether the generator was given the page.
        verified: whether the system found the quote on the page.
        boxes: x0, y0, x1, y1 as shares of the page's width and height, from 0 to 1, origin top left.
    """

    page: str
    in_context: bool
    verified: bool
    boxes: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SystemAnswer:
    """What a system answered: text, whether it refused, how sure it is (0 to 1), what it cites, what it was given."""

    text: str
    refused: bool
    confidence: float
    citations: tuple[SystemCitation, ...] = ()
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryResult:
    """
    One query's outcome; a failure is a value.

    Attributes:
        scores: page id to score; empty when nothing was found or it failed.
        error: why it failed, "" when it did not.
    """

    query: str
    scores: Mapping[str, float]
    search_s: float
    answer: SystemAnswer | None = None
    answer_s: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class IndexingFigures:
    """What indexing a corpus cost; `failed` are documents or pages that are not in the index, with the reason."""

    pages: int
    seconds: float
    bytes: int
    peak_memory_bytes: int
    failed: tuple[str, ...] = ()


class System(Protocol):
    """Anything that can be evaluated: ragvl under some configuration, or a baseline."""

    @property
    def name(self) -> str:
        """What reports call it."""

    @property
    def answers(self) -> bool:
        """Whether `answer` can be asked."""

    def describe(self) -> Mapping[str, object]:
        """Configuration, package versions and model hashes, as JSON values: what would have to be the same again."""

    def index(self, corpus: EvalSet) -> IndexingFigures:
        """Make the corpus searchable; called again on the same corpus it finds its work done."""

    def search(self, query: EvalQuery, k: int, document: str = "") -> Mapping[str, float]:
        """
        Find at most k pages, as page id to score.

        Args:
            document: id of the only document to look into; "" for all.
        """

    def answer(self, query: EvalQuery, pages: tuple[str, ...] = ()) -> SystemAnswer:
        """
        Answer a query.

        Args:
            pages: page ids to be given to the generator in place of what a search finds: the oracle's context.

        Raises:
            NotImplementedError: the system only searches.
        """

    def close(self) -> None:
        """Free what it holds."""
