"""Choosing lane weights on questions whose right pages are known."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import ragvl
from ragvl.config import RetrievalConfig
from ragvl.evals.types import EvalQuery
from ragvl.protocols import ScoredPage
from ragvl.retrievers.evidence import Evidence, PagePlace
from ragvl.retrievers.fusion import LaneResult
from ragvl.testing import write_documents

SCRIPTS = str(Path(__file__).parents[2] / "scripts")
sys.path.insert(0, SCRIPTS)
try:
    script = importlib.import_module("choose_weights")
finally:
    sys.path.remove(SCRIPTS)

RIGHT, WRONG = 1, 2
SUBJECTS = ("harbour", "lighthouse", "crane", "ferry")


def _asked(number: int, **lanes: int) -> Any:
    """A question about a document of its own; each lane puts the page it is given first."""
    results = tuple(
        LaneResult(name, 0.0, [ScoredPage(first, 1.0), ScoredPage(WRONG + RIGHT - first, 0.4)])
        for name, first in lanes.items()
    )
    places = {RIGHT: PagePlace(1, b"b", 1, ""), WRONG: PagePlace(2, b"a", 1, "")}
    evidence = Evidence(results, places, {}, (), frozenset())
    query = EvalQuery(f"q{number}", "?")
    return script.Asked(query, f"d{number}", {"right": 1}, evidence, {RIGHT: ["right"], WRONG: ["wrong"]})


def _trial(*asked: Any, **settings: Any) -> Any:
    return script.Trial(asked, RetrievalConfig(document_weight=0.0, **settings), 0.25)


def test_a_grid_holds_every_way_to_share() -> None:
    """In whole steps, which sum to 1."""
    grid = script.simplex(3, 0.25)
    assert len(grid) == len(set(grid)) == 15
    assert all(sum(weights) == 1 for weights in grid)
    assert script.simplex(2, 0.5) == [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)]


def test_the_lane_that_is_right_is_recommended() -> None:
    """With a round weight, and without leaving the other lane out for it."""
    trial = _trial(
        *(_asked(n, lexical=WRONG, text=RIGHT) for n in range(30)), lexical_weight=0.9, text_weight=0.1
    )
    assert trial.recommended == (0.25, 0.75)
    assert trial.scores((0.0, 1.0))["ndcg@5"] == [1.0] * 30
    assert max(trial.scores((1.0, 0.0))["ndcg@5"]) < 1.0


def test_inside_the_noise_what_is_configured_stays() -> None:
    """Where all weights are as good, there is no reason to change them."""
    trial = _trial(
        *(_asked(n, lexical=RIGHT, text=RIGHT) for n in range(9)), lexical_weight=0.35, text_weight=0.65
    )
    assert trial.current == (0.35, 0.65)
    assert trial.recommended == (0.35, 0.65)


def test_held_out_figures_are_of_weights_chosen_without_the_question() -> None:
    """A document that is like no other is counted with the weights that suit the others."""
    trial = _trial(
        *(_asked(n, lexical=WRONG, text=RIGHT) for n in range(9)), _asked(9, lexical=RIGHT, text=WRONG)
    )
    held = trial.held_out["ndcg@5"]
    assert held[:9] == [1.0] * 9
    assert held[9] < 1.0
    assert trial.scores((1.0, 0.0))["ndcg@5"][9] == 1.0


def test_several_lanes_are_weighed() -> None:
    """The image lane as any other, where evidence has one."""
    trial = _trial(*(_asked(n, lexical=WRONG, text=WRONG, image=RIGHT) for n in range(9)))
    assert trial.lanes == ("lexical", "text", "image")
    assert trial.current == (0.25, 0.25, 0.5)
    chosen = dict(zip(trial.lanes, trial.recommended, strict=True))
    assert chosen["image"] >= 0.5


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of four questions with its index beside it."""
    folder = tmp_path_factory.mktemp("made")
    texts = {f"{one}.txt": f"The {one} opened in 19{n}0.\n" for n, one in enumerate(SUBJECTS)}
    write_documents(folder / "mine" / "documents", texts)
    rows = [
        {"question": f"When was the {one} opened?", "document": f"{one}.txt", "pages": [1]}
        for one in SUBJECTS
    ]
    (folder / "mine" / "questions.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    with ragvl.open(folder / ".ragvl", overrides={"reading": {"workers": 1}}) as library:
        library.index(folder / "mine" / "documents")
    return folder


def test_an_index_and_its_questions_make_a_table(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One row a choice of weights, and what follows from them."""
    assert script.main([str(made / ".ragvl"), str(made / "mine"), "--step", "0.5"]) == 0
    out = capsys.readouterr().out
    assert "4 questions, fusion convex" in out
    assert "| 0.5 | 0.5 | 1.000 [1.000, 1.000] | 1.000 [1.000, 1.000] **(configured)** |" in out
    assert out.endswith("Recommended: lexical_weight 0.5, text_weight 0.5 (as configured)\n")


def test_the_table_as_one_document(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs, with the fusion that was asked for."""
    script.main([str(made / ".ragvl"), str(made / "mine"), "--json", "--fusion", "ranks"])
    told = json.loads(capsys.readouterr().out)
    assert (told["questions"], told["fusion"]) == (4, "ranks")
    assert told["configured"] == told["recommended"] == {"lexical": 0.5, "text": 0.5}
    assert {"weights", "ndcg@5", "recall@10"} == told["weights"][0].keys()


def test_questions_of_other_documents_are_told(made: Path, tmp_path: Path) -> None:
    """An index that lacks the documents is no place to choose weights in."""
    write_documents(tmp_path / "documents", {"other.txt": "Something else."})
    row = {"question": "What?", "document": "other.txt", "pages": [1]}
    (tmp_path / "questions.jsonl").write_text(json.dumps(row), "utf-8")
    with pytest.raises(SystemExit, match=r"other\.txt"):
        script.main([str(made / ".ragvl"), str(tmp_path)])
