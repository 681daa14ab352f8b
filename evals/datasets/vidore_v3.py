"""
ViDoRe v3 (Loison et al., 2026): graded pages, reference answers, and boxes by several annotators, in six query
languages.

Three forms of the same data are read: the publishers' own (`vidore_v3_hr`), which alone has answers and boxes; the
one that mteb scores (`vidore_v3_hr_mteb`); and mteb's v3.1 with recognised text (`vidore_v3_hr_ocr`). The revisions of
the last two are those that mteb 2.26 pins in its task files; of the first, the newest commit is loaded and recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ragvl.evals.datasets.beir import image_set, read_boxes, read_judgements, read_pages, read_queries
from ragvl.evals.datasets.boards import KnownSet, LoadOptions
from ragvl.evals.datasets.languages import CODES, name_of, wanted_codes
from ragvl.evals.datasets.source import Repository, Source
from ragvl.evals.types import EvalQuery, EvalSet

__all__ = ["VIDORE_V3", "VIDORE_V3_MTEB", "VIDORE_V3_OCR"]

_LANGUAGES = tuple(CODES.values())
_GROUPS = {"query type": "query_types", "query format": "query_format", "content type": "content_type"}


def _load_native(known: KnownSet, options: LoadOptions) -> EvalSet:
    wanted = wanted_codes(options.language, known.languages, known.name)
    source = known.open(options)
    pages = read_pages(source.table("corpus", "test"))
    asked = read_queries(source.table("queries", "test"), answers=("answer", "raw_answers"), groups=_GROUPS)
    queries = tuple(query for query in asked if query.language in wanted)
    judgements = source.table("qrels", "test")
    relevance = read_judgements(judgements, queries)
    return image_set(
        known.name,
        board=f"ViDoRe v3, {_queries(wanted)}; this is 1 of its 8 public datasets",
        revision=source.revision,
        main_metric="ndcg@10",
        pages=pages,
        queries=queries,
        relevance=relevance,
        boxes=read_boxes(judgements, queries),
    )


def _load_mteb(known: KnownSet, options: LoadOptions) -> EvalSet:
    wanted = wanted_codes(options.language, known.languages, known.name)
    source = known.open(options)
    pages = read_pages(source.table(f"{_word(wanted[0])}-corpus", "test"))
    parts = [_language_part(source, code) for code in wanted]
    if len({query.id for part in parts for query in part.queries}) < sum(len(part.queries) for part in parts):
        parts = [part.marked() for part in parts]
    relevance = {query: judged for part in parts for query, judged in part.relevance.items()}
    version = "v3.1 (recognised text)" if known.name.endswith("_ocr") else "v3"
    return image_set(
        known.name,
        board=(
            f"ViDoRe {version} as mteb scores it, {_queries(wanted)}; this is 1 of 8 public datasets, mteb's board is "
            "the mean of 10, 2 of them private"
        ),
        revision=source.revision,
        main_metric="ndcg@10",
        pages=pages,
        queries=tuple(query for part in parts for query in part.queries),
        relevance=relevance,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """Queries of one language with their judgements."""

    code: str
    queries: tuple[EvalQuery, ...]
    relevance: dict[str, dict[str, int]]

    def marked(self) -> _Part:
        """The same, with the language before every id: the languages of a set may repeat each other's ids."""
        queries = tuple(replace(query, id=f"{self.code}:{query.id}") for query in self.queries)
        return _Part(
            self.code, queries, {f"{self.code}:{query}": each for query, each in self.relevance.items()}
        )


def _language_part(source: Source, code: str) -> _Part:
    word = _word(code)
    queries = read_queries(source.table(f"{word}-queries", "test"), language=code)
    return _Part(code, queries, read_judgements(source.table(f"{word}-qrels", "test"), queries))


def _word(code: str) -> str:
    return name_of(code).lower()


def _queries(wanted: Sequence[str]) -> str:
    return f"{name_of(wanted[0])} queries" if len(wanted) == 1 else f"all {len(wanted)} query languages"


_SUBSETS = (
    ("hr", "European reports on work and employment", 1110, 318, "Hr",
     "bc7d43d64815ed30f664168c8052106484aba7fd", "dfd4b43eb04bc516860fe5d3cbff67769944833e"),
    ("finance_en", "annual reports of American banks", 2942, 309, "FinanceEn",
     "fa78cb14152b3dde8c5defdc4e3ddf50de69dfeb", "2a88e3e92aea41c8ab9bddaac7983f3b490dcacc"),
    ("finance_fr", "French annual reports, in French", 2384, 320, "FinanceFr",
     "8a2adfda85a7967c7252129703d9b3c7c9f038a9", "f39c5f63623a30d9ab946180e8d698126887e7c4"),
    ("industrial", "technical orders on aircraft", 5244, 283, "Industrial",
     "f732b725cf4a70803210edfe265a04f8bd5328f6", "ff40e351f82d26dc8b406edf13b6471f00e378d0"),
    ("pharmaceuticals", "slides and books on medicines", 2313, 364, "Pharmaceuticals",
     "237ed4f43c7fb3c4df07ec4e9dd0a4366be555b0", "87e635f6d399614218191eb8b9b85ccfd809e6bb"),
    ("computer_science", "textbooks on computer science", 1360, 215, "ComputerScience",
     "fb7fb69f81f7db62790f40494124b8ad22b424ab", "4d42cf85d8b8117935c04698b5b7fd3c70c8c9f4"),
    ("energy", "reports on energy, in French", 2225, 308, "Energy",
     "84fca99e5978604bae30f2436eacb6dbaa0532e9", "575fbadfa82b5b5f1d503f4201d1a7d88602b4d8"),
    ("physics", "lecture slides on physics, in French", 1674, 302, "Physics",
     "2c18ef90ab3ef93a9d86ecc6521cdae2a29f8300", "948c9fb4d61518c042a59aea5ac3e3d528cea19b"),
)  # fmt: skip


def _row(suffix: str, subset: tuple[str, str, int, int, str, str, str]) -> KnownSet:
    name, what, pages, queries, mteb_name, mteb_revision, ocr_revision = subset
    repository, form, load = {
        "": (Repository(f"vidore/vidore_v3_{name}"), "with answers and boxes", _load_native),
        "_mteb": (
            Repository(f"vidore/vidore_v3_{name}_mteb_format", mteb_revision),
            "as mteb scores it",
            _load_mteb,
        ),
        "_ocr": (
            Repository(f"mteb/Vidore3{mteb_name}OCRRetrieval", ocr_revision),
            "v3.1, with text",
            _load_mteb,
        ),
    }[suffix]
    return KnownSet(
        name=f"vidore_v3_{name}{suffix}",
        what=f"{what}; {form}",
        size=f"{pages} pages, {queries} queries a language",
        licence="CC BY 4.0 (annotations)",
        repository=repository,
        load=load,
        languages=_LANGUAGES,
        choices=("language",),
    )


VIDORE_V3 = tuple(_row("", subset) for subset in _SUBSETS)
VIDORE_V3_MTEB = tuple(_row("_mteb", subset) for subset in _SUBSETS)
VIDORE_V3_OCR = tuple(_row("_ocr", subset) for subset in _SUBSETS)
