"""Questions from headings that ask one, or that say how something is done, answered by what stands under them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ragvl.evals.drafting.draft import Draft, one_line
from ragvl.evals.drafting.english import Spelling, telling_words
from ragvl.generator.units import Unit
from ragvl.types import BlockKind

__all__ = ["from_headings"]

_ASKED = re.compile(r"(?:What|Who|When|Where|Why|How|Which|Can|Do|Does|Is|Are|Should)\b[^?]{8,90}\?")
_HOW_TO = re.compile(r"How to (?P<deed>[a-z][^?:;.]{5,70})")
_DEED = re.compile(
    r"(?P<verb>Add|Adjust|Calibrate|Change|Charge|Check|Clean|Configure|Connect|Create|Customi[sz]e|Delete|Disable|Download|"
    r"Enable|Export|Import|Insert|Install|Open|Pair|Remove|Replace|Reset|Restart|Restore|Save|Set up|Share|Start|"
    r"Transfer|Turn on|Turn off|Update|Upload|Use|View)(?P<rest> [^?:;.()]{4,60})"
)
_GERUND = re.compile(r"(?P<verb>[A-Z][a-z]{2,10}ing)(?P<rest>(?: up| on| off)? [^?:;.()]{4,60})")
_BASES = {
    re.sub(r"e$", "", verb) + ("ting" if verb in {"set", "reset"} else "ing"): verb
    for verb in [
        "add",
        "adjust",
        "calibrate",
        "change",
        "charge",
        "check",
        "clean",
        "configure",
        "connect",
        "create",
        "customise",
        "customize",
        "delete",
        "disable",
        "download",
        "enable",
        "export",
        "import",
        "insert",
        "install",
        "manage",
        "open",
        "pair",
        "remove",
        "replace",
        "reset",
        "restart",
        "restore",
        "save",
        "set",
        "share",
        "start",
        "transfer",
        "turn",
        "update",
        "upload",
        "use",
        "view",
    ]
}
_WORTH = 2.6
_FEWEST_ANSWER_CHARACTERS, _MOST_ANSWER_CHARACTERS = 25, 240
_POINTS = re.compile(r"\b(?:it|its|this|that|these|those|they|you|your|we|our|here)\b", re.IGNORECASE)
_UNFIT = re.compile(
    r"^\w+ (?:of|to)\b|\b(?:and|or|your?)\b|\b(?:with|the|of|to|a)$|\w{3}ing\b", re.IGNORECASE
)


def from_headings(units: Sequence[Unit], document: str, spelling: Spelling) -> Iterator[Draft]:
    """
    Propose a question for each heading that asks or instructs; the first sentence under it is the answer.

    Args:
        units: of a page, in its order; a heading is one of them.
        document: path to put into the draft.
    """
    for heading, body in pairwise(units):
        if not (_stands_apart(heading) and body.kind is BlockKind.TEXT):
            continue
        question, answer = _question(one_line(heading.text), spelling), one_line(body.text)
        if question and _is_statement(answer):
            yield Draft(question, answer, document, "text", body, _WORTH)


def _stands_apart(unit: Unit) -> bool:
    """Tell whether a unit is a block of its own, as a heading is."""
    text = unit.hit.page.text
    above, below = text[: unit.start].rstrip(" "), text[unit.end :].lstrip(" ")
    return unit.kind is BlockKind.TEXT and (not above or above.endswith("\n\n")) and below.startswith("\n\n")


def _is_statement(answer: str) -> bool:
    return bool(
        _FEWEST_ANSWER_CHARACTERS <= len(answer) <= _MOST_ANSWER_CHARACTERS
        and answer[-1] in ".!"
        and answer[0].isupper()
        and "> >" not in answer
    )


def _question(heading: str, spelling: Spelling) -> str:
    if _ASKED.fullmatch(heading):
        return heading if telling_words(heading) > 1 and not _POINTS.search(heading) else ""
    deed = ""
    if found := _HOW_TO.fullmatch(heading):
        deed = found["deed"]
    elif found := _DEED.fullmatch(heading):
        deed = found["verb"].lower() + found["rest"]
    elif (found := _GERUND.fullmatch(heading)) and found["verb"].lower() in _BASES:
        deed = _BASES[found["verb"].lower()] + found["rest"]
    if telling_words(deed) < 2 or _UNFIT.search(deed):
        return ""
    return f"How do I {spelling.plain(deed)}?"
