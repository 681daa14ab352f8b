"""
Compare ragvl's retrieval measures with trec_eval's (pytrec_eval): their bits on random runs, and the time they take.

    python benchmarks/scoring.py --check 5000
    python benchmarks/scoring.py --queries 1000 --results 1000

The runs have graded judgements with zeros and negatives, scores that are equal or differ by less than float32 can
hold, ids whose byte order is not their order as numbers, queries without results and queries that the run lacks.
Both sides start from the same Python dictionaries and end with one; trec_eval's time includes making its evaluator.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import time
from collections.abc import Callable, Mapping

import pytrec_eval
from tables import markdown, ratio, seconds

from ragvl.evals.metrics import score_run

MEASURES = {  # ragvl's name -> trec_eval's
    "ndcg@1": "ndcg_cut_1",
    "ndcg@5": "ndcg_cut_5",
    "ndcg@10": "ndcg_cut_10",
    "ndcg@100": "ndcg_cut_100",
    "recall@1": "recall_1",
    "recall@5": "recall_5",
    "recall@10": "recall_10",
    "recall@100": "recall_100",
    "p@1": "P_1",
    "p@5": "P_5",
    "p@10": "P_10",
    "success@1": "success_1",
    "success@5": "success_5",
    "map": "map",
    "map@10": "map_cut_10",
    "mrr": "recip_rank",
}
Relevance = dict[str, dict[str, int]]
Results = dict[str, dict[str, float]]


def random_case(chance: random.Random) -> tuple[Relevance, Results]:
    """Judgements and a run of a few queries, small enough for every kind of tie and gap to be common."""
    relevance: Relevance = {}
    run: Results = {}
    spelling = chance.choice(["{}", "d{}", "corpus-test-{}", "Ä{}é", "page {:04d}", "\U0001f4c4{}", "{:x}"])
    for number in range(chance.randint(1, 6)):
        query = f"query-{number}"
        size = chance.choice([1, 3, 12, 40, 150])
        pages = [spelling.format(page) for page in range(size)]
        grades = chance.choice([(1,), (0, 1), (1, 2), (-1, 0, 1, 2), (0, 1, 2, 3, 7), (-1, 0)])
        judged = chance.sample(pages, chance.randint(1, size))
        relevance[query] = {page: chance.choice(grades) for page in judged}
        relevance[query][spelling.format(size)] = chance.choice((0, 1))  # judged, never found
        score = chance.choice(_SCORES)
        found = chance.sample(pages, chance.randint(0, size))
        run[query] = {page: score(chance) for page in found}
        if chance.random() < 0.1:
            del run[query]
    run["not judged"] = {"1": 1.0}
    return relevance, run


def trec_eval(relevance: Relevance, run: Results) -> dict[str, dict[str, float]]:
    """What pytrec_eval makes of it."""
    return pytrec_eval.RelevanceEvaluator(relevance, set(MEASURES.values())).evaluate(run)


def differing_bits(relevance: Relevance, run: Results) -> tuple[int, int]:
    """Count values that were compared and the bits in which they differ; what trec_eval leaves out must be 0."""
    theirs = trec_eval(relevance, run)
    values = bits = 0
    for query, row in score_run(relevance, run, MEASURES).items():
        for ours, name in MEASURES.items():
            values += 1
            bits += (_bits(row[ours]) ^ _bits(theirs.get(query, {}).get(name, 0.0))).bit_count()
    return values, bits


def check(count: int) -> int:
    """Compare so many random runs, and return the number of differing bits."""
    chance = random.Random(0)
    values = bits = 0
    for _ in range(count):
        compared, differing = differing_bits(*random_case(chance))
        values, bits = values + compared, bits + differing
    print(
        f"{count:,} random runs, {values:,} values of {len(MEASURES)} measures: {bits} differing bits "
        f"(pytrec_eval {pytrec_eval.__version__})"
    )
    return bits


def time_both(queries: int, results: int, judged: int, repeats: int) -> str:
    """A table of the best of several repeats, the two sides taking turns."""
    rows = []
    for kind, score in (
        ("all different", _SCORES[0]),
        ("51 different", _SCORES[1]),
        ("all equal", _SCORES[3]),
    ):
        relevance, run = _large_case(queries, results, judged, score)
        sides: Mapping[str, Callable[[], object]] = {
            "ours": lambda relevance=relevance, run=run: score_run(relevance, run, MEASURES),
            "theirs": lambda relevance=relevance, run=run: trec_eval(relevance, run),
        }
        spent = {side: float("inf") for side in sides}
        for _ in range(repeats):
            for side, work in sides.items():
                started = time.perf_counter()
                work()
                spent[side] = min(spent[side], time.perf_counter() - started)
        rows.append(
            [kind, seconds(spent["ours"]), seconds(spent["theirs"]), ratio(spent["ours"], spent["theirs"])]
        )
    title = (
        f"{queries:,} queries x {results:,} results, {judged} judged pages a query, {len(MEASURES)} measures"
    )
    return markdown(title, ("scores", "ragvl", "pytrec_eval", "ragvl's share"), rows)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", type=int, metavar="RUNS", help="only compare the bits of so many runs")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--results", type=int, default=1000, help="results a query")
    parser.add_argument("--judged", type=int, default=20, help="judged pages a query")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if options.check is not None:
        return 1 if check(options.check) else 0
    print(time_both(options.queries, options.results, options.judged, options.repeats))
    return 0


def _large_case(
    queries: int, results: int, judged: int, score: Callable[[random.Random], float]
) -> tuple[Relevance, Results]:
    chance = random.Random(0)
    run = {
        f"query-{number}": {f"document-{page * 7919 % 10**6}": score(chance) for page in range(results)}
        for number in range(queries)
    }
    grades = (0, 1, 2)
    relevance = {
        query: {page: chance.choice(grades) for page in chance.sample(sorted(found), min(judged, results))}
        for query, found in run.items()
    }
    return relevance, run


def _bits(value: float) -> int:
    return int.from_bytes(struct.pack("<d", value), "little")


_SCORES: tuple[Callable[[random.Random], float], ...] = (
    lambda chance: chance.gauss(0, 1),
    lambda chance: chance.randint(-25, 25) / 25,
    lambda chance: 20 + chance.randint(-3, 3) * 1e-6,  # float32 holds steps of about 1.9e-6 there
    lambda _: 0.5,
    lambda chance: chance.choice([0.0, -0.0, 1e-46, 1e300, -1e300, float("inf"), -float("inf")]),
    lambda chance: chance.uniform(0, 1e-40),  # below the smallest normal float32
)

if __name__ == "__main__":
    sys.exit(main())
