"""A system that is not there, and a set to ask it about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ragvl.evals.types import (
    CorpusPage,
    EvalQuery,
    EvalSet,
    IndexingFigures,
    SystemAnswer,
    SystemCitation,
)

QUERIES = 12


def make_set(revision: str = "r1") -> EvalSet:
    """Make 4 documents of 5 pages, and 12 queries, of which the last two have no judged page."""
    pages = tuple(
        CorpusPage(f"d{document}#{number}", f"d{document}", number)
        for document in range(4)
        for number in range(1, 6)
    )
    queries = tuple(
        EvalQuery(
            f"q{position}",
            f"question {position}",
            document=f"d{position % 4}",
            language="fr" if position % 3 == 0 else "en",
            answers=("forty",),
            answer_format="Str",
            answerable=position < QUERIES - 2,
            groups={"kind": ("even" if position % 2 == 0 else "odd",)},
        )
        for position in range(QUERIES)
    )
    relevance = {
        query.id: {f"{query.document}#{position % 5 + 1}": 1} for position, query in enumerate(queries[:-2])
    }
    return EvalSet(
        "made-up", "a board", revision, "ndcg@5", (), pages, queries, relevance, answer_rule="mmlongbench"
    )


@dataclass
class FakeSystem:
    """
    Ranks pages by where their ids meet the query's number, the same each time.

    Attributes:
        before_search: called with each query that is searched for in all documents; may raise.
    """

    corpus: EvalSet = field(default_factory=make_set)
    name: str = "fake"
    answers: bool = True
    configuration: Mapping[str, object] = field(default_factory=lambda: {"weights": "abc"})
    before_search: Callable[[EvalQuery], None] = lambda query: None
    searched: list[tuple[str, str]] = field(default_factory=list)
    answered: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def describe(self) -> Mapping[str, object]:
        return self.configuration

    def index(self, corpus: EvalSet) -> IndexingFigures:
        self.corpus = corpus
        return IndexingFigures(len(corpus.pages), 2.0, 4000, 1 << 20, ("d9: locked: no password",))

    def search(self, query: EvalQuery, k: int, document: str = "") -> Mapping[str, float]:
        if not document:
            self.before_search(query)
        self.searched.append((query.id, document))
        number = int(query.id[1:])
        scores = {
            page.id: 1 / (1 + abs(position - number) + (0.0 if page.document == query.document else 0.5))
            for position, page in enumerate(self.corpus.pages)
            if not document or page.document == document
        }
        return dict(sorted(scores.items(), key=lambda one: -one[1])[:k])

    def answer(self, query: EvalQuery, pages: tuple[str, ...] = ()) -> SystemAnswer:
        self.answered.append((query.id, pages))
        context = pages or tuple(self.search(query, 3))
        return SystemAnswer(
            "forty", query.answerable is False, 0.8, (SystemCitation(context[0], True, True),), context
        )

    def close(self) -> None:
        """Hold nothing."""
