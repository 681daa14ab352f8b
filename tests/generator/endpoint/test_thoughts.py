"""Thoughts are told from the answer, however the text is cut."""

from __future__ import annotations

import pytest

from ragvl.generator.endpoint.thoughts import ThoughtFilter


def _part(text: str, sizes: int, *, inside: bool, cut: bool = False) -> tuple[str, str, bool]:
    parting = ThoughtFilter(may_open_inside=inside)
    splits = [parting.feed(text[i : i + sizes]) for i in range(0, len(text), sizes)]
    splits.append(parting.finish(cut=cut))
    return "".join(s.answer for s in splits), "".join(s.thought for s in splits), parting.stray_close


@pytest.mark.parametrize("sizes", [1, 2, 3, 5, 8, 100])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    ("text", "answer", "thought"),
    [
        ("Forty tonnes.", "Forty tonnes.", ""),
        ("<think>40?</think>\n\nForty.", "Forty.", "40?"),
        ("\n<Think>\n40?\n</THINK>Forty.", "Forty.", "\n40?\n"),
        ("<think></think>Forty.", "Forty.", ""),
        ("Forty <think>or 41?</think>tonnes.", "Forty tonnes.", "or 41?"),
        ("<think>a</think>x<think>b", "x", "ab"),
        ("a < b, <thin, </th> and <thinker>", "a < b, <thin, </th> and <thinker>", ""),
        ("a <thin", "a <thin", ""),
        ("", "", ""),
    ],
)
def test_marked_thoughts(sizes: int, inside: bool, text: str, answer: str, thought: str) -> None:
    """What stands between the marks is no answer, and what only looks like a mark is."""
    assert _part(text, sizes, inside=inside) == (answer, thought, False)


@pytest.mark.parametrize("sizes", [1, 4, 100])
def test_a_thought_that_the_template_opened(sizes: int) -> None:
    """Where the model begins inside a thought, nothing of it is shown."""
    assert _part("40? yes\n</think>\n\nForty.", sizes, inside=True) == ("Forty.", "\n40? yes\n"[1:], False)


def test_what_is_cut_before_the_mark_is_a_thought() -> None:
    """A thought that reached the limit is no answer."""
    assert _part("Let me see", 3, inside=True, cut=True) == ("", "Let me see", False)


def test_an_answer_from_a_server_that_parts_them_itself() -> None:
    """Once a thought came in a field of its own, text is shown as it comes."""
    parting = ThoughtFilter(may_open_inside=True)
    assert parting.feed("For").answer == ""
    assert parting.is_answering().answer == "For"
    assert parting.feed("ty").answer == "ty"


def test_a_thought_that_ends_after_text_was_shown_is_reported() -> None:
    """It cannot be taken back; the caller must say so."""
    parting = ThoughtFilter(may_open_inside=False)
    assert parting.feed("40? yes").answer == "40? yes"
    parting.feed("</think>Forty.")
    assert parting.stray_close
