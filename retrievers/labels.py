"""Labels that pages go by in one request: random, so that no document can name one beforehand."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

LETTERS = "bcdfghjkmnpqrstvwxz"  # no vowels: labels spell no words; none that looks like a digit
DIGITS = "23456789"
LABEL = re.compile(rf"[{LETTERS}][{DIGITS}][{LETTERS}][{DIGITS}]")


def make_labels(count: int, texts: Iterable[str]) -> tuple[str, ...]:
    """
    Draw labels, each of two letters and two digits in turn, such as "k7f2".

    Args:
        count: at most 1,000.
        texts: what the model will be shown; no label occurs in any of them.

    Raises:
        ValueError: too many are asked for.
    """
    if count > 1000:
        raise ValueError(f"at most 1,000 pages can be labelled, not {count}")
    shown = [text.lower() for text in texts]
    taken = {found for text in shown for found in re.findall(rf"(?=({LABEL.pattern}))", text)}
    labels: dict[str, None] = {}
    while len(labels) < count:
        label = "".join(secrets.choice(chars) for chars in (LETTERS, DIGITS, LETTERS, DIGITS))
        if label not in taken:
            labels[label] = None
    return tuple(labels)
