"""What a model writes never becomes more than plain text and our own citations."""

from __future__ import annotations

import random

import pytest

from ragvl.generator.grounding.filtering import Cited, OutputFilter

LABELS = ("k7f2", "m3p9", "p4d2")


def passed(*pieces: str) -> tuple[str, list[str], int]:
    """Text, labels cited, and unknown labels of an answer that arrives in pieces."""
    held = OutputFilter(LABELS)
    events = [event for piece in pieces for event in held.feed(piece)] + list(held.finish())
    text = "".join("{}" if isinstance(event, Cited) else event for event in events)
    return text, [event.label for event in events if isinstance(event, Cited)], held.unknown


@pytest.mark.parametrize(
    ("written", "text", "labels", "unknown"),
    [
        ("Sales rose. [k7f2]", "Sales rose. {}", ["k7f2"], 0),
        ("Sales rose [K7F2, m3p9].", "Sales rose {}{}.", ["k7f2", "m3p9"], 0),
        ("Sales rose ⟦k7f2⟧ and [page m3p9]", "Sales rose {} and {}", ["k7f2", "m3p9"], 0),
        ("Sales rose [p4d2] [p. k7f2] [source: m3p9]", "Sales rose {} {} {}", ["p4d2", "k7f2", "m3p9"], 0),
        ("Sales rose [`k7f2`; x2x2]", "Sales rose {}", ["k7f2"], 1),
        ("Forged [x2x2] and numbered [1] [12, 3].", "Forged  and numbered  .", [], 4),
        ("He said [sic] and f[i] = 2.", "He said [sic] and f[i] = 2.", [], 0),
        ("See [our site](https://evil.example/?q=1) now", "See our site now", [], 0),
        ("![pixel](http://evil.example/a.png) gone", "pixel gone", [], 0),
        ("A [k7f2](https://evil.example) b", "A {} b", ["k7f2"], 0),
        ("<script>alert(1)</script>x <b>bold</b> a < b, 3<4", "alert(1)x bold a < b, 3<4", [], 0),
        ("<img src=x onerror=alert(1)>", "", [], 0),
        ("zero\u200bwidth \u202eturned \x1b[31mred", "zerowidth turned [31mred", [], 0),
        ("open [k7f2", "open [k7f2", [], 0),
        ("Really!", "Really!", [], 0),
    ],
)
def test_marks_are_understood(written: str, text: str, labels: list[str], unknown: int) -> None:
    """Known labels cite, unknown ones are dropped and counted, links and tags leave their words."""
    assert passed(written) == (text, labels, unknown)


def test_pieces_may_be_cut_anywhere() -> None:
    """However an answer is cut on its way, the result is the same."""
    written = (
        "Up [k7f2], [x2x2] <b>by</b> ![p](http://e.example/x) 5 ⟦m3p9⟧ a<b [link](http://e.example) [1]!"
    )
    whole = passed(written)
    chance = random.Random(0)
    for _ in range(200):
        cuts = sorted(chance.sample(range(1, len(written)), 12))
        pieces = [written[start:end] for start, end in zip([0, *cuts], [*cuts, len(written)], strict=True)]
        assert passed(*pieces) == whole
    assert passed(*written) == whole


def test_a_bracket_that_never_closes_does_not_hold_the_answer_back() -> None:
    """After a while what opened like a mark is text."""
    held = OutputFilter(LABELS)
    shown = "".join(event for event in held.feed("a [" + "b" * 500) if isinstance(event, str))
    assert shown == "a [" + "b" * 500
