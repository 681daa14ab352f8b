"""
Measure what the three tiers lose: overlap of their ten best pages with those of float32 MaxSim over all vectors.

    python benchmarks/maxsim_cascade.py DATA_DIR --index INDEX --model PEER_MODEL --cache CACHE

Pages are made of real token states, see multivector/pages.py.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from machine import describe_machine
from measuring import percentile
from multivector.arguments import collection, states_parser
from multivector.building import Shelf
from multivector.pages import Vectors
from numpy.typing import NDArray
from tables import markdown, seconds

from ragvl.config import TierConfig
from ragvl.indexers.multivector.ranking import best
from ragvl.indexers.multivector.segment import MultiVectorSegment
from ragvl.indexers.multivector.table import MultiVectorTable

PACKAGES = ("ragvl", "numpy", "numba", "scipy")
K = 10
# coarse vectors, fine vectors, and candidates that the two tiers leave
SETTINGS = (
    (16, 64, 2000, 200),
    (16, 64, 1000, 100),
    (16, 64, 500, 50),
    (32, 64, 2000, 200),
    (8, 64, 2000, 200),
    (16, 32, 2000, 200),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Shares of the exact ten best that each tier left and that came out, and the median time of a search."""

    coarse: float
    fine: float
    found: float
    search_s: float


def measure(
    table_of: MultiVectorSegment, tiers: TierConfig, questions: Sequence[Vectors], wanted: NDArray[np.int64]
) -> Outcome:
    """Ask all questions; `wanted` (questions, K) are the ids of the exact best."""
    shares, times = [], []
    table = MultiVectorTable([table_of], tiers)
    # All that a tier leaves comes out when the tiers behind it keep as many.
    after_fine = MultiVectorTable([table_of], tiers)
    after_coarse = MultiVectorTable(
        [table_of], tiers.model_copy(update={"fine_candidates": tiers.coarse_candidates})
    )
    for query, exact in zip(questions, wanted, strict=True):
        started = time.perf_counter()
        found = [page.page_id for page in table.search(query, K)]
        times.append(time.perf_counter() - started)
        fine = [page.page_id for page in after_fine.search(query, tiers.fine_candidates)]
        coarse = [page.page_id for page in after_coarse.search(query, tiers.coarse_candidates)]
        shares.append([np.isin(exact, some).mean() for some in (coarse, fine, found)])
    means = np.mean(shares, axis=0).tolist()
    return Outcome(*means, percentile(times, 0.5))


def hot_bytes(segment: MultiVectorSegment) -> tuple[float, float]:
    """Bytes a page of tier 1 with all tables, as held in memory, and of tiers 1 and 2."""
    foot = segment.foot
    memory = (foot.nbytes + foot.owners.nbytes) / len(segment)  # a table has the owners once more
    fine = float(foot.counts[:, 0].mean()) * (foot.dimension + 2)
    return memory, memory + fine


def main() -> None:
    """Run the command line."""
    parser = states_parser(__doc__, pages=20_000)
    parser.add_argument("--most", type=int, help="only the first so many settings")
    options = parser.parse_args()
    print(describe_machine(ragvl=(sys.executable, PACKAGES)))
    made = collection(options)
    shelf = Shelf(made, options.pages, options.cache / "pages")
    questions = made.questions()[: options.questions]
    first = TierConfig(coarse_vectors=SETTINGS[0][0], fine_vectors=SETTINGS[0][1])
    exact = shelf.exact_scores(first)[: len(questions)]
    ids = np.arange(1, options.pages + 1)
    wanted = np.array([ids[best(scores, ids, K)] for scores in exact])
    rows = []
    for coarse, fine, left_by_coarse, left_by_fine in SETTINGS[: options.most]:
        tiers = TierConfig(
            coarse_vectors=coarse,
            fine_vectors=fine,
            coarse_candidates=left_by_coarse,
            fine_candidates=left_by_fine,
        )
        segment = shelf.segment(tiers)
        outcome = measure(segment, tiers, questions, wanted)
        memory, hot = hot_bytes(segment)
        shares = [f"{share:.4f}" for share in (outcome.coarse, outcome.fine, outcome.found)]
        bits = segment.foot.coarse_shape[1] * 64
        rows.append(
            [
                f"{coarse} x {bits} bits, {fine} x {segment.foot.dimension} bytes",
                f"{left_by_coarse:,}, {left_by_fine:,}",
                *shares,
                f"{memory:.0f}",
                f"{hot:,.0f}",
                seconds(outcome.search_s),
            ]
        )
    tokens = float(segment.foot.counts[:, 1].mean())
    title = f"Share of the exact ten best, {options.pages:,} pages of {tokens:.0f} vectors, {len(questions)} questions"
    header = (
        "tiers 1 and 2",
        "candidates left",
        "after tier 1",
        "after tier 2",
        "in the ten found",
        "bytes a page, tier 1",
        "tiers 1 and 2",
        "search, p50",
    )
    print(markdown(title, header, rows))


if __name__ == "__main__":
    main()
