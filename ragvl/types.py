"""
The nouns of ragvl, one frozen dataclass each, in the order in which data flows.

    documents → pages → passages and embeddings → index → hits → context → answer with citations

Boxes are `(x0, y0, x1, y1)` in points (1/72 inch), origin at the top left of the page as displayed.
Page numbers start at 1, page indexes at 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

BBox = tuple[float, float, float, float]


class DocumentStatus(StrEnum):
    """What became of a document when it was read."""

    OK = "ok"
    PARTIAL = "partial"  # repaired, or some of its pages failed
    EMPTY = "empty"  # no pages
    LOCKED = "locked"  # needs a password
    CORRUPT = "corrupt"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    CRASHED = "crashed"  # took its reading process down


class TextSource(StrEnum):
    """How the text of a page was got."""

    LAYER = "layer"
    OCR = "ocr"
    NONE = "none"


class BlockKind(StrEnum):
    """What a block of a page is."""

    HEADING = "heading"
    TEXT = "text"
    TABLE = "table"
    FIGURE = "figure"  # words read inside a picture


# --- read from a file, before the index knows it ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it stands on a page."""

    text: str
    bbox_pt: BBox


@dataclass(frozen=True, slots=True)
class Line:
    """Words that stand on one line, in reading order; a table row is one line."""

    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together: a heading, a paragraph, a table, the words of a figure."""

    kind: BlockKind
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class PageContent:
    """
    What a reader found on one page.

    Attributes:
        number: from 1.
        width_pt, height_pt: size as displayed, rotation applied.
        blocks: in reading order.
        text_source: `layer` when the text layer was used (figures may add OCR words), `ocr`, or `none`.
        warning: what went wrong on this page while the rest of it was kept; "" when nothing did.
    """

    number: int
    width_pt: float
    height_pt: float
    blocks: tuple[Block, ...]
    text_source: TextSource
    warning: str = ""


# --- in the index -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Document:
    """
    One file of the library.

    Attributes:
        id: never reused.
        path: for display and filters: relative to the folder that holds the index when it lies
            inside it, else absolute; "/" between parts.
        sha256: of the file's bytes; a document is its content, whatever it is called.
        media_type: such as "application/pdf".
        title: from the document's own metadata or first heading; "" when it has none.
        page_count: pages it has; pages that could not be read are counted too.
        size_bytes: of the file.
        modified_at: the file's modification time, UTC.
        status, reason: what became of it; the reason is "" when the status is `ok`.
    """

    id: int
    path: str
    sha256: str
    media_type: str
    title: str
    page_count: int
    size_bytes: int
    modified_at: datetime
    status: DocumentStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a document; `number` counts from 1, sizes are in points, `words` as in `ragvl.indexers.words`."""

    id: int
    document: Document
    number: int
    width_pt: float
    height_pt: float
    text: str
    text_source: TextSource
    words: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Passage:
    """
    A part of one page that is embedded and searched as a unit.

    Attributes:
        id: never reused.
        page_number: from 1.
        kind: of the blocks it is made of.
        heading: the headings above it, outermost first, joined by " > "; may be "".
        text: `page.text[start:end]`.
        start, end: character span in the page's text.
        boxes_pt: one box a line.
    """

    id: int
    page_number: int
    kind: BlockKind
    heading: str
    text: str
    start: int
    end: int
    boxes_pt: tuple[BBox, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A place on a page."""

    page_number: int
    bbox_pt: BBox


@dataclass(frozen=True, slots=True)
class Failure:
    """One document that is not, or not wholly, in the index, and why."""

    path: str
    status: DocumentStatus
    reason: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """
    What one run of indexing did; each field of paths is sorted.

    Attributes:
        added, updated, renamed, removed: paths.
        unchanged: a count.
        failed: documents looked at in this run whose status is not `ok`; `Library.documents` has all.
        pages, passages: written in this run.
        timings_s: seconds by step ("scan", "read", "encode", "commit", "total").
        interrupted: whether the run was stopped before its end; what was committed stays.
    """

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    failed: tuple[Failure, ...] = ()
    pages: int = 0
    passages: int = 0
    timings_s: Mapping[str, float] = field(default_factory=dict)
    interrupted: bool = False


# --- found --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LaneRank:
    """Where one lane ranked a page: `rank` from 1, and the lane's own score."""

    lane: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """
    Where a part of a query meets a page, as the image lane sees it.

    Attributes:
        start, end: the part, in characters of the query.
        region: of the page.
        similarity: cosine, between -1 and 1.
        source: "image" when the picture of the page was met, "text" when its words were.
    """

    start: int
    end: int
    region: Region
    similarity: float
    source: str


@dataclass(frozen=True, slots=True)
class Hit:
    """
    A page that a search found.

    Attributes:
        score: more is better.
        lanes: which found it.
        passages: its best ones, best first.
        matches: where the query's parts meet it, in their order; empty without an image lane.
    """

    page: Page
    score: float
    lanes: tuple[LaneRank, ...]
    passages: tuple[Passage, ...]
    matches: tuple[Match, ...] = ()


class PageForm(StrEnum):
    """How a page is shown to a generator."""

    IMAGE = "image"
    SMALL_IMAGE = "small image"
    REGION = "region"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """
    One candidate for the context: what it costs, whether it was kept, and why.

    Attributes:
        cost_tokens: of the form in which it was kept, or of the cheapest one that did not fit.
        form: how it is shown; None when it was dropped, or when the generator takes hits as they are.
    """

    page_id: int
    document_path: str
    page_number: int
    cost_tokens: int
    kept: bool
    why: str
    form: PageForm | None = None


@dataclass(frozen=True, slots=True)
class PageImage:
    """A picture of a page, or of a region of it, encoded as `media_type` ("image/png" or "image/jpeg")."""

    data: bytes
    media_type: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class ContextPage:
    """
    A page as a generator is shown it: label, text and picture go together and cannot part.

    Attributes:
        label: random, made for this request alone; what the generator cites the page by.
        text: the words given with it, "" for none; document text, to be marked as data.
        image: None where only text is given.
        cost_tokens: of label, text and image together, as the generator counts.
    """

    label: str
    hit: Hit
    form: PageForm
    text: str
    image: PageImage | None
    cost_tokens: int


@dataclass(frozen=True, slots=True)
class Context:
    """
    What a generator is given.

    Attributes:
        hits: the pages kept, best first.
        ledger: every candidate, in the order of the search.
        pages: the pages kept, in the order in which a model is shown them; empty for a generator that reads hits.
    """

    hits: tuple[Hit, ...]
    ledger: tuple[LedgerEntry, ...]
    pages: tuple[ContextPage, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """
    A place that a statement comes from.

    Attributes:
        document: the document cited.
        page_number: from 1.
        regions: where the quote stands on the page, one a line.
        quote: the words of the page.
        verified: whether the quote was found, word for word, in the page's text.
    """

    document: Document
    page_number: int
    regions: tuple[Region, ...]
    quote: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A finished answer.

    Attributes:
        question: as asked.
        text: plain text; "[1]" refers to `citations[0]`.
        citations: in the order in which the text refers to them.
        refused: whether nothing in the library supports an answer; `hits` are then the nearest pages.
        support: from 0 to 1, how well the cited pages support the answer.
        hits: what the search found.
        ledger: what the generator was given, and what not.
        generator: name of the generator that wrote it.
        usage: tokens by kind; empty for a generator that counts none.
        timings_s: seconds by step.
        searched_for: what was searched for in place of the question, which goes on from earlier ones; else "".
    """

    question: str
    text: str
    citations: tuple[Citation, ...]
    refused: bool
    support: float
    hits: tuple[Hit, ...]
    ledger: tuple[LedgerEntry, ...] = ()
    generator: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    timings_s: Mapping[str, float] = field(default_factory=dict)
    searched_for: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of an answer's text as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Damage:
    """One finding of `verify`: the file, relative to the index, and what is wrong with it."""

    file: str
    what: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` looked at and found; the index is sound when `damages` is empty."""

    files: int
    size_bytes: int
    damages: tuple[Damage, ...]


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """
    How far a run of indexing is.

    Attributes:
        step: "scan", "read", "encode", "commit" or "done".
        documents_done, documents_total: documents that are to be read in this run.
        pages_read: pages read in this run.
        pages_expected: pages of the documents opened up to now; 0 while none is.
        passages: passages committed in this run.
        failed: documents that ended with a status other than `ok`.
        elapsed_s: since the run began.
        pages_encoded: pages that the image lane's encoder has seen in this run; None without that lane.
    """

    step: str
    documents_done: int
    documents_total: int
    pages_read: int
    pages_expected: int
    passages: int
    failed: tuple[Failure, ...]
    elapsed_s: float
    pages_encoded: int | None = None


@dataclass(frozen=True, slots=True)
class ImageEstimate:
    """
    What the image lane takes, from a probe of a few pages.

    Attributes:
        seconds_a_page: of encoding.
        bytes_a_page: on the disk.
        memory_bytes: the most that this process held while it encoded them, the model included.
    """

    seconds_a_page: float
    bytes_a_page: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class IndexEstimate:
    """
    What a run of indexing would do; nothing is written.

    Attributes:
        to_read: paths of new and changed files.
        unchanged: a count.
        gone: paths that would leave the index.
        refused: files that would not be read, with the reason.
        pages: expected pages of `to_read`, from a sample of documents.
        seconds: expected time, from the same sample.
        index_bytes: expected growth of the index.
        image: what the image lane alone takes, within the above; None without that lane.
    """

    to_read: tuple[str, ...]
    unchanged: int
    gone: tuple[str, ...]
    refused: tuple[Failure, ...]
    pages: int
    seconds: float
    index_bytes: int
    image: ImageEstimate | None = None
