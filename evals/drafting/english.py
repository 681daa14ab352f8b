"""Just enough English to turn a statement into a question, and to see when that is better left alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["VERBS", "Spelling", "is_english", "is_plural", "stands_alone", "telling_words", "words_of"]

_FUNCTION_WORDS = frozenset((
    "the", "of", "and", "to", "in", "a", "is", "for", "on", "with", "by", "that", "are", "was", "as",
    "at", "from", "be", "or", "this",
))  # fmt: skip
_ENGLISH_SHARE = 0.1  # of a document's words; prose has 0.3, a page of tables 0.1
_POINTING = frozenset((
    "it", "its", "this", "that", "these", "those", "they", "them", "their", "he", "him", "his", "she",
    "her", "we", "us", "our", "ours", "i", "me", "my", "you", "your", "yours", "there", "here", "such",
    "same", "another", "other", "others", "former", "latter", "above", "below", "following",
))  # fmt: skip
_OPENERS = frozenset((
    "if", "when", "while", "where", "who", "what", "which", "why", "how", "although", "though", "since",
    "because", "as", "and", "but", "or", "so", "yet", "however", "also", "then", "thus", "therefore",
    "moreover", "meanwhile", "instead", "note", "see", "not", "only", "in", "on", "at", "by", "for",
    "from", "with", "to", "of", "after", "before", "during", "between", "among", "under", "over",
    "about", "despite", "unlike", "according", "figure", "table", "source",
))  # fmt: skip
_LOOSE_ENDS = frozenset((
    "who", "which", "that", "where", "when", "of", "in", "on", "at", "to", "for", "from", "by", "with",
    "and", "or", "not", "than", "as", "if", "but", "it", "they", "we", "he", "she", "i", "you", "there",
    "also", "who's", "whose", "whom", "what", "whether", "while", "because", "is", "are", "was", "were",
    "be",
))  # fmt: skip
_DULL = frozenset((
    "company", "group", "report", "study", "survey", "figure", "table", "chart", "section", "chapter",
    "document", "page", "result", "results", "number", "total", "year", "years", "people", "person",
    "thing", "things", "work", "project", "program", "programme", "team", "data", "system", "process",
    "part", "case", "example", "time", "average", "amount", "value", "first", "second", "last",
))  # fmt: skip
_STOPWORDS = _FUNCTION_WORDS | _POINTING | _OPENERS | _LOOSE_ENDS
_PLURALS = frozenset((
    "people", "men", "women", "children", "data", "media", "criteria", "phenomena", "police", "staff",
))  # fmt: skip

VERBS = {
    past: base
    for base, past in {
        "acquire": "acquired", "add": "added", "attract": "attracted", "award": "awarded", "build": "built",
        "burn": "burned", "buy": "bought", "carry": "carried", "collect": "collected", "complete": "completed",
        "create": "created", "deliver": "delivered", "donate": "donated", "earn": "earned", "employ": "employed",
        "enroll": "enrolled", "export": "exported", "generate": "generated", "hire": "hired", "import": "imported",
        "install": "installed", "interview": "interviewed", "invest": "invested", "launch": "launched",
        "lend": "lent", "lose": "lost", "open": "opened", "operate": "operated", "pay": "paid",
        "produce": "produced", "publish": "published", "raise": "raised", "receive": "received",
        "record": "recorded", "release": "released", "sell": "sold", "serve": "served", "ship": "shipped",
        "spend": "spent", "survey": "surveyed", "train": "trained", "win": "won",
    }.items()
}  # fmt: skip
"""Past tense to base form of verbs that take an amount or a number of things."""


def words_of(text: str) -> list[str]:
    """List the words of a text in lower case."""
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", text.lower())


def is_english(texts: Iterable[str]) -> bool:
    """Tell by the share of function words whether a document is in English."""
    words = [word for text in texts for word in words_of(text)]
    return bool(words) and sum(word in _FUNCTION_WORDS for word in words) / len(words) >= _ENGLISH_SHARE


def is_plural(noun: str) -> bool:
    """Guess whether a noun is a plural."""
    word = noun.lower()
    return word in _PLURALS or (
        len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    )


@dataclass(frozen=True, slots=True)
class Spelling:
    """
    How a document spells words.

    Attributes:
        common: words that it has in lower case somewhere.
        names: words that it has with a capital in the middle of a sentence.
    """

    common: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Spelling:
        """Collect the words of a document."""
        common = frozenset(word for text in texts for word in re.findall(r"\b[a-z][a-z’'-]*\b", text))
        names = frozenset(word for text in texts for word in re.findall(r"(?<=[a-z,] )[A-Z][\w’-]*", text))
        return cls(common, names)

    def inside(self, phrase: str) -> str:
        """Spell what began a sentence as it stands inside one: without its capital, but for a name."""
        first = phrase.split(" ", 1)[0]
        name = first in self.names and first.lower() not in self.common
        keep = name or not (first == "A" or first[1:].islower())
        return phrase if keep else phrase[0].lower() + phrase[1:]

    def plain(self, label: str) -> str:
        """Spell a label as it stands inside a sentence: "Net Sales" as "net sales" where those are no names."""
        if label.isupper():
            return " ".join(
                word.lower() if word.lower() in self.common else word for word in label.split(" ")
            )
        first, *others = label.split(" ")
        lowered = [
            word.lower() if word[1:].islower() and word.lower() in self.common else word for word in others
        ]
        return " ".join([self.inside(first), *lowered])

    def knows(self, phrase: str) -> bool:
        """Tell whether the first word of a sentence is known to be a name, or known to be none."""
        first = phrase.split(" ", 1)[0]
        return first == "A" or not first[1:].islower() or first in self.names or first.lower() in self.common


def stands_alone(subject: str) -> bool:
    """Whether the subject of a sentence says what it is about without the sentences around it."""
    words = words_of(subject)
    if not 1 <= len(words) <= 10 or words[0] in _OPENERS or words[-1] in _LOOSE_ENDS:
        return False
    if any(word in _POINTING for word in words):
        return False
    return any(word not in _DULL and word not in _STOPWORDS for word in words)


def telling_words(question: str) -> int:
    """Count the words of a question that a search could go by."""
    return sum(
        len(word) > 2 and word not in _STOPWORDS and word not in _DULL for word in set(words_of(question))
    )
