"""
Terms of a text for the lexical lane; documents and queries go through the same function.

Numbers survive the way people write them: "6,779,511" is one term, "18.29" is one term, and a code such as
"FY2018" or "10-K" is found whole and by its parts. Stemming and diacritics are left to FTS5's tokenizer.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib import resources

TOKENIZER = "porter unicode61 remove_diacritics 2"

_NUMBER = r"\d+(?:[.,]\d+)+"
_ABBREVIATION = r"(?:[^\W\d_]\.){2,}"
_COMPOUND = r"[^\W_]+(?:[-'’&][^\W_]+)+"
_TERM = re.compile(rf"{_NUMBER}|{_ABBREVIATION}|{_COMPOUND}|[^\W_]+")
_PART = re.compile(r"[^\W\d_]+|\d+")
_POSSESSIVE = re.compile(r"['’]s$")
# Chinese, Japanese and Thai write no spaces between words: each character is a term.
_UNSPACED = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f])")


def terms(text: str) -> list[str]:
    """Split text into terms, in order; letters are lower case, a term holds letters and digits only."""
    spaced = _UNSPACED.sub(r" \1 ", unicodedata.normalize("NFKC", text).lower())
    found: list[str] = []
    for match in _TERM.finditer(spaced):
        found += _parts(match.group())
    return found


def query_terms(text: str) -> tuple[str, ...]:
    """Terms of a question, each once, without the words that every text has unless nothing else is left."""
    all_terms = tuple(dict.fromkeys(terms(text)))
    return tuple(term for term in all_terms if term not in stop_words()) or all_terms


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """English function words and the words of asking."""
    listed = (resources.files("ragvl.indexers") / "stopwords.txt").read_text(encoding="utf-8")
    return frozenset(
        word for line in listed.splitlines() if not line.startswith("#") for word in line.split()
    )


@lru_cache(maxsize=65536)
def _parts(token: str) -> tuple[str, ...]:
    if token.isalpha():
        return (token,)
    if token[0].isdigit() and not any(char.isalpha() for char in token):
        return (_number(token),)
    whole = "".join(char for char in _POSSESSIVE.sub("", token) if char.isalnum())
    parts = tuple(_PART.findall(_POSSESSIVE.sub("", token)))
    if "." in token or len(parts) < 2:
        return (whole,)
    return (whole, *parts)


def _number(token: str) -> str:
    """One spelling for one number: no thousands separators, "d" for the decimal point."""
    head, separator, tail = token.rpartition(".")
    if separator and "," not in tail:
        return "".join(filter(str.isdigit, head)) + "d" + tail
    groups = re.split(r"[.,]", token)
    if len(groups) == 2 and len(groups[1]) != 3:
        return "d".join(groups)
    return "".join(filter(str.isdigit, token))
