"""From tokens to text, piece by piece."""

from __future__ import annotations

import random

import pytest

from ragvl.generator.nemotron.prompt.budget import ThinkingBudget
from ragvl.generator.nemotron.prompt.streaming import AnswerStream, TextStream
from ragvl.generator.nemotron.prompt.tokenizer import PromptTokenizer

_TEXT = "Sales rose 4 % – to 1,2 Mio. €, says 漢字報告 🙂👩‍🔬 é\u0301.\n\nEnd"


def _pieces(ids: list[int], seed: int) -> list[list[int]]:
    dice, pieces = random.Random(seed), []
    while ids:
        count = dice.randrange(1, 4)
        pieces.append(ids[:count])
        ids = ids[count:]
    return pieces


@pytest.mark.parametrize("seed", range(5))
def test_no_half_characters(tokenizer: PromptTokenizer, seed: int) -> None:
    """The stand-in spells these in bytes; every piece is whole, and together they are the text."""
    ids = tokenizer.encode(_TEXT)
    assert len(ids) > len(_TEXT)
    stream, shown = TextStream(tokenizer), ""
    for piece in _pieces(ids, seed):
        text = stream.feed(piece)
        assert "\ufffd" not in text
        shown += text
        assert _TEXT.startswith(shown)
    assert shown + stream.finish() == _TEXT


def test_a_character_that_is_never_completed(tokenizer: PromptTokenizer) -> None:
    """At the end it is left out; in the middle a replacement stands for it, as soon as the next one comes."""
    euro = tokenizer.encode("€")
    assert len(euro) == 3
    stream = TextStream(tokenizer)
    assert stream.feed([*tokenizer.encode("5 "), *euro[:2]]) == "5 "
    assert stream.finish() == ""
    stream = TextStream(tokenizer)
    assert stream.feed([*euro[:2], *tokenizer.encode("x")]) == "\ufffdx"
    assert stream.feed(euro) == "€"


def test_special_tokens_have_no_text(tokenizer: PromptTokenizer) -> None:
    """The stop, and pictures that a model dreams up."""
    markers = [tokenizer.marker(token) for token in ("<SPECIAL_12>", "<image>", "</s>")]
    stream = TextStream(tokenizer)
    ids = tokenizer.encode("yes")
    assert stream.feed([markers[1], *ids, *markers]) + stream.finish() == "yes"


def _streamed(tokenizer: PromptTokenizer, text: str, *, think: bool, cut: bool = False) -> tuple[str, str]:
    stream = AnswerStream(tokenizer, think=think)
    answer, thought = "", ""
    for number in tokenizer.encode_own(text):
        split = stream.feed([number])
        answer, thought = answer + split.answer, thought + split.thought
    split = stream.finish(cut=cut)
    return answer + split.answer, thought + split.thought


@pytest.mark.parametrize(
    ("written", "think", "cut", "answer"),
    [
        ("Hm, 4 < 5.\n</think>\n\nFour.", True, False, "Four."),
        ("Hm", True, True, ""),
        ("Hm", True, False, ""),
        ("Four.", False, False, "Four."),
        ("<think>Hm</think>Four.", False, False, "Four."),
        ("a < b and </b>", False, False, "a < b and </b>"),
        ("Hm</thi", True, True, ""),
    ],
)
def test_answer_and_thought(
    tokenizer: PromptTokenizer, written: str, think: bool, cut: bool, answer: str
) -> None:
    """The mark between them may come in pieces, and is never shown itself."""
    shown, thought = _streamed(tokenizer, written, think=think, cut=cut)
    assert shown == answer
    if think:
        assert thought.startswith("Hm")
        assert "</think>" not in thought


def test_a_thought_within_its_budget_is_left_alone(tokenizer: PromptTokenizer) -> None:
    """And what comes behind it is not counted."""
    budget = ThinkingBudget(tokenizer, 20)
    ids = tokenizer.encode("Hm.\n</think>\n\n")
    assert len(ids) < 20
    assert [budget.feed([number]) for number in ids] == [()] * len(ids)
    assert not budget.is_open
    assert budget.feed(tokenizer.encode("word " * 30)) == ()


def test_a_spent_budget_closes_the_thought(tokenizer: PromptTokenizer) -> None:
    """With the tokens of "\\n</think>\\n\\n", once, and the answer that follows is shown."""
    budget, stream = ThinkingBudget(tokenizer, 4), AnswerStream(tokenizer, think=True)
    shown = ""
    for count, number in enumerate(tokenizer.encode("xyzabcdef")[:4], start=1):
        closing = budget.feed([number])
        shown += stream.feed([number]).answer
        assert bool(closing) == (count == 4)
    assert tokenizer.decode(closing) == "\n</think>\n\n"
    shown += stream.feed(closing).answer
    assert budget.feed(closing) == ()
    assert budget.reserve == 4 + len(closing)
    assert shown + stream.feed(tokenizer.encode("Four.")).answer == "Four."


def test_grace_waits_for_the_end_of_a_line(tokenizer: PromptTokenizer) -> None:
    """Some tokens more, and not beyond them."""
    line, letters = tokenizer.encode("\n"), tokenizer.encode("xyzabcdef")
    budget = ThinkingBudget(tokenizer, 2, grace_tokens=5)
    assert budget.feed(letters[:3]) == ()
    assert budget.feed(line) == budget.closing
    budget = ThinkingBudget(tokenizer, 2, grace_tokens=5)
    assert budget.feed(letters[:6]) == ()
    assert budget.feed(letters[6:7]) == budget.closing
    assert ThinkingBudget(tokenizer, 0).feed(letters[:1]) != ()
    with pytest.raises(ValueError, match="-1"):
        ThinkingBudget(tokenizer, -1)
