"""Choosing few good questions out of many: over all documents, over their pages, and of several kinds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from ragvl.evals.drafting.draft import Draft
from ragvl.evals.drafting.english import Spelling, is_english
from ragvl.evals.drafting.headings import from_headings
from ragvl.evals.drafting.pages import DocumentPages
from ragvl.evals.drafting.sentences import from_sentence
from ragvl.evals.drafting.tables import from_row
from ragvl.generator.units import units_of
from ragvl.indexers.words import unpack_words
from ragvl.types import BlockKind, Hit

__all__ = ["draft_questions"]

_UNANSWERABLE_SHARE = 0.1
# What a draft is worth less for each one of its document that was chosen before it.
_SAME_PAGE, _SAME_KIND = 1.0, 0.4
_MOST_OF_A_KIND = 3  # from which on more of a kind cost nothing more
_LEAST_WORTH = -1.0
_YEAR_ASKED = re.compile(r" in ((?:19|20)\d\d)\b")


def draft_questions(documents: Iterable[DocumentPages], count: int, *, complete: bool = True) -> list[Draft]:
    """
    Propose questions about documents; the same documents give the same questions.

    Only English documents give any: the forms of the questions are English.

    Args:
        count: at most so many; fewer when the documents give fewer good ones.
        complete: whether these are all documents there are. Then about a tenth of the questions ask for what they do
            not say: the figure of a year that none of them mentions.

    Returns:
        In the order of documents and pages, those without an answer last.
    """
    proposed: dict[str, list[Draft]] = {}
    years: set[int] = set()
    for document in documents:
        years |= {
            int(year) for page in document.pages for year in re.findall(r"(?:19|20)\d\d", page.page.text)
        }
        drafts = _unambiguous(list(_propose(document)))
        if drafts:
            proposed[document.path] = drafts
    absent = list(_absent(proposed, years))[: round(count * _UNANSWERABLE_SHARE)] if complete else []
    chosen = _choose(proposed, count - len(absent))
    return sorted(chosen, key=lambda draft: (draft.document, draft.page, draft.start)) + absent


def _propose(document: DocumentPages) -> Iterator[Draft]:
    texts = [page.page.text for page in document.pages]
    if not is_english(texts):
        return
    spelling = Spelling.of(texts)
    for hit in document.pages:
        yield from _of_page(hit, document.path, spelling)


def _of_page(hit: Hit, path: str, spelling: Spelling) -> Iterator[Draft]:
    words = unpack_words(hit.page.words, hit.page.width_pt, hit.page.height_pt)
    units = units_of(hit)
    yield from from_headings(units, path, spelling)
    for unit in units:
        if unit.kind is BlockKind.TABLE:
            yield from from_row(unit, words, path, spelling)
        elif unit.kind is BlockKind.TEXT:
            yield from from_sentence(unit, path, spelling)


def _unambiguous(drafts: Sequence[Draft]) -> list[Draft]:
    """Leave out what a document answers twice, differently; of the same twice, keep the first."""
    answers: dict[str, set[str]] = {}
    for draft in drafts:
        answers.setdefault(draft.question.casefold(), set()).add(draft.answer)
    kept: dict[str, Draft] = {}
    for draft in drafts:
        if len(answers[draft.question.casefold()]) == 1:
            kept.setdefault(draft.question.casefold(), draft)
    return list(kept.values())


def _choose(proposed: dict[str, list[Draft]], count: int) -> list[Draft]:
    """Take one of each document in turn, each time what is worth most beside what was taken before."""
    left = {path: list(drafts) for path, drafts in proposed.items()}
    chosen: list[Draft] = []
    quoted: set[tuple[str, int, int]] = set()
    seen: Counter[tuple[str, object]] = Counter()
    while len(chosen) < count and any(left.values()):
        for path in sorted(left):
            if not left[path] or len(chosen) == count:
                continue
            best = max(left[path], key=lambda draft: (_worth(draft, seen), _shuffle(draft)))
            if _worth(best, seen) < _LEAST_WORTH:
                left[path].clear()
                continue
            left[path].remove(best)
            if (path, best.page, best.start) in quoted:
                continue
            quoted.add((path, best.page, best.start))
            seen[path, best.page] += 1
            seen[path, best.kind] += 1
            chosen.append(best)
    return chosen


def _worth(draft: Draft, seen: Counter[tuple[str, object]]) -> float:
    before = _SAME_PAGE * seen[draft.document, draft.page] + _SAME_KIND * min(
        seen[draft.document, draft.kind], _MOST_OF_A_KIND
    )
    return draft.worth - before


def _shuffle(draft: Draft) -> bytes:
    """An order that has nothing to do with the place in the document, and is the same each time."""
    return sha256(f"{draft.document}\0{draft.page}\0{draft.question}".encode()).digest()


def _absent(proposed: dict[str, list[Draft]], years: set[int]) -> Iterator[Draft]:
    """Ask for the figure of a year that no document mentions; one of each document."""
    for path in sorted(proposed):
        dated = [
            draft for draft in proposed[path] if draft.kind == "table" and _YEAR_ASKED.search(draft.question)
        ]
        if not dated:
            continue
        draft = min(dated, key=lambda draft: (" figure for " in draft.question, _shuffle(draft)))
        year = int(_YEAR_ASKED.search(draft.question)[1])  # type: ignore[index]  # searched above
        other = next((before for before in range(year - 1, year - 40, -1) if before not in years), 0)
        if other:
            question = _YEAR_ASKED.sub(f" in {other}", draft.question)
            yield Draft(question, "", "", "none", None, draft.worth)
