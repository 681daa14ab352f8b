"""
Measure whether the check of citations tells right statements from wrong ones.

    python benchmarks/verification.py DATA_DIR --index INDEX

A scripted generator answers the questions of the set and cites one of the evidence pages, in five ways: right; with
another amount or another question's answer in place of the right one; right, but citing another page of the document;
half-right, one sentence true and one not. Every sentence passes through the same code as a model's answer. A right
answer is "on the page" when its amounts and most of its words stand in the text of the page that is cited: many of
these questions ask for counts, sums or colours, which no check against a page's text can find.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arguments import data_parser, parse
from dev_set import read_answers
from tables import markdown

import ragvl
from ragvl.generator.grounding.stream import GroundedStream
from ragvl.indexers.store.reader import IndexReader, Snapshot
from ragvl.retrievers.whole_pages import whole_hits
from ragvl.types import Context, ContextPage, Hit, PageForm

_LABEL = "k7f2"
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the scripted generator: how it came about, whether it is true, and whether its page says so."""

    way: str
    text: str
    hit: Hit
    is_true: bool
    on_page: bool


def statement(question: str, answer: str) -> str:
    """A sentence that gives an answer in the words of its question."""
    return f"{question.rstrip('?. ')}: {answer.rstrip('. ')}"


def another(answer: str, others: list[str], chance: random.Random) -> str:
    """A wrong answer of the same kind: one digit changed, else another question's answer."""
    numbers = list(_NUMBER.finditer(answer))
    if numbers:
        place = chance.choice(numbers)
        digits = [i for i in range(place.start(), place.end()) if answer[i].isdigit()]
        at = chance.choice(digits)
        return answer[:at] + str((int(answer[at]) + chance.randrange(1, 9)) % 10 or 1) + answer[at + 1 :]
    return chance.choice(
        [other for other in others if not _NUMBER.search(other) and other.lower() != answer.lower()]
    )


def is_on_page(answer: str, text: str) -> bool:
    """Whether a page holds an answer's amounts and words, letter for letter but for case."""
    held = {word.strip(".,;:()%$€£\"'“”") for word in text.lower().split()}
    words = [word.strip(".,;:()%$€£\"'“”[]") for word in answer.lower().split()]
    return bool(words) and all(word in held for word in words if word)


def scripted(rows: list[dict[str, object]], snapshot: Snapshot, seed: int) -> Iterator[Said]:
    """Everything that the scripted generator says."""
    chance = random.Random(seed)
    documents = {Path(one.path).name: one for one in snapshot.documents().values()}
    answers = [str(row["answer"]) for row in rows]
    for row in rows:
        document, pages = documents[str(row["document"])], row["evidence_pages"]
        sql = "SELECT id, number FROM pages WHERE document_id = ?"
        ids = {number: page_id for page_id, number in snapshot.connection.execute(sql, (document.id,))}
        gold = [ids[number] for number in pages if number in ids]  # type: ignore[attr-defined] # JSON
        others = sorted(set(ids.values()) - set(gold))
        if not gold or not others:
            continue
        chosen = snapshot.pages([*gold, other := chance.choice(others)])
        hits = {
            hit.page.id: hit
            for hit in whole_hits(snapshot, [Hit(page, 1.0, (), ()) for page in chosen.values()])
        }
        question, answer = str(row["question"]), str(row["answer"])
        right = next((hits[i] for i in gold if is_on_page(answer, hits[i].page.text)), hits[gold[0]])
        stands = is_on_page(answer, right.page.text)
        wrong = another(answer, answers, chance)
        yield Said("right", statement(question, answer), right, True, stands)
        yield Said("wrong answer", statement(question, wrong), right, False, False)
        if not is_on_page(answer, hits[other].page.text):
            yield Said("right answer, other page", statement(question, answer), hits[other], False, False)


def verified(hit: Hit, *sentences: str) -> tuple[bool, ...]:
    """Pass an answer that cites one page through the code that a model's answer passes through."""
    page = ContextPage(_LABEL, hit, PageForm.TEXT, hit.page.text, None, 0)
    question = sentences[0].partition(":")[0]
    stream = GroundedStream(Context((hit,), (), (page,)), question, "scripted")
    stream.feed(" ".join(f"{sentence} [{_LABEL}]." for sentence in sentences))
    return tuple(citation.verified for citation in stream.finish().citations)


def main() -> None:
    """Run the command line."""
    parser = data_parser(__doc__)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parse(parser)
    rows = read_answers(options.data)
    counts: dict[str, list[bool]] = defaultdict(list)
    halves: list[tuple[bool, ...]] = []
    with ragvl.open(options.index), IndexReader(options.index).snapshot() as snapshot:
        right: Said | None = None
        for said in scripted(rows, snapshot, options.seed):
            counts[said.way + (", on the page" if said.on_page else "")] += verified(said.hit, said.text)
            right = said if said.on_page else right
            if said.way == "wrong answer" and right and right.hit is said.hit:
                halves.append(verified(said.hit, right.text, said.text))
    table = [
        [way, str(len(seen)), str(sum(seen)), f"{sum(seen) / len(seen):.2f}"] for way, seen in counts.items()
    ]
    print(
        markdown(
            "Sentences and how many of them were verified", ("sentence", "number", "verified", "share"), table
        )
    )
    told = sum(half == (True, False) for half in halves)
    neither = sum(half == (False, False) for half in halves)
    print(f"half-right answers: {len(halves)}; {told} told apart, {neither} with neither half verified")
    false = sum(sum(seen) for way, seen in counts.items() if not way.startswith("right, ") and way != "right")
    true = sum(sum(seen) for way, seen in counts.items()) - false
    on_page = counts["right, on the page"]
    print(
        f"precision {true / (true + false):.3f} of what is verified; recall {sum(on_page) / len(on_page):.3f}"
    )


if __name__ == "__main__":
    main()
