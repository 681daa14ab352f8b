"""Languages as datasets name them, and as ragvl does: by their ISO 639-1 code."""

from __future__ import annotations

from collections.abc import Sequence

from ragvl.evals.datasets.errors import DatasetError

__all__ = ["CODES", "code_of", "name_of", "wanted_codes"]

CODES = {
    "english": "en",
    "french": "fr",
    "spanish": "es",
    "german": "de",
    "italian": "it",
    "portuguese": "pt",
}
_NAMES = {code: name for name, code in CODES.items()}


def code_of(language: str) -> str:
    """ISO 639-1 code of a language named "english" or "en"; what is not known stays as it is."""
    return CODES.get(language.casefold(), language)


def name_of(code: str) -> str:
    """English name of a language, with a capital; an unknown code stays as it is."""
    return _NAMES.get(code, code).capitalize()


def wanted_codes(language: str, there: Sequence[str], what: str) -> tuple[str, ...]:
    """
    Codes of the languages to load.

    Args:
        language: a code or a name; "" for all that there are.
        there: codes.
        what: the set, for the error.

    Raises:
        DatasetError: the set has no queries in that language.
    """
    if not language:
        return tuple(there)
    code = code_of(language)
    if code not in there:
        raise DatasetError(f"{what} has no queries in {language!r}; there: {', '.join(there)}")
    return (code,)
