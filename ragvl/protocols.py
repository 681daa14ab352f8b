"""The seams of ragvl: what a part must offer to take the place of a built-in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ragvl.types import Answer, BBox, Context, PageContent, PageImage, TextDelta

if TYPE_CHECKING:
    from PIL.Image import Image

    from ragvl.arbiter import Arbiter

FloatArray = NDArray[np.float32]


class OpenDocument(Protocol):
    """A document being read; page numbers count from 1."""

    @property
    def page_count(self) -> int:
        """Number of pages; 0 is a legal answer."""

    @property
    def title(self) -> str:
        """The title in the document's metadata, or ""."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was repaired or left out up to now; any entry makes the document `partial`."""

    def read_page(self, page_number: int) -> PageContent:
        """
        Read the text and word boxes of one page.

        Raises:
            ReadError: the page cannot be read.
        """

    def figure_boxes(self, page_number: int) -> tuple[tuple[float, float, float, float], ...]:
        """Boxes, in points, of the raster images shown on one page, largest first."""

    def render(self, page_number: int, dpi: float) -> Image:
        """
        Draw one page as an RGB image, at fewer dots per inch when `max_pixels` would be passed.

        Raises:
            ReadError: the page cannot be drawn.
        """


class Reader(Protocol):
    """Opens the documents of some media types."""

    def open(
        self, path: Path, *, password: str | None, max_pixels: int
    ) -> AbstractContextManager[OpenDocument]:
        """
        Open a document.

        Raises:
            ReadError: with the status that the document gets.
        """


class TextEncoder(Protocol):
    """Turns text into vectors whose inner product is their similarity."""

    @property
    def name(self) -> str:
        """The name it is registered under."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the vectors would: a hash of weights, tokenizer and prefix."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Encode passages as (n, dimension) float32, unit length along the last axis."""

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Encode queries as (n, dimension) float32, unit length along the last axis."""


class VectorSource(IntEnum):
    """What a vector of a page was made from."""

    IMAGE = 0
    TEXT = 1


@dataclass(frozen=True, slots=True, eq=False)
class PageView:
    """
    A page as a page encoder is shown it.

    Attributes:
        image: the page as displayed, RGB.
        text: of its text layer or of OCR; "" for none.
        words: (start, end) in `text` and the box in points of every word, in the order of the text.
        width_pt, height_pt: size of the page.
    """

    image: Image
    text: str
    words: Sequence[tuple[int, int, BBox]]
    width_pt: float
    height_pt: float


@dataclass(frozen=True, slots=True, eq=False)
class PageVectors:
    """
    A page as a bag of n vectors, or as one.

    Attributes:
        vectors: (n, dimension) float32, unit length along the last axis; n is at least 1.
        sources: (n,) uint8, a `VectorSource` each.
        boxes_pt: (n, 4) float32, where on the page each comes from: x0, y0, x1, y1 in points.
    """

    vectors: FloatArray
    sources: NDArray[np.uint8]
    boxes_pt: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class QueryVectors:
    """
    A query as a bag of m vectors, or as one.

    Attributes:
        vectors: (m, dimension) float32, unit length along the last axis.
        spans: (start, end) of the query's characters that each vector stands for; (0, 0) where it stands for none.
    """

    vectors: FloatArray
    spans: tuple[tuple[int, int], ...]


class PageEncoder(Protocol):
    """Turns page images, with their text, and queries into vectors of one space."""

    @property
    def name(self) -> str:
        """The model, as it was named by the configuration."""

    @property
    def space(self) -> str:
        """Vectors of two encoders may be compared when this is equal: as configured, else the fingerprint."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the vectors would, float noise aside: a hash of weights, processor and settings."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def late_interaction(self) -> bool:
        """Whether pages and queries are bags compared by MaxSim; else one vector each, compared by inner product."""

    def encode_pages(self, pages: Sequence[PageView]) -> list[PageVectors]:
        """Encode pages, one result each, in order; results do not depend on what else is in the call."""

    def encode_queries(self, texts: Sequence[str]) -> list[QueryVectors]:
        """Encode queries, one result each, in order."""


@dataclass(frozen=True, slots=True)
class Filter:
    """
    Which documents a search may find; an empty field allows all.

    Attributes:
        path: globs, any of which must match the path or an end of it that starts at a folder.
        media_type: globs such as "image/*".
        modified_from, modified_until: file modification time, both inclusive, UTC.
    """

    path: tuple[str, ...] = ()
    media_type: tuple[str, ...] = ()
    modified_from: datetime | None = None
    modified_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScoredPage:
    """A page found by one lane: its id, the lane's score (more is better), its best passages' ids."""

    page_id: int
    score: float
    passage_ids: tuple[int, ...] = ()


class Lane(Protocol):
    """One way to find pages."""

    @property
    def name(self) -> str:
        """Such as "lexical"."""

    def search(self, query: str, k: int, where: Filter) -> list[ScoredPage]:
        """Find at most k pages, best first, ties by page id."""


class Reranker(Protocol):
    """Judges how well pages answer a query, by reading each together with it."""

    def prepare(self) -> None:
        """Load what scoring needs, unless it is there; the time of a query begins after this."""

    def score(self, query: str, documents: Sequence[tuple[str, Image | None]]) -> list[float]:
        """
        Score what is shown of pages, one score each, in order; more is better.

        Args:
            query: as the user wrote it.
            documents: text and image of each: "" for no text, None for no image, never neither.
        """


class TokenCost(Protocol):
    """What a model spends on what it is shown; estimates must not be lower than the truth."""

    @property
    def context_tokens(self) -> int:
        """Tokens that question, context and answer may take together."""

    @property
    def sees_images(self) -> bool:
        """Whether pictures may be given."""

    def text_tokens(self, text: str) -> int:
        """Tokens of a text."""

    def image_tokens(self, width_px: int, height_px: int) -> int:
        """Tokens of a picture of this size, its marker included."""


class Generator(Protocol):
    """Writes answers from a context."""

    @property
    def name(self) -> str:
        """The name it is registered under."""

    def stream(
        self, context: Context, question: str, options: Mapping[str, object]
    ) -> Iterator[TextDelta | Answer]:
        """
        Yield pieces of the answer's text as they are written, then the finished `Answer`.

        Raises:
            GeneratorError: nothing could be generated.
        """


@runtime_checkable
class LocalGenerator(Generator, Protocol):
    """A generator whose model runs in this process, and shares its device with other models."""

    @property
    def device(self) -> str:
        """Where the model runs, as configured: "auto", "cpu", "cuda"."""

    def share(self, arbiter: Arbiter, folder: Path) -> None:
        """
        Say what it may use; called once, before anything else.

        Args:
            arbiter: of the memory of `device`.
            folder: of the index; what it keeps on disk goes into a folder below, which may be deleted.
        """


@runtime_checkable
class CountingGenerator(Generator, Protocol):
    """A generator with a context of limited length: it is shown `Context.pages`, chosen under a budget of tokens."""

    @property
    def cost(self) -> TokenCost:
        """How it counts."""

    def page_tokens(self, question: str) -> int:
        """Tokens that pages may take together beside the question, the rules and the answer."""


@runtime_checkable
class Writer(CountingGenerator, Protocol):
    """A generator that also writes what it is told to, for forms, comparisons, summaries and rewritten questions."""

    def write(
        self,
        system: str,
        parts: Sequence[str | PageImage],
        *,
        schema: Mapping[str, object] | None = None,
        max_tokens: int | None = None,
    ) -> Iterator[str]:
        """
        Yield raw text as it comes, thoughts left out.

        Args:
            system: the rules.
            parts: what the user's message holds, in order; document text in it is marked as data by the caller.
            schema: JSON Schema that the text shall follow; a server that cannot hold a model to it is not told.
            max_tokens: of the text; None takes what is configured.

        Raises:
            GeneratorError: nothing could be written, or a text with a schema was cut at its limit.
        """
