"""Guesses copied from texts that the answer is likely to quote."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["NgramDrafter"]


class NgramDrafter:
    """
    Looks the last tokens of an answer up in given texts, and guesses that it goes on as they do.

    Args:
        texts: tokens of each text; an n-gram that is in several places goes on as in the first.
        longest: n-grams of so many tokens are looked up first.
        shortest: and of no fewer than this.
        most: tokens of a guess.

    Raises:
        ValueError: a number below 1, or `shortest` above `longest`.
    """

    def __init__(
        self, texts: Sequence[Sequence[int]], *, longest: int = 4, shortest: int = 2, most: int = 7
    ) -> None:
        if not 1 <= shortest <= longest or most < 1:
            raise ValueError(
                f"shortest {shortest}, longest {longest}, most {most}: 1 <= shortest <= longest, 1 <= most"
            )
        self._texts = [tuple(text) for text in texts]
        self._longest, self._shortest, self._most = longest, shortest, most
        self._places: dict[tuple[int, ...], tuple[int, int]] = {}
        for number, text in enumerate(self._texts):
            for length in range(shortest, longest + 1):
                for end in range(length, len(text)):
                    self._places.setdefault(text[end - length : end], (number, end))

    def propose(self, tokens: Sequence[int]) -> tuple[int, ...]:
        """Guess the tokens that follow, by the longest n-gram at their end that a text holds."""
        tail = tuple(tokens[-self._longest :])
        for length in range(min(self._longest, len(tail)), self._shortest - 1, -1):
            place = self._places.get(tail[len(tail) - length :])
            if place is not None:
                number, end = place
                return self._texts[number][end : end + self._most]
        return ()
