"""What a document is called: by its metadata when that speaks, else by what stands largest on its first page."""

from __future__ import annotations

import re

from ragvl.indexers.passages import PageDraft
from ragvl.indexers.words import PlacedWord, unpack_words

_PROGRAM = re.compile(r"^(?:Microsoft (?:Word|PowerPoint|Excel) - |untitled\b.*$|slide 1$)", re.IGNORECASE)
_FILE_NAME = re.compile(r"\.(?:docx?|pptx?|xlsx?|indd|qxd|pdf|rtf|tex|dvi|cdr|ai)$", re.IGNORECASE)
_SPEAKING = re.compile(r"[^\W\d_]{3}")
_SAME_HEIGHT = 0.93
_TURNED = 1.5
_MAX_WORDS = 24


def speaking_title(given: str) -> str:
    """A title from metadata as a person would give it, or ""; many files carry what a program put there."""
    title = _PROGRAM.sub("", given).strip()
    return title if _SPEAKING.search(title) and not _FILE_NAME.search(title) else ""


def largest_line(page: PageDraft) -> str:
    """The first run of lines that are set largest on a page, or ""."""
    lines: list[list[PlacedWord]] = []
    previous = -2
    for word in unpack_words(page.words, page.width_pt, page.height_pt):
        if lines and page.text[previous : word.start] == " ":
            lines[-1].append(word)
        else:
            lines.append([word])
        previous = word.end
    candidates = [(_height(line), _text(page, line)) for line in lines]
    candidates = [(height, text) for height, text in candidates if _SPEAKING.search(text)]
    if not candidates:
        return ""
    largest = max(height for height, _ in candidates)
    chosen: list[str] = []
    for height, text in candidates:
        if height >= _SAME_HEIGHT * largest:
            chosen.append(text)
        elif chosen:
            break
    return " ".join(" ".join(chosen).split()[:_MAX_WORDS])


def _height(line: list[PlacedWord]) -> float:
    sizes = [(word.bbox_pt[2] - word.bbox_pt[0], word.bbox_pt[3] - word.bbox_pt[1]) for word in line]
    width, height = (sum(side) / len(sizes) for side in zip(*sizes, strict=True))
    # A note that climbs the margin is as high as it is long; words of a title are wider than high.
    return 0.0 if height > _TURNED * width else sorted(height for _, height in sizes)[len(sizes) // 2]


def _text(page: PageDraft, line: list[PlacedWord]) -> str:
    return page.text[line[0].start : line[-1].end]
