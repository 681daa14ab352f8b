"""
Fonts whose letters look other than what their character maps say.

An embedded font of the Type 1 family names its glyphs; a map to Unicode that says "e" where the glyph is the
font's "7" shows one text and tells another. Then the glyphs' names are what the page says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ragvl.indexers.readers.hidden.layer import TextLayer
from ragvl.indexers.readers.hidden.reasons import Found, Reason
from ragvl.indexers.readers.pymupdf_late import import_pymupdf

pymupdf = import_pymupdf()
mupdf = pymupdf.mupdf

_MAX_FORMS = 100  # of one page
_MAX_RANGE = 65535
_MIN_SHARE = 0.25  # of a font's named glyphs that its map must contradict: fewer are slips of a producer
_CHARS = re.compile(rb"beginbfchar(.*?)endbfchar", re.DOTALL)
_RANGES = re.compile(rb"beginbfrange(.*?)endbfrange", re.DOTALL)
_PAIR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_TRIPLE = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")


class FontWatch:
    """What is known of the fonts of one document."""

    def __init__(self, document: Any) -> None:
        self._pdf = mupdf.pdf_specifics(document.this) if document.is_pdf else None
        self._lies: dict[int, bool] = {}

    def judge(self, layer: TextLayer, found: Found) -> None:
        """Put what the page shows in the place of words that say something else."""
        if self._pdf is None or not sum(map(self._is_lying, _fonts(layer.page))):
            return
        glyphs = _Glyphs()
        mupdf.fz_run_page(layer.page.this, glyphs, mupdf.FzMatrix(), mupdf.FzCookie())
        mupdf.fz_close_device(glyphs)
        changed = 0
        for index, word in enumerate(layer.words):
            inside = [
                glyph
                for glyph in glyphs.placed
                if word[0] - 0.5 <= glyph[0] < word[2] - 0.1 and word[1] <= glyph[1] <= word[3]
            ]
            if any(shown != said for _, _, shown, said in inside):
                shown = "".join(glyph[2] for glyph in sorted(inside))
                layer.words[index] = (*word[:4], shown, *word[5:])
                changed += 1
        if changed:
            found.elsewhere[Reason.OTHER_GLYPHS] = changed

    def _is_lying(self, font: Any) -> bool:
        number = mupdf.pdf_to_num(font)
        if number not in self._lies:
            self._lies[number] = _lies(font)
        return self._lies[number]


class _Glyphs(mupdf.FzDevice2):  # type: ignore[misc,name-defined]  # the bindings have no types
    """Notes where each letter stands, what its glyph is called, and what it is said to be."""

    def __init__(self) -> None:
        super().__init__()
        self.placed: list[tuple[float, float, str, str]] = []
        self.use_virtual_fill_text()

    def fill_text(self, _context: Any, text: Any, ctm: Any, *_: Any) -> None:
        span = text.head
        while span:
            wrapped = mupdf.FzTextSpan(span)
            font = mupdf.FzFont(mupdf.ll_fz_keep_font(span.font))
            for index in range(span.len):
                item = wrapped.items(index)
                if item.ucs <= 0 or item.gid < 0:
                    continue
                said = chr(item.ucs)
                x = item.x * ctm.a + item.y * ctm.c + ctm.e
                y = item.x * ctm.b + item.y * ctm.d + ctm.f
                self.placed.append((x, y, _shown(font, item.gid, said), said))
            span = span.next


def _shown(font: Any, gid: int, said: str) -> str:
    """The letter that a glyph is by its name, or what it is said to be."""
    name = mupdf.fz_get_glyph_name2(font, gid)
    return _letter(name) if _reads_otherwise(name, said) else said


def _reads_otherwise(name: str, said: str) -> bool:
    letter = _letter(name)
    return bool(letter) and said.isascii() and said.isprintable() and letter.casefold() != said.casefold()


def _letter(name: str) -> str:
    """The letter or digit of ASCII that a glyph's name means, or ""."""
    char = name if len(name) == 1 else chr(max(mupdf.fz_unicode_from_glyph_name_strict(name), 0))
    return char if char.isascii() and char.isalnum() else ""


def _fonts(page: Any) -> Iterator[Any]:
    """The fonts of a page and of the forms that it draws."""
    resources = mupdf.pdf_dict_get_inheritable(
        mupdf.pdf_page_from_fz_page(page.this).obj(), mupdf.pdf_new_name("Resources")
    )
    forms = mupdf.pdf_dict_gets(resources, "XObject")
    inner = [
        mupdf.pdf_dict_gets(mupdf.pdf_dict_get_val(forms, index), "Resources")
        for index in range(min(mupdf.pdf_dict_len(forms), _MAX_FORMS))
    ]
    for held in (resources, *inner):
        fonts = mupdf.pdf_dict_gets(held, "Font")
        for index in range(mupdf.pdf_dict_len(fonts)):
            yield mupdf.pdf_dict_get_val(fonts, index)


def _lies(font: Any) -> bool:
    """Whether a font's own map to Unicode contradicts the names of its glyphs."""
    map_ = mupdf.pdf_dict_gets(font, "ToUnicode")
    if not mupdf.pdf_is_stream(map_):
        return False
    said = _said(mupdf.pdf_load_stream(map_).fz_buffer_extract())
    names = _names(font, said)
    contradicted = sum(
        _reads_otherwise(names[code], char) for code, char in said.items() if names.get(code) and char
    )
    named = sum(bool(names.get(code)) for code in said)
    return contradicted > 0 and contradicted >= _MIN_SHARE * named


def _said(cmap: bytes) -> dict[int, str]:
    """Codes and the single characters that a ToUnicode map gives them."""
    said: dict[int, str] = {}
    for section in _CHARS.findall(cmap):
        for code, char in _PAIR.findall(section):
            said[int(code, 16)] = _char(char)
    for section in _RANGES.findall(cmap):
        for first, last, char in _TRIPLE.findall(section):
            start = int(first, 16)
            for code in range(start, min(int(last, 16), start + _MAX_RANGE) + 1):
                said[code] = _char(b"%04x" % ((int(char, 16) + code - start) & 0xFFFF))
    return said


def _char(digits: bytes) -> str:
    return chr(int(digits, 16)) if len(digits) <= 4 else ""


def _names(font: Any, codes: Iterable[int]) -> dict[int, str]:
    """The names of the glyphs of some codes, as far as a font has any."""
    below = mupdf.pdf_array_get(mupdf.pdf_dict_gets(font, "DescendantFonts"), 0)
    if mupdf.pdf_is_dict(below):
        program = mupdf.pdf_dict_gets(mupdf.pdf_dict_gets(below, "FontDescriptor"), "FontFile3")
        if not mupdf.pdf_is_stream(program):
            return {}
        loaded = mupdf.fz_new_font_from_buffer("", mupdf.pdf_load_stream(program), 0, 0)
        return {code: mupdf.fz_get_glyph_name2(loaded, code) for code in codes}
    names: dict[int, str] = {}
    code = 0
    differences = mupdf.pdf_dict_gets(mupdf.pdf_dict_gets(font, "Encoding"), "Differences")
    for index in range(mupdf.pdf_array_len(differences)):
        entry = mupdf.pdf_array_get(differences, index)
        if mupdf.pdf_is_int(entry):
            code = mupdf.pdf_to_int(entry)
        else:
            names[code] = mupdf.pdf_to_name(entry)
            code += 1
    return names
