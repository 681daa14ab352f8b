"""What may stand in the text of a word."""

from __future__ import annotations

import re
import unicodedata

# Invisible characters of Unicode class Cc, Cf, Zs and Cn; the two joiners carry meaning in Indic and Persian.
_INVISIBLE = re.compile(
    r"[\x00-\x20\x7f-\xa0\u00ad\u180e\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_LEADERS = re.compile(r"\.{4,}")
_JOINERS = "\u200c\u200d"


def clean_word(text: str) -> str:
    """
    Normalise the text of one word to NFC without invisible characters; "" when nothing visible is left.

    The dots that lead the eye through a table of contents become one sign. A soft hyphen at the end is the hyphen of a broken word and becomes one; U+FFFD stays, for it tells that a
    glyph could not be read.
    """
    if text.isascii() and text.isprintable():
        return _LEADERS.sub("…", text) if "...." in text else text
    if text.endswith("\u00ad") and len(text) > 1:
        text = text[:-1] + "-"
    kept = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return _LEADERS.sub("…", kept) if kept.strip(_JOINERS) else ""
