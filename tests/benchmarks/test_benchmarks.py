"""The parts of the benchmarks that numbers depend on: questions, growth, scores, memory of process trees."""

from __future__ import annotations

import importlib
import json
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
GRANDCHILD = "import time\nheld = b'x' * (80 << 20)\nwhile time.process_time() < 0.6: pass"
LARGE_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GRANDCHILD!r}])"


def load(name: str) -> ModuleType:
    """Import a neighbour of the scripts, which find each other because Python adds a script's folder."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize(
    "script",
    [
        "cold_start",
        "indexing",
        "latency",
        "maxsim_cascade",
        "maxsim_million",
        "maxsim_peers",
        "nemotron_cpu",
        "page_encoder",
        "retrieval",
        "scoring",
        "ssm_cpu",
        "unchanged",
    ],
)
def test_scripts_import_without_data_or_peer(script: str) -> None:
    """Every script can be imported where there is neither a data set nor LlamaIndex."""
    assert callable(load(script).main)


def test_questions_leave_out_pages_that_do_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page 0, pages beyond the end and questions without an answer are dropped."""
    dev_set = load("dev_set")
    rows = [("kept", "Str", [0, 2, 9]), ("unanswerable", "None", [1]), ("only beyond", "Int", [9])]
    lines = [
        json.dumps(
            {
                "document": "a.pdf",
                "question": text,
                "answer_format": answer_format,
                "evidence_pages": pages,
                "evidence_sources": ["Generalized-text (Layout)", "Pure-text (Plain-text)"],
            }
        )
        for text, answer_format, pages in rows
    ]
    (tmp_path / "questions.jsonl").write_text("\n".join(lines), "utf-8")
    monkeypatch.setattr(dev_set, "page_counts", lambda data: {"a.pdf": 3})
    [question] = dev_set.read_questions(tmp_path)
    assert (question.text, question.pages) == ("kept", {2})
    assert question.sources == ("Layout", "Pure-text")
    assert dev_set.warm_up_questions(tmp_path) == ["unanswerable"]


def test_respelt_text_keeps_every_word_in_its_place() -> None:
    """A copy differs from the original, but words start and end where they did, and come out the same each time."""
    text = "Revenue grew by 12.5 per cent in 2018,\nand costs fell.\n\n" * 20
    respeller = load("spelling").Respeller([text, "Uncommon zymurgy 77"])
    copy = respeller.respell(text, 1, 7)
    assert copy != text
    assert [char.isspace() for char in copy] == [char.isspace() for char in text]
    assert respeller.respell(text, 1, 7) == copy
    assert respeller.respell("zymurgy", 1, 1) != "" and respeller.respell("", 1, 1) == ""


def test_ranked_pages_are_scored_against_the_evidence() -> None:
    """The evidence on page 2 is second of all pages found and first of its own document's; page 4 is missing."""
    retrieval, question = load("retrieval"), load("dev_set").Question("q", "a.pdf", {2, 4}, ())
    scores = retrieval.score(
        [{"all": [["b.pdf", 2], ["a.pdf", 2]], "own": [["a.pdf", 2], ["a.pdf", 1]]}], [question]
    )
    best = 1 + 1 / math.log2(3)
    assert scores.ndcg_all == pytest.approx([1 / math.log2(3) / best])
    assert scores.ndcg_own == pytest.approx([1 / best])
    assert scores.recall_all == [0.5]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="memory is read from /proc")
def test_measuring_counts_what_the_process_started() -> None:
    """80 MiB and 0.6 s in a child of the measured process are seen."""
    measured = load("measuring").run_measured([sys.executable, "-c", LARGE_CHILD])
    assert measured.peak_bytes > 80 << 20
    assert measured.wall_s > 0.6
    assert measured.cpu_s > 0.6


def test_percentile_is_a_measured_value() -> None:
    """The percentile is one of the values, never between two."""
    percentile = load("measuring").percentile
    values = [float(value) for value in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.95), percentile(values, 1.0)) == (50, 95, 100)
