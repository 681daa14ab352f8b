"""Requests to a writer: pages in their frames, one prompt's room for pages, texts cut to a number of tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ragvl.errors import GeneratorError
from ragvl.generator.grounding.prompt import frame_text
from ragvl.protocols import Writer
from ragvl.types import ContextPage, PageImage

_LEAST_TOKENS = 200  # under which a page says too little to be worth a request


def page_parts(pages: Sequence[ContextPage]) -> list[str | PageImage]:
    """What pages look like in a request, each in its frame."""
    parts: list[str | PageImage] = []
    for page in pages:
        before, behind = frame_text(page)
        parts += [before, page.image, behind] if page.image else [before + behind]
    return parts


def page_room(writer: Writer, system: str, task: str) -> int:
    """
    Tokens that pages may take beside the rules, what is asked, and the answer.

    Raises:
        GeneratorError: next to nothing is left.
    """
    room = writer.page_tokens(f"{system}\n{task}")
    if room < _LEAST_TOKENS:
        raise GeneratorError(
            f"the model's context leaves {room} tokens for pages beside what is asked. Raise "
            "generator.endpoint.context_tokens, lower .max_answer_tokens, or ask for less at once."
        )
    return room


def write_text(
    writer: Writer, system: str, parts: Sequence[str | PageImage], schema: Mapping[str, object] | None = None
) -> str:
    """All that a writer writes to one request."""
    return "".join(writer.write(system, parts, schema=schema))


def cut_to(text: str, tokens: int, count: Callable[[str], int]) -> str:
    """The beginning of a text within a number of tokens, cut at a word and marked by "…"; "" when none fits."""
    if count(text) <= tokens:
        return text
    words = text.split(" ")
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if count(" ".join(words[:middle]) + " …") <= tokens:
            low = middle
        else:
            high = middle - 1
    return f"{' '.join(words[:low])} …" if low else ""
