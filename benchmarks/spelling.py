"""Write a page anew so that a copy is not a duplicate: other words in the same places, of the same length."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

__all__ = ["Respeller"]

_WORD = re.compile(r"\S+")
_REPLACED = 0.3  # share of words that another word takes the place of
_RARE = 3  # words that stand so often at most in the whole set ...
_RESPELLED = 0.5  # ... are spelt anew in this share of the copies
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"


class Respeller:
    """
    Draws words as often as the documents use them, so that common terms stay as common as they are.

    Rare words, which in a larger library would be other words, get a new spelling in half of the copies, the same within
    one copy: the vocabulary grows with the library, though slower than a real one's.
    """

    def __init__(self, texts: Iterable[str], seed: int = 0) -> None:
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_WORD.findall(text))
        self._rare = frozenset(word for word, count in counts.items() if count <= _RARE)
        by_length: defaultdict[int, list[str]] = defaultdict(list)
        for word, count in counts.items():
            by_length[len(word)] += [word] * count
        self._by_length = {length: np.array(words, dtype=object) for length, words in by_length.items()}
        self._seed = seed

    def respell(self, text: str, copy: int, page: int) -> str:
        """
        Return a text of the same length with its words in the same places.

        Args:
            copy: which copy of the set, from 1.
            page: which page, so that the same page is written the same way each time.
        """
        chance = np.random.default_rng((self._seed, copy, page))
        spelling = self._spelling(copy)

        def rewrite(match: re.Match[str]) -> str:
            word = match.group()
            if next(draws) < _REPLACED:
                same_length = self._by_length[len(word)]
                word = same_length[int(next(draws) * len(same_length))]
            if word in self._rare and _is_respelled(word, copy):
                word = word.translate(spelling)
            return word

        draws = iter(chance.random(len(text) + 2).tolist())
        return _WORD.sub(rewrite, text)

    def _spelling(self, copy: int) -> dict[int, str]:
        chance = random.Random(f"{self._seed} {copy}")
        spelling = {}
        for alphabet in (_LETTERS, _LETTERS.upper(), _DIGITS):
            shuffled = chance.sample(alphabet, len(alphabet))
            spelling |= {ord(old): new for old, new in zip(alphabet, shuffled, strict=True)}
        return spelling


def _is_respelled(word: str, copy: int) -> bool:
    # Not hash(): that differs from process to process.
    return random.Random(f"{word} {copy}").random() < _RESPELLED
