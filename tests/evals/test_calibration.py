"""Refusal calibrated on somebody's own questions: the bound, the choice, the fit, and asking for real."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

import ragvl
from ragvl.config import EndpointConfig, GeneratorConfig
from ragvl.errors import GeneratorError, RagvlError
from ragvl.evals.binomial import at_most, chance_of_at_most, fewest_without_a_case
from ragvl.evals.calibration import calibrate
from ragvl.evals.calibration_words import what_it_takes
from ragvl.evals.datasets import load_set
from ragvl.evals.report import calibration_page
from ragvl.evals.support_examples import Examples, collect
from ragvl.evals.support_model import cross_fitted, fit, folds_of
from ragvl.evals.threshold import Promise, choose_threshold, least_error, questions_needed
from ragvl.generator.calibration import IndexCalibration, setting_of
from ragvl.generator.refusal import refuse_weak
from ragvl.generator.support import shipped_calibration
from ragvl.library import Library
from ragvl.testing import HashEncoder, write_documents
from ragvl.types import Answer, Context, TextDelta


@pytest.mark.parametrize(
    ("seen", "total", "bound"),
    [(0, 29, 0.0982), (1, 10, 0.3942), (0, 1, 0.95), (5, 100, 0.1023), (10, 10, 1.0)],
)
def test_the_bound_is_that_of_clopper_and_pearson(seen: int, total: int, bound: float) -> None:
    """Values of the usual tables, one-sided, at 95 %."""
    assert at_most(seen, total, 0.95) == pytest.approx(bound, abs=1e-4)


def test_the_bound_is_where_what_was_seen_becomes_unlikely() -> None:
    """At the bound, so few cases have just the chance that is allowed."""
    assert chance_of_at_most(7, 90, at_most(7, 90, 0.9)) == pytest.approx(0.1, abs=1e-6)
    assert at_most(0, fewest_without_a_case(0.1, 0.95), 0.95) <= 0.1 < at_most(0, 28, 0.95)


def test_counts_that_cannot_be_are_refused() -> None:
    """More cases than trials, or certainty."""
    with pytest.raises(ValueError, match="no bound for 3 of 2"):
        at_most(3, 2, 0.95)
    with pytest.raises(ValueError, match="error must lie between 0 and 1"):
        Promise(0.0)


def test_a_promise_is_broken_no_more_often_than_it_says() -> None:
    """Of many sets where the share of wrong answers is known, the threshold chosen keeps it in 95 of 100 and more."""
    chance = np.random.default_rng(7)
    sets, broken, made = 400, 0, 0
    for _ in range(sets):
        support = chance.random(150)
        wrongness = np.where(support > 0.5, 0.16, 0.5)
        right = (chance.random(150) >= wrongness).astype(float)
        chosen = choose_threshold(support, right, 150, Promise(0.15, 0.95))
        made += chosen is not None
        broken += chosen is not None  # 0.16 is the least there is: every promise of 0.15 is false
    assert made > 0
    assert broken / sets <= 0.05


def test_a_threshold_answers_as_much_as_it_may() -> None:
    """Where right and wrong part, the threshold lies between them, or lets in as many wrong ones as allowed."""
    support = np.linspace(0, 1, 400)
    right = (support > 0.5).astype(float)
    chosen = choose_threshold(support, right, 400, Promise(0.1))
    assert chosen is not None
    assert 0.4 < chosen.refuse_below <= 0.5
    assert chosen.wrong_share < chosen.wrong_at_most <= 0.1
    strict = choose_threshold(support, right, 400, Promise(0.02))
    assert strict is not None
    assert strict.answered < chosen.answered


def test_few_questions_promise_nothing_and_say_what_it_takes() -> None:
    """Ten right answers do not show that nine in ten are right."""
    support, right = np.linspace(0.5, 1, 10), np.ones(10)
    assert choose_threshold(support, right, 10, Promise(0.1)) is None
    least = least_error(support, right, 10, 0.95)
    assert least is not None
    assert 0.2 < least < 0.5
    needed = questions_needed(support, right, 10, Promise(0.1))
    assert needed is not None
    assert 29 <= needed <= 40


def test_nothing_can_be_promised_of_answers_that_are_all_wrong() -> None:
    """Neither an error nor a number of questions would do."""
    support, right = np.linspace(0, 1, 200), np.zeros(200)
    assert questions_needed(support, right, 200, Promise(0.1)) is None
    assert least_error(support, right, 200, 0.95) is None
    told = what_it_takes(calibrate(_examples(support, right), Promise(0.1)))
    assert told.endswith("many more questions would hardly do.")


def test_equal_supports_stay_together() -> None:
    """A threshold cannot part questions of the same support, though the right ones come first."""
    support, right = np.full(100, 0.7), np.repeat([1.0, 0.0], 50)
    assert choose_threshold(support, right, 100, Promise(0.1)) is None


def _examples(
    support: np.ndarray, right: np.ndarray, names: tuple[str, ...] = (), documents: int = 10
) -> Examples:
    table = np.column_stack([support] * len(names)) if names else np.empty((len(support), 0))
    about = np.array([f"d{place % documents}" for place in range(len(support))])
    return Examples(names, table, support, right, right > 0, about)


def test_the_model_is_fitted_where_there_are_enough_questions() -> None:
    """From 100 on, and what was fitted is kept; below, or where all is right, the shipped model stays."""
    chance = np.random.default_rng(0)
    support = chance.random(240)
    right = (chance.random(240) < support).astype(float)
    fitted = calibrate(_examples(support, right, ("meaning",)), Promise(0.3))
    assert fitted.refitted
    assert fitted.weights["meaning"] > 0
    few = calibrate(_examples(support[:99], right[:99], ("meaning",)), Promise(0.3))
    assert (few.refitted, few.weights) == (False, {})
    assert "99 questions are too few" in few.why
    assert not calibrate(_examples(support, np.ones(240), ("meaning",)), Promise(0.3)).refitted
    assert not calibrate(_examples(support, right, ("meaning",), documents=1), Promise(0.3)).refitted
    assert "no support model" in calibrate(_examples(support, right), Promise(0.3)).why


def test_a_question_is_judged_without_those_about_its_document() -> None:
    """What is right of one document changes the support of the others' questions, and not of its own."""
    chance = np.random.default_rng(1)
    table, right = chance.random((60, 2)), (chance.random(60) < 0.5).astype(float)
    documents = [f"d{place % 6}" for place in range(60)]
    folds = folds_of(documents)
    before = cross_fitted(table, right, folds)
    mine = np.array(documents) == "d2"
    after = cross_fitted(table, np.where(mine, 1 - right, right), folds)
    assert np.array_equal(before[mine], after[mine])
    assert not np.allclose(before[~mine], after[~mine])


def test_the_fit_finds_the_weights_that_made_the_data() -> None:
    """On much data, up to the ridge."""
    chance = np.random.default_rng(2)
    table = chance.normal(size=(20_000, 2))
    right = (chance.random(20_000) < 1 / (1 + np.exp(-(table @ [2.0, -1.0] + 0.5)))).astype(float)
    weights, intercept = fit(table, right)
    assert [*weights, intercept] == pytest.approx([2.0, -1.0, 0.5], abs=0.1)


def test_the_choice_is_tried_out_on_other_documents() -> None:
    """The part left out is answered by a threshold that was chosen without it."""
    support = np.linspace(0, 1, 300)
    tried = calibrate(_examples(support, (support > 0.4).astype(float)), Promise(0.1)).try_out
    assert tried is not None
    assert 100 < tried.answered < 300
    assert tried.wrong / tried.answered < tried.wrong_at_most < 0.15


def test_questions_refused_anyway_count_as_not_answered() -> None:
    """They lower the share that is answered, not the share that is wrong."""
    support = np.linspace(0.5, 1, 60)
    chosen = choose_threshold(support, np.ones(60), 120, Promise(0.1))
    assert chosen is not None
    assert chosen.answered_share == 0.5


def test_the_page_loads_nothing_and_names_the_choice() -> None:
    """One file, light and dark, without a script; what the questions are called is escaped."""
    support = np.linspace(0, 1, 300)
    calibrated = calibrate(_examples(support, (support > 0.4).astype(float)), Promise(0.1))
    page = calibration_page("<b>mine</b>", "what came of it", calibrated)
    assert "&lt;b&gt;mine&lt;/b&gt;" in page
    assert "<script" not in page
    assert "prefers-color-scheme" in page
    assert "(chosen)" in page
    assert calibration_page("empty", "nothing", calibrate(_examples(support[:3], np.zeros(3)), Promise(0.1)))


# --- asking for real ----------------------------------------------------------------------------

_SUBJECTS = ("harbour", "lighthouse", "crane", "dredger", "ferry", "warehouse")


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """A set of one's own: a document a subject, a question each, one unanswerable, one draft, one that says nothing."""
    folder = tmp_path / "mine"
    write_documents(
        folder / "documents",
        {f"{one}.txt": f"The {one} opened in 19{n}0.\n" for n, one in enumerate(_SUBJECTS)},
    )
    rows: list[dict[str, object]] = [
        {"question": f"When was the {one} opened?", "document": f"{one}.txt", "pages": [1]}
        for one in _SUBJECTS
    ]
    rows += [
        {"question": "When was the harbour painted?", "answerable": False},
        {"question": "When was the crane opened?", "document": "crane.txt", "pages": [1], "draft": True},
        {"question": "What is the ferry like?", "answer": "slow"},
    ]
    (folder / "questions.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return folder


@pytest.fixture
def library(questions: Path) -> Iterator[Library]:
    """An index of the set's documents."""
    overrides = {"reading": {"workers": 1}}
    with ragvl.open(questions.parent / ".ragvl", overrides=overrides, encoder=HashEncoder()) as library:
        library.index(questions / "documents")
        yield library


def test_questions_are_asked_of_the_index(questions: Path, library: Library) -> None:
    """Unanswerable ones count as wrong whatever is cited; drafts and those that name no page are left out."""
    told: list[tuple[int, int]] = []
    examples = collect(library, load_set(questions), lambda done, total: told.append((done, total)))
    assert examples.asked == 7
    assert examples.left_out == 1
    assert examples.right.tolist() == [1.0] * 6 + [0.0]
    assert examples.answerable.tolist() == [True] * 6 + [False]
    assert min(examples.documents.tolist()) == "crane.txt"
    assert examples.documents[-1].startswith("question ")
    assert told[-1] == (7, 7)


def test_an_index_that_lacks_documents_is_refused(questions: Path, library: Library) -> None:
    """Else its questions would count as answered wrongly."""
    write_documents(questions / "documents", {"new.txt": "not indexed"})
    with pytest.raises(RagvlError, match=r"lacks 1 of 7 documents.*new\.txt"):
        collect(library, load_set(questions))


class _Writing:
    """Writes one sentence, as sure as it is told to be; stands in for a model."""

    name = "endpoint"

    def __init__(self, support: float) -> None:
        self._support = support

    def stream(
        self, context: Context, question: str, options: Mapping[str, object]
    ) -> Iterator[TextDelta | Answer]:
        if options:
            raise ValueError(f"unknown option {min(options)!r}")
        if "ferry" in question:
            raise GeneratorError("the server does not answer")
        yield TextDelta("It was ")
        yield TextDelta("long ago.")
        yield Answer(question, "It was long ago.", (), False, self._support, ())


def test_any_generator_is_refused_under_the_threshold(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a model wrote with too little support is never shown: not in the answer, and not while it streams."""
    monkeypatch.setattr(Library, "generator", lambda self: _Writing(0.4))
    question = "When was the crane opened?"
    assert library.ask(question).text == "It was long ago."
    answer = library.ask(question, refuse_below=0.5)
    assert (answer.refused, answer.citations, answer.support) == (True, (), 0.4)
    assert "crane.txt, page 1" in answer.text
    streamed = [
        one.text for one in library.ask_stream(question, refuse_below=0.5) if isinstance(one, TextDelta)
    ]
    assert streamed == [answer.text]
    assert not library.ask(question, refuse_below=0.4).refused
    with pytest.raises(ValueError, match="refuse_below must be a number from 0 to 1"):
        library.ask(question, refuse_below=2)


def test_failures_of_a_generator_are_counted(
    questions: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that failed does not count; an answer without a citation is wrong."""
    monkeypatch.setattr(Library, "generator", lambda self: _Writing(0.4))
    examples = collect(library, load_set(questions))
    assert (examples.asked, examples.failed) == (6, 1)
    assert examples.right.sum() == 0
    assert examples.names == ()


def test_text_passes_at_once_where_nothing_is_refused() -> None:
    """Without a threshold the first piece comes before the second is written."""
    events = refuse_weak(_Writing(0.1).stream(Context((), ()), "x", {}), None, ())
    assert next(events) == TextDelta("It was ")


def _kept(**weights: float) -> IndexCalibration:
    return IndexCalibration(0.7, "mine", "r", 100, 50, 2, 0.1, 0.09, 0.95, "2026-01-01", weights, 0.1)


def test_a_calibration_is_read_back_as_it_was_kept(library: Library) -> None:
    """With its model, which the generator then uses; each served model has a calibration of its own."""
    kept = _kept(**dict.fromkeys(shipped_calibration().weights, 0.0))
    library.keep_calibration(kept)
    assert library.calibration() == kept
    answer = library.ask("When was the crane opened?")
    assert answer.support == pytest.approx(1 / (1 + np.exp(-0.1)))  # only the intercept is left
    assert answer.refused
    served = EndpointConfig(model="m")
    assert setting_of(GeneratorConfig(name="endpoint", endpoint=served)) == "calibration.endpoint.m"


def test_a_calibration_of_other_features_is_not_used(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    """It was made by another ragvl, and its threshold means nothing to this one."""
    library.keep_calibration(_kept(moonlight=1.0))
    assert library.calibration() is None
    assert "Run `ragvl calibrate` again" in caplog.text
