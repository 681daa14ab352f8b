"""A model's answer as it arrives: labels become citations at once, statements are checked at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ragvl.generator.citations import one_line
from ragvl.generator.grounding.evidence import find_evidence
from ragvl.generator.grounding.filtering import Cited, OutputFilter
from ragvl.generator.grounding.prompt import NO_ANSWER
from ragvl.generator.grounding.statements import statements_of
from ragvl.types import Answer, Citation, Context, ContextPage

_UNCHECKED = 0.5  # support of a statement whose page was shown as a picture and has no text to check it by


class GroundedStream:
    """
    Turns what a model writes into an `Answer`; use once.

    Attributes:
        unknown_labels: labels and numbers that the model cited by and that no page of this request has.
    """

    def __init__(self, context: Context, question: str, generator: str) -> None:
        """
        Prepare for one answer.

        Args:
            context: what the model was shown, with `pages`.
            question: as asked.
            generator: the name that the answer gets.
        """
        self._context = context
        self._pages: dict[str, ContextPage] = {page.label: page for page in context.pages}
        self._question = question
        self._generator = generator
        self._filter = OutputFilter(self._pages)
        self._text: list[str] = []  # without markers
        self._length = 0
        self._cited: list[tuple[int, str]] = []  # position in the text, label
        self._shown: list[str] = []
        self._held = ""  # the beginning, for as long as it may be a refusal

    @property
    def unknown_labels(self) -> int:
        """How many there were up to now."""
        return self._filter.unknown

    def feed(self, piece: str) -> str:
        """Take what the model wrote next, and return text that may be shown now: plain, with markers such as "[1]"."""
        return self._take(self._filter.feed(piece), final=False)

    def rest(self) -> str:
        """Return what is still held back; the model writes no more."""
        return self._take(self._filter.finish(), final=True)

    def finish(
        self, usage: Mapping[str, int] | None = None, timings_s: Mapping[str, float] | None = None
    ) -> Answer:
        """
        Check every statement against the pages it cites.

        Returns:
            The answer; `refused` when the model found none, or wrote nothing. `support` is the share of statements
            that were found on the pages they cite.
        """
        self.rest()
        text = "".join(self._shown).strip()
        refused = not text or _is_refusal("".join(self._text))
        citations, support = ((), 0.0) if refused else self._check()
        counts = {**(usage or {}), "unknown_labels": self.unknown_labels}
        return Answer(
            question=self._question,
            text=_refusal(self._context) if refused else text,
            citations=citations,
            refused=refused,
            support=support,
            hits=(),
            ledger=self._context.ledger,
            generator=self._generator,
            usage=counts,
            timings_s=timings_s or {},
        )

    def _take(self, events: Iterable[str | Cited], *, final: bool) -> str:
        new: list[str] = []
        for event in events:
            new.append(self._cite(event.label) if isinstance(event, Cited) else self._write(event))
        self._shown += new
        self._held += "".join(new)
        # A refusal is said in ragvl's words: hold the beginning back until it can be none.
        if not final and NO_ANSWER.startswith(self._held.strip().upper()[: len(NO_ANSWER)]):
            return ""
        if _is_refusal("".join(self._text)):
            return ""
        out, self._held = self._held, ""
        return out

    def _write(self, text: str) -> str:
        self._text.append(text)
        self._length += len(text)
        return text

    def _cite(self, label: str) -> str:
        if self._cited and self._cited[-1] == (self._length, label):
            return ""
        self._cited.append((self._length, label))
        return f"[{len(self._cited)}]"

    def _check(self) -> tuple[tuple[Citation, ...], float]:
        statements = statements_of("".join(self._text), [position for position, _ in self._cited])
        citations: dict[int, Citation] = {}
        worth = []
        for statement in statements:
            found = []
            for place in statement.cites:
                page = self._pages[self._cited[place][1]]
                others = {self._cited[i][1] for i in statement.cites} - {page.label}
                beside = [self._pages[label].hit for label in sorted(others)]
                finding = find_evidence(statement.text, self._question, page.hit, beside)
                citations[place] = finding.citation
                is_picture = not page.hit.page.text.strip() and page.image is not None
                found.append(1.0 if finding.citation.verified else _UNCHECKED if is_picture else 0.0)
            worth.append(max(found, default=0.0))
        for place, (_, label) in enumerate(self._cited):
            if place not in citations:
                hit = self._pages[label].hit
                citations[place] = Citation(hit.page.document, hit.page.number, (), "", verified=False)
        return tuple(citations[place] for place in sorted(citations)), sum(worth) / len(
            worth
        ) if worth else 0.0


def _is_refusal(text: str) -> bool:
    return text.strip(" .*_\"'\n").upper().startswith(NO_ANSWER)


def _refusal(context: Context) -> str:
    if not context.pages:
        return "The documents hold nothing on this."
    nearest = "; ".join(
        f"{one_line(hit.page.document.path)}, page {hit.page.number}" for hit in context.hits[:3]
    )
    return f"The documents do not seem to answer this. The nearest pages: {nearest}."
