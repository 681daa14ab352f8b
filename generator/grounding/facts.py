"""The parts of a text that can be wrong: its amounts, its names, and its other words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ragvl.generator.scoring import stem
from ragvl.indexers.analysis import stop_words, terms

_NUMBER = re.compile(
    r"(?<![\w.,])[$€£¥]?\s?(\d[\d,.'’]*\d|\d)(?![\d])\)?\s*(%|percent\b|per cent\b)?", re.IGNORECASE
)
_SCALE = re.compile(r"\s*(thousand|million|billion|trillion|mn|bn|tn|m|k|b)\b", re.IGNORECASE)
_POWERS = {
    "thousand": 3, "k": 3, "million": 6, "mn": 6, "m": 6, "billion": 9, "bn": 9, "b": 9, "trillion": 12, "tn": 12,
}  # fmt: skip
_SPELLED = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_WORD = re.compile(r"[^\W_][\w&'’./-]*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;•\n]|\s[-–]\s)[\s\"“‘'(]*$")
_NO_WORDS = frozenset(stem(word) for word in (*_POWERS, *_SPELLED, "percent", "percentage"))
_YEARS = range(1800, 2100)
_UNIT_POWERS = (0, 3, 6, 9)  # a table "in millions" writes 1,577 for 1.577 billion


@dataclass(frozen=True, slots=True)
class Amount:
    """
    A number: `value` as written, to be multiplied by ten to the `power` of a word such as "million" behind it.

    Attributes:
        percent: whether it is written as a percentage.
    """

    value: Decimal
    power: int = 0
    percent: bool = False

    def is_said_by(self, other: Amount) -> bool:
        """Whether another text's amount can be this one; a scale may stand elsewhere, such as above a table."""
        if self.value == other.value:
            return self.power == other.power or not self.power or not other.power
        if other.power or not self.power:
            return self._whole == other._whole
        return any(self._whole == other.value.scaleb(power) for power in _UNIT_POWERS)

    @property
    def is_year(self) -> bool:
        """Whether it can be a year of the last centuries or the next."""
        return not self.power and not self.percent and self.value in _YEARS

    @property
    def _whole(self) -> Decimal:
        return self.value.scaleb(self.power)


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What a text claims.

    Attributes:
        names: stems of capitalised words that do not merely begin a sentence, and of codes such as "3M".
        words: stems of all other words that carry meaning.
    """

    amounts: frozenset[Amount]
    names: frozenset[str]
    words: frozenset[str]

    @property
    def stems(self) -> frozenset[str]:
        """Names and words: what one text writes as a name another may write small."""
        return self.names | self.words

    def __or__(self, other: Facts) -> Facts:
        return Facts(self.amounts | other.amounts, self.names | other.names, self.words | other.words)

    def lacks(self, amount: Amount) -> bool:
        """Whether no amount here can be this one."""
        return not any(amount.is_said_by(other) for other in self.amounts)


def facts_of(text: str) -> Facts:
    """Take a text apart."""
    names: set[str] = set()
    words: set[str] = set()
    for match in _WORD.finditer(text):
        word = match.group().rstrip(".'’/-")
        found = {stem(term) for term in terms(word) if term not in stop_words()}
        if word[0].isdigit() and not any(char.isalpha() for char in word):
            continue
        (names if _is_name(word, text[: match.start()]) else words).update(found)
    return Facts(frozenset(_amounts(text)), frozenset(names), frozenset(words - names - _NO_WORDS))


def as_number(text: str) -> Decimal | None:
    """
    A number as people write it: thousands apart by comma, point or apostrophe, decimals by point or comma.

    Returns:
        None when it is none, such as "1.2.3".
    """
    bare = re.sub(r"['’]", "", text).rstrip(".,")
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", bare):
        bare = bare.replace(",", "")
    elif re.fullmatch(r"\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,}", bare):
        bare = bare.replace(".", "").replace(",", ".")
    else:
        bare = re.sub(r"^(\d+),(\d{1,2})$", r"\1.\2", bare)
    try:
        return Decimal(bare).normalize()
    except InvalidOperation:
        return None


def _amounts(text: str) -> set[Amount]:
    found = set()
    for match in _NUMBER.finditer(text):
        value = as_number(match.group(1))
        if value is not None:
            scale = _SCALE.match(text, match.end())
            found.add(Amount(value, _POWERS[scale.group(1).lower()] if scale else 0, bool(match.group(2))))
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in _SPELLED[2:]:  # "zero" and "one" are seldom counts
            found.add(Amount(Decimal(_SPELLED.index(word)).normalize()))
    return found


def _is_name(word: str, before: str) -> bool:
    if any(char.isdigit() for char in word):
        return True  # a code: "3M", "FY2018"
    if not word[0].isupper():
        return any(char.isupper() for char in word)  # "iPhone"
    return (len(word) > 1 and word != word.capitalize()) or not _SENTENCE_START.search(before[-12:])
