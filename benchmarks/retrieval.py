"""
Measure whether the pages that answer a question are found: nDCG@5 and recall@10, with 95 % paired-bootstrap intervals.

    python benchmarks/retrieval.py DATA_DIR --index FOLDER --peer PEER_PYTHON --peer-model FOLDER

The same questions are asked of all documents and of the question's own document, under ragvl's default settings (the
baseline of every difference), with lanes switched off, and with LlamaIndex where there is a peer.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arguments import PEERS, SIDES, data_parser, parse
from dev_set import Question, has_text_layer, read_questions
from machine import PEER_PACKAGES, RAGVL_PACKAGES, describe_machine
from measuring import Measured, run_side
from tables import markdown

from ragvl.evals.metrics import score_run
from ragvl.evals.statistics import mean_interval, paired_interval

BASELINE = "ragvl"
PEER = "LlamaIndex, hybrid"
SETTINGS: Mapping[str, Mapping[str, float]] = {
    BASELINE: {},
    "ragvl, without the document's score": {"document_weight": 0.0},
    "ragvl, words only": {"lexical_weight": 1.0, "text_weight": 0.0, "document_weight": 0.0},
    "ragvl, meaning only": {"lexical_weight": 0.0, "text_weight": 1.0, "document_weight": 0.0},
}
_K = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """One system's scores, one entry a question in each list."""

    ndcg_all: list[float]
    recall_all: list[float]
    ndcg_own: list[float]


def score(found: Sequence[Mapping[str, Any]], questions: Sequence[Question]) -> Scores:
    """Compare the pages found with the evidence."""
    relevance = {
        str(place): {_page_id(question.document, page): 1 for page in question.pages}
        for place, question in enumerate(questions)
    }
    everywhere, inside = (
        score_run(relevance, _run(found, scope), ("ndcg@5", "recall@10")).values() for scope in ("all", "own")
    )
    return Scores(
        [row["ndcg@5"] for row in everywhere],
        [row["recall@10"] for row in everywhere],
        [row["ndcg@5"] for row in inside],
    )


def totals(systems: Mapping[str, Scores]) -> str:
    """One row a system: means, and the difference to the baseline."""
    header = ("system", "nDCG@5", "recall@10", "nDCG@5 in the document", "difference in nDCG@5")
    baseline = systems[BASELINE]
    rows = []
    for name, scores in systems.items():
        difference = paired_interval(scores.ndcg_all, baseline.ndcg_all).signed if name != BASELINE else "-"
        means = (scores.ndcg_all, scores.recall_all, scores.ndcg_own)
        rows.append([name, *(str(mean_interval(values)) for values in means), difference])
    return markdown(f"Pages found, {len(baseline.ndcg_all)} questions, mean [95 %]", header, rows)


def by_group(systems: Mapping[str, Scores], groups: Mapping[str, Sequence[int]]) -> str:
    """One row a group of questions, one column a system: nDCG@5 over all documents."""
    rows = []
    for name, members in groups.items():
        of_group = {system: [scores.ndcg_all[i] for i in members] for system, scores in systems.items()}
        row = [f"{name} ({len(members)})", *(str(mean_interval(values)) for values in of_group.values())]
        if PEER in systems:
            row.append(paired_interval(of_group[BASELINE], of_group[PEER]).signed)
        rows.append(row)
    header = ["evidence (questions)", *systems, *([f"{BASELINE} - {PEER}"] if PEER in systems else [])]
    return markdown("nDCG@5 by kind of evidence, mean [95 %]", header, rows)


def group(questions: Sequence[Question], data: Path) -> dict[str, list[int]]:
    """Questions by kind of evidence, one under each of its kinds; then by whether the document needs no OCR."""
    groups: dict[str, list[int]] = {
        source: [] for source in sorted({name for question in questions for name in question.sources})
    }
    layers = {name: has_text_layer(data / "pdf" / name) for name in {q.document for q in questions}}
    kinds = {True: "documents with a text layer", False: "documents that need OCR"}
    groups |= {kind: [] for kind in kinds.values()}
    for place, question in enumerate(questions):
        for name in (*question.sources, kinds[layers[question.document]]):
            groups[name].append(place)
    return {name: members for name, members in groups.items() if members}


def ask_ragvl(
    data: Path, index: Path, questions: list[dict[str, str]]
) -> tuple[dict[str, Any], dict[str, Measured]]:
    """Index the documents where that is not done, and ask under all settings."""
    spent = {}
    if not (index / "ragvl.db").exists():
        job: dict[str, Any] = {"documents": str(data / "pdf"), "index": str(index), "overrides": {}}
        _, spent["ragvl, indexing"] = run_side(sys.executable, SIDES / "ragvl_index.py", job)
    job = {"index": str(index), "questions": questions, "settings": SETTINGS, "k": _K}
    found, spent["ragvl, all searches"] = run_side(sys.executable, SIDES / "ragvl_search.py", job)
    return found, spent


def main() -> None:
    """Run the command line."""
    parser = data_parser(__doc__)
    parser.add_argument(
        "--index", type=Path, help="ragvl's index; made when missing (default: a temporary one)"
    )
    parser.add_argument("--peer-cache", type=Path, help="file that keeps the peer's nodes and vectors")
    parser.add_argument("--questions", type=int, help="only the first so many")
    options = parse(parser)
    sides: dict[str, Any] = {"ragvl": (sys.executable, RAGVL_PACKAGES)}
    if options.peer:
        sides["peer"] = (options.peer, PEER_PACKAGES)
    print(describe_machine(**sides))
    questions = read_questions(options.data)[: options.questions]
    asked = [{"text": question.text, "document": question.document} for question in questions]
    with tempfile.TemporaryDirectory(prefix="ragvl-benchmark-") as scratch:
        found, spent = ask_ragvl(options.data, options.index or Path(scratch) / "index", asked)
    if options.peer:
        job = {
            "documents": str(options.data / "pdf"),
            "model": options.peer_model,
            "chunk_tokens": options.peer_chunk_tokens,
            "questions": asked,
            "cache": str(options.peer_cache or ""),
            "k": _K,
        }
        theirs, spent["LlamaIndex, everything"] = run_side(options.peer, PEERS / "llama_index_search.py", job)
        found |= {f"LlamaIndex, {name}": theirs[name] for name in ("hybrid", "vectors", "BM25")}
    systems = {name: score(entries, questions) for name, entries in found.items()}
    print(totals(systems))
    print(by_group(systems, group(questions, options.data)))
    rows = [
        [name, f"{measured.wall_s:.1f} s", f"{measured.cpu_s:.1f} s", measured.peak]
        for name, measured in spent.items()
    ]
    print(markdown("Processes", ("process", "wall time", "processor time", "peak memory"), rows))


def _run(found: Sequence[Mapping[str, Any]], scope: str) -> dict[str, dict[str, float]]:
    """The ranked pages of every question as a run."""
    return {
        str(place): {_page_id(name, page): -float(rank) for rank, (name, page) in enumerate(entry[scope])}
        for place, entry in enumerate(found)
    }


def _page_id(document: str, page: int) -> str:
    return f"{document}#{page}"


if __name__ == "__main__":
    main()
