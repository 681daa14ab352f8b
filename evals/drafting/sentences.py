"""
Questions from sentences that state a number, a date, a cost or a meaning.

A sentence is taken only when it has one of a few plain forms, for then its question is certain to be English. Each
form is tried from the start of the sentence; what a pattern does not cover is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from re import Match

from ragvl.evals.drafting.draft import Draft, one_line
from ragvl.evals.drafting.english import VERBS, Spelling, is_plural, stands_alone, telling_words
from ragvl.generator.units import Unit

__all__ = ["from_sentence"]

_LONGEST = 320  # characters of a sentence
_FEWEST_TELLING_WORDS = 2
_SUBJECT = r"(?P<subject>[A-Z][^,;:()“”\"?!]{2,80}?)"
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_YEAR = r"(?:1[5-9]|20)\d\d"
_DATE = rf"(?:\d{{1,2}} {_MONTH} {_YEAR}|{_MONTH} \d{{1,2}}, {_YEAR}|{_MONTH} {_YEAR}|{_YEAR})"
_ABOUT = r"(?:(?:about|around|approximately|roughly|nearly|almost|over|under|just|only|some|now|currently|more than|less than|up to|estimated at) )*"
_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_SCALE = r"(?: (?:thousand|million|billion|trillion))?"
_MONEY = rf"(?:[€$£]|US\$|(?:EUR|USD|GBP|CHF) ){_NUMBER}{_SCALE}|{_NUMBER}{_SCALE} (?:euros|dollars|pounds)"
_PERCENT = rf"{_NUMBER} ?(?:%|percent|per cent)"
_UNIT = (
    r"(?:metres?|meters?|kilomet(?:re|er)s?|km|miles?|feet|inches|litres?|tonnes?|tons|kilograms?|kg|hectares|acres|"
    r"kilowatt-hours|megawatts?|gigawatt-hours|degrees|seconds|minutes|hours|days|weeks|months|years)"
)
_QUANTITY = rf"(?:{_MONEY}|{_PERCENT}|{_NUMBER}{_SCALE} {_UNIT})"
_COUNT = rf"(?P<count>\d[\d,]*(?:\.\d+)?{_SCALE}|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten|Eleven|Twelve)"
_END = r"(?P<rest>$|[.,;(](?!\d).*| (?:in|at|for|per|from|as|during|on|compared|after|when|and)\b.*)"
_FINITE = r"\b(?:is|are|was|were|have|had|has|do|did|say|said|live|lived|use|used|believe|think|felt|feel|reported|report|agree|want|prefer|\w{3,}ed)\b"
_PARTICIPLE = r"(?P<participle>\w+ed|built|born|held|sold|written|won|begun)"
_CHANGES = {
    "grew": "grow", "rose": "rise", "increased": "increase", "fell": "fall", "declined": "decline",
    "dropped": "drop", "decreased": "decrease",
}  # fmt: skip
_PERSON = re.compile(
    r"\b(?:professor|director|founder|co-founder|chief|president|author|editor|lawyer|student|graduate|player|"
    r"officer|scientist|researcher|writer|teacher|leader|consultant|engineer|manager|fellow|analyst|chair)\b"
)

_RELATIVE = re.compile(r"…|\b(?:respectively|the same|latter|former|aforementioned)\b")
_POINTS = re.compile(
    r"(?:them|those|these|this|that|it|its|all|our|their|which|whom|respondents|the total|the sample|the respondents)\b"
    r"|.*\b(?:his|her|this|these|those|so|here|there)\b"
)

_Asked = tuple[str, str]  # question and answer
_Form = tuple[re.Pattern[str], float, Callable[[Match[str], Spelling], _Asked | None]]


def from_sentence(unit: Unit, document: str, spelling: Spelling) -> Iterator[Draft]:
    """
    Propose at most one question from a sentence.

    Args:
        document: path to put into the draft.
    """
    sentence = _without_time(one_line(unit.text))
    if len(sentence) > _LONGEST or sentence[-1:] not in ".!”" or _RELATIVE.search(sentence):
        return
    for pattern, worth, ask in _FORMS:
        match = pattern.match(sentence)
        asked = ask(match, spelling) if match else None
        if asked and telling_words(asked[0]) >= _FEWEST_TELLING_WORDS:
            named = 0.5 * bool(re.search(r"\s[A-Z]", asked[0]))
            yield Draft(*asked, document, "text", unit, worth + named)
            return


def _without_time(sentence: str) -> str:
    """Move a time that a sentence begins with to its end: "In 2018, sales rose by 4%." """
    found = re.match(rf"((?:In|On|At the end of) {_DATE}), (?=[A-Za-z\d])", sentence)
    if not found:
        return sentence
    told = sentence[found.end() :].rstrip(".")
    return f"{told[0].upper()}{told[1:]} {found[1][0].lower()}{found[1][1:]}."


def _subject(match: Match[str], spelling: Spelling) -> str:
    """The subject as it stands inside a question; "" when it needs the sentences around it."""
    subject = match["subject"].strip()
    return spelling.inside(subject) if stands_alone(subject) and spelling.knows(subject) else ""


def _when(rest: str) -> str:
    """Keep the time that a statement holds for: " in 2018"."""
    found = re.match(rf" ?((?:in|at the end of|on) {_DATE})\b", rest)
    return f" {found[1]}" if found else ""


def _ask_share(match: Match[str], spelling: Spelling) -> _Asked | None:
    told = _clause(match["told"])
    if not told or not re.search(_FINITE, " ".join(told.split()[1:9])):
        return None
    return f"What percentage of {told}?", match["percent"]


def _ask_count(match: Match[str], spelling: Spelling) -> _Asked | None:
    told = _clause(match["told"])
    words = told.split()
    if re.fullmatch(rf"{_YEAR}|[01]", match["count"]) or len(words) < 4:
        return None
    plural = next((at for at, word in enumerate(words[:3]) if is_plural(word)), None)
    if plural is None or not re.match(_FINITE, words[plural + 1] if plural + 1 < len(words) else ""):
        return None
    return f"How many {told}?", match["count"]


def _clause(told: str) -> str:
    """Cut what is told at the first comma; "" when that leaves too little, too much, or points elsewhere."""
    cut = re.split(r"[,;:(]| – | — ", told.rstrip(".!”"))[0].strip()
    whole = not re.search(r"\b(?:it|its|they|who|which|that|and|or|of|than|to)$", cut)
    return cut if 4 <= len(cut.split()) <= 24 and not _POINTS.match(cut) and whole else ""


def _ask_value(match: Match[str], spelling: Spelling) -> _Asked | None:
    subject = _subject(match, spelling)
    if not subject or len(subject.split()) < 2:
        return None
    return f"What {match['verb']} {subject}{_when(match['rest'])}?", match["amount"]


def _ask_date(match: Match[str], spelling: Spelling) -> _Asked | None:
    subject = _subject(match, spelling)
    return (f"When {match['verb']} {subject} {match['participle']}?", match["date"]) if subject else None


def _ask_cost(match: Match[str], spelling: Spelling) -> _Asked | None:
    subject = _subject(match, spelling)
    helper = match["helper"] or ("does" if match["verb"] == "costs" else "did")
    return (f"How much {helper} {subject} cost?", match["amount"]) if subject else None


def _ask_change(match: Match[str], spelling: Spelling) -> _Asked | None:
    subject = _subject(match, spelling)
    if not subject:
        return None
    how = "By how much" if match["way"] == "by" else "To what"
    return f"{how} did {subject} {_CHANGES[match['verb']]}{_when(match['rest'])}?", match["amount"]


def _ask_sum(match: Match[str], spelling: Spelling) -> _Asked | None:
    subject = _subject(match, spelling)
    if not subject:
        return None
    aim = re.match(r" ((?:for|on|to) [^\d,;.()]{3,40}?)(?= (?:in|at|from|by|and)\b|[,;.(]|$)", match["rest"])
    purpose = f" {aim[1]}" if aim else ""
    return (f"How much did {subject} {VERBS[match['verb']]}{purpose}{_when(match['rest'])}?", match["amount"])


def _ask_things(match: Match[str], spelling: Spelling) -> _Asked | None:
    subject = _subject(match, spelling)
    things = match["things"].strip()
    if (
        not subject
        or not stands_alone(things)
        or not is_plural(re.split(r" (?:of|for|with) ", things)[0].split()[-1])
    ):
        return None
    if re.fullmatch(_YEAR, match["count"]):
        return None
    return f"How many {things} did {subject} {VERBS[match['verb']]}{_when(match['rest'])}?", match["count"]


def _ask_meaning(match: Match[str], spelling: Spelling) -> _Asked | None:
    subject, meaning = match["subject"], match["meaning"].rstrip(".!”")
    if not stands_alone(subject) or not spelling.knows(subject) or not 5 <= len(meaning.split()) <= 30:
        return None
    names_someone = bool(_PERSON.search(meaning[:60])) and match["verb"] in {"is", "was"}
    return f"{'Who' if names_someone else 'What'} {match['verb']} {spelling.inside(subject)}?", meaning


_VERB = "|".join(VERBS)
_FORMS: tuple[_Form, ...] = (
    (
        re.compile(
            rf"(?:.*?(?:, |; |\bthat ))??{_ABOUT}(?P<percent>{_PERCENT}) of (?P<told>.+)", re.IGNORECASE
        ),
        3.0,
        _ask_share,
    ),
    (re.compile(rf"{_COUNT} (?P<told>[a-z].+)"), 2.0, _ask_count),
    (
        re.compile(
            rf"{_SUBJECT} (?:(?P<helper>will|would) cost|(?P<verb>costs?)) {_ABOUT}(?P<amount>{_MONEY})\b"
        ),
        3.0,
        _ask_cost,
    ),
    (
        re.compile(rf"{_SUBJECT} (?P<verb>was|were) {_PARTICIPLE} (?:in|on) (?P<date>{_DATE})\b"),
        3.0,
        _ask_date,
    ),
    (
        re.compile(rf"{_SUBJECT} (?P<verb>is|are|was|were) {_ABOUT}(?P<amount>{_QUANTITY}){_END}"),
        3.0,
        _ask_value,
    ),
    (
        re.compile(
            rf"{_SUBJECT} (?P<verb>{'|'.join(_CHANGES)}) (?P<way>by|to) {_ABOUT}(?P<amount>{_QUANTITY}){_END}"
        ),
        2.5,
        _ask_change,
    ),
    (
        re.compile(rf"{_SUBJECT} (?P<verb>{_VERB}) {_ABOUT}(?P<amount>{_MONEY})(?P<rest>.*)"),
        2.5,
        _ask_sum,
    ),
    (
        re.compile(
            rf"{_SUBJECT} (?P<verb>{_VERB}) {_ABOUT}(?P<count>{_NUMBER}{_SCALE}) (?P<things>[a-z][a-z -]{{2,50}}?)"
            r"(?P<rest>[.,;(].*| (?:in|at|from|to|by|and|on|during|over|across|as)\b.*|$)"
        ),
        2.5,
        _ask_things,
    ),
    (
        re.compile(
            r"(?P<subject>(?:An? [a-z-]+(?: [a-z-]+){0,2}|(?:The )?(?:[A-Z][\w’&.-]*)(?: (?:of|for|and|the|[A-Z][\w’&.-]*)){0,5}))"
            r"(?: \([^)]{2,20}\))? (?P<verb>is|are) (?P<meaning>(?:an?|the) .+)"
        ),
        1.5,
        _ask_meaning,
    ),
)
