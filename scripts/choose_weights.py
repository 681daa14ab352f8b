"""
Choose what each lane counts in a search, on questions whose right pages are known.

    python scripts/choose_weights.py INDEX QUESTIONS [--profile FILE] [--fusion ranks] [--json]

INDEX holds the documents of QUESTIONS, a folder as `ragvl eval` takes it. Every lane is asked once for each question;
the weights are then compared by fusing the same results anew. What tuning is worth is told by weights that were chosen
without one part of the documents after the other, and counted on the part left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ragvl
from ragvl.config import RetrievalConfig
from ragvl.evals.datasets import load_set
from ragvl.evals.metrics import score_run
from ragvl.evals.statistics import WORSE, Interval, mean_interval, paired_interval
from ragvl.evals.support_model import folds_of
from ragvl.evals.systems.given_index import find_given_index, match_documents
from ragvl.evals.systems.page_map import PageMap, map_documents
from ragvl.evals.types import EvalQuery, EvalSet
from ragvl.indexers.store.reader import IndexReader
from ragvl.library import Library
from ragvl.models import Models
from ragvl.retrievers.evidence import Evidence
from ragvl.retrievers.filters import EVERYTHING
from ragvl.retrievers.ranking import lane_weights, rank_pages, score_pages
from ragvl.retrievers.retriever import Retriever

_MEASURES = ("ndcg@5", "recall@10")
_DEPTH = 30  # pages of a ranking that are looked up: several may stand for one page of the set

Weights = tuple[float, ...]
Floats = NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, what was chosen on held-out questions, and a recommendation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1] if __doc__ else "")
    parser.add_argument("index", type=Path, help="the folder that `ragvl index` made")
    parser.add_argument("questions", help="a folder of documents and questions, or the name of a known set")
    parser.add_argument("--profile", help="a preset or a YAML file; else the index's own")
    parser.add_argument("--fusion", choices=("convex", "ranks"), help="else as configured")
    parser.add_argument("--step", type=float, default=0.1, help="between two weights of a lane")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    chosen = parser.parse_args(arguments)
    if not 0 < chosen.step <= 0.5:
        parser.error("--step must lie between 0 and 0.5")
    overrides = {"retrieval": {"fusion": chosen.fusion}} if chosen.fusion else {}
    try:
        corpus = load_set(chosen.questions)
        with ragvl.open(find_given_index(chosen.index), chosen.profile, overrides=overrides) as library:
            trial = Trial(gather(library, corpus), library.config.retrieval, chosen.step)
    except ragvl.RagvlError as error:
        raise SystemExit(str(error)) from None
    print(json.dumps(as_json(trial), indent=2) if chosen.json else as_text(trial))
    return 0


@dataclass(frozen=True, slots=True)
class Asked:
    """
    A question with everything that the index says to it.

    Attributes:
        about: the document that it is about; questions about one are held out together.
        ids: the page ids of the set that a page of the index stands for.
    """

    query: EvalQuery
    about: str
    relevance: Mapping[str, int]
    evidence: Evidence
    ids: Mapping[int, Sequence[str]]

    def ranked(self, config: RetrievalConfig) -> dict[str, float]:
        """Page ids of the set, with scores that fall with the rank."""
        order = rank_pages(self.evidence, score_pages(self.evidence, config))[:_DEPTH]
        pages = list(dict.fromkeys(page for page_id in order for page in self.ids[page_id]))
        return {page: float(len(pages) - rank) for rank, page in enumerate(pages)}


def gather(library: Library, corpus: EvalSet) -> list[Asked]:
    """Ask every lane every question of which the right pages are known."""
    config = library.config
    reader = IndexReader(library.folder)
    models = Models(config, None, None)
    encoder = models.page_queries() if reader.forms.image is not None else None
    image = None
    if encoder is not None:
        from ragvl.retrievers.image import ImageLane

        image = ImageLane(reader, encoder)
    every_lane = {f"{lane}_weight": 1.0 for lane in lane_weights(config.retrieval)}
    retriever = Retriever(reader, models.queries(), config.retrieval.model_copy(update=every_lane), image)
    pages = map_documents(corpus, match_documents(corpus, library.documents(), library.folder))
    document_of = {page.id: page.document for page in corpus.pages}
    asked = []
    usable = [query for query in corpus.queries if any(corpus.relevance.get(query.id, {}).values())]
    if not usable:
        raise SystemExit(f"{corpus.name}: no question has right pages; name some in questions.jsonl")
    try:
        for done, query in enumerate(usable, start=1):
            relevance = corpus.relevance[query.id]
            evidence = retriever.evidence(query.text, config.retrieval.candidates, EVERYTHING)
            about = query.document or document_of[min(relevance)]
            asked.append(Asked(query, about, relevance, evidence, _ids(reader, evidence, pages)))
            if sys.stderr.isatty():
                print(f"\r{done} of {len(usable)} questions asked", end="", file=sys.stderr)
    finally:
        reader.close()
    return asked


def _ids(reader: IndexReader, evidence: Evidence, pages: PageMap) -> dict[int, Sequence[str]]:
    with reader.snapshot() as snapshot:
        documents = snapshot.documents({place.document for place in evidence.places.values()})
    return {
        page_id: pages.ids(documents[place.document].sha256, place.number)
        for page_id, place in evidence.places.items()
    }


class Trial:
    """Every choice of weights on the same evidence."""

    def __init__(self, asked: Sequence[Asked], config: RetrievalConfig, step: float) -> None:
        """Take the evidence; nothing is computed yet."""
        self.asked = asked
        self.config = config
        self.lanes = tuple(lane.name for lane in asked[0].evidence.lanes)
        configured = [lane_weights(config)[lane] for lane in self.lanes]
        self.current: Weights = tuple(round(weight / sum(configured), 4) for weight in configured)
        self.grid = sorted({*simplex(len(self.lanes), step), *simplex(len(self.lanes), 0.25), self.current})
        self._scores: dict[Weights, dict[str, list[float]]] = {}

    def scores(self, weights: Weights) -> dict[str, list[float]]:
        """Measure to the score of every question."""
        if weights not in self._scores:
            update = {f"{lane}_weight": weight for lane, weight in zip(self.lanes, weights, strict=True)}
            config = self.config.model_copy(update=update)
            run = {one.query.id: one.ranked(config) for one in self.asked}
            found = score_run({one.query.id: one.relevance for one in self.asked}, run, _MEASURES)
            self._scores[weights] = {
                measure: [found[one.query.id][measure] for one in self.asked] for measure in _MEASURES
            }
        return self._scores[weights]

    @cached_property
    def held_out(self) -> dict[str, list[float]]:
        """The same of the weights that were best without the question's part of the documents."""
        folds = folds_of([one.about for one in self.asked])
        held: dict[str, Floats] = {measure: np.zeros(len(folds)) for measure in _MEASURES}
        for fold in np.unique(folds):
            tuned = self.scores(self._best(folds != fold))
            for measure in _MEASURES:
                held[measure][folds == fold] = np.array(tuned[measure])[folds == fold]
        return {measure: values.tolist() for measure, values in held.items()}

    @cached_property
    def recommended(self) -> Weights:
        """Of the weights that are not worse than the best beyond the noise, the configured ones, else the roundest."""
        leading = self.scores(self._best(np.ones(len(self.asked), bool)))[_MEASURES[0]]
        as_good = [
            weights
            for weights in self.grid
            if paired_interval(self.scores(weights)[_MEASURES[0]], leading).verdict != WORSE
        ]
        return min(
            as_good, key=lambda weights: (weights != self.current, _edges(weights), -self._mean(weights))
        )

    def _best(self, among: NDArray[np.bool_]) -> Weights:
        """The weights with the highest mean on some of the questions."""
        return max(self.grid, key=lambda weights: (self._mean(weights, among), weights))

    def _mean(self, weights: Weights, among: NDArray[np.bool_] | None = None) -> float:
        values = np.array(self.scores(weights)[_MEASURES[0]])
        return float(values.mean() if among is None else values[among].mean())


def simplex(lanes: int, step: float) -> list[Weights]:
    """Every way to share 1 among lanes in whole steps."""
    count = round(1 / step)
    shares = product(range(count + 1), repeat=lanes)
    return [tuple(round(share / count, 4) for share in each) for each in shares if sum(each) == count]


def _edges(weights: Weights) -> int:
    """How little round weights are; a lane without any weight is the least round of all."""
    units = (0.5, 0.25, 0.2, 0.1)
    level = next((place for place, unit in enumerate(units) if _is_multiple(weights, unit)), len(units))
    return level + 10 * weights.count(0.0)


def _is_multiple(weights: Weights, unit: float) -> bool:
    return all(abs(weight / unit - round(weight / unit)) < 1e-6 for weight in weights)


def _intervals(scores: Mapping[str, Sequence[float]]) -> dict[str, Interval]:
    return {measure: mean_interval(values) for measure, values in scores.items()}


def as_text(trial: Trial) -> str:
    """The table in Markdown, and what follows from it."""
    lines = [f"| {' | '.join((*trial.lanes, *_MEASURES))} |", "|---" * (len(trial.lanes) + 2) + "|"]
    for weights in trial.grid:
        figures = [str(interval) for interval in _intervals(trial.scores(weights)).values()]
        mark = " **(configured)**" if weights == trial.current else ""
        lines.append(f"| {' | '.join(f'{weight:g}' for weight in weights)} | {' | '.join(figures)}{mark} |")
    held = ", ".join(f"{measure} {interval}" for measure, interval in _intervals(trial.held_out).items())
    chosen = trial.recommended
    named = ", ".join(f"{lane}_weight {weight:g}" for lane, weight in zip(trial.lanes, chosen, strict=True))
    kept = " (as configured)" if chosen == trial.current else ""
    head = f"{len(trial.asked)} questions, fusion {trial.config.fusion}; in brackets 95 % intervals\n\n"
    return f"{head}{chr(10).join(lines)}\n\nTuned on other documents: {held}\nRecommended: {named}{kept}"


def as_json(trial: Trial) -> dict[str, Any]:
    """The same as one document."""

    def told(scores: Mapping[str, Sequence[float]]) -> dict[str, Any]:
        return {
            measure: {"mean": one.mean, "low": one.low, "high": one.high}
            for measure, one in _intervals(scores).items()
        }

    def by_lane(weights: Weights) -> dict[str, float]:
        return dict(zip(trial.lanes, weights, strict=True))

    return {
        "questions": len(trial.asked),
        "fusion": trial.config.fusion,
        "weights": [{"weights": by_lane(weights), **told(trial.scores(weights))} for weights in trial.grid],
        "configured": by_lane(trial.current),
        "held_out": told(trial.held_out),
        "recommended": by_lane(trial.recommended),
    }


if __name__ == "__main__":
    sys.exit(main())
