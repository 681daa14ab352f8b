"""ragvl as a system under test: whatever a corpus is made of, pages come back under the corpus's own ids."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

import ragvl
from ragvl.errors import ConfigError, IndexNotFoundError, RagvlError
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.systems.page_files import write_page_files
from ragvl.evals.systems.ragvl import RagvlSystem
from ragvl.evals.types import CorpusPage, EvalDocument, EvalQuery, EvalSet
from ragvl.indexers.store.files import sha256_of
from ragvl.testing import make_pdf

CRANES = ("The harbour crane lifts forty tonnes.", "Maintenance of the crane is due every third winter.")
BREAD = ("Rye bread rises slowly in a cold kitchen.",)
ODD_IDS = ("a/b#1", "a:b#1", "A/B#1", "  ", "日本 – ü", "x" * 300, "..", "d1*[?]")
TWIN = "The lighthouse keeper is called Ilka Brandt."


def make_corpus(folder: Path, files: Mapping[str, tuple[str, ...]]) -> EvalSet:
    """Write PDFs whose names are the ids of documents, and page ids such as "cranes.pdf#2"."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = []
    for name, texts in files.items():
        (folder / name).write_bytes(make_pdf(texts))
        documents.append(EvalDocument(name, folder / name))
    pages = tuple(
        CorpusPage(f"{name}#{number}", name, number)
        for name, texts in files.items()
        for number in range(1, len(texts) + 1)
    )
    return EvalSet("own", "", "r1", "ndcg@5", tuple(documents), pages, (), {})


def text_corpus(texts: Mapping[str, str], documents: Mapping[str, str] | None = None) -> EvalSet:
    """Make a corpus of page texts by id."""
    pages = tuple(
        CorpusPage(page, (documents or {}).get(page, page), 1, text=text) for page, text in texts.items()
    )
    return EvalSet("texts", "", "r1", "ndcg@5", (), pages, (), {})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> EvalSet:
    """Two PDFs, one with a name that is a pattern."""
    return make_corpus(tmp_path_factory.mktemp("files"), {"cranes [v1]*.pdf": CRANES, "bröd.pdf": BREAD})


@pytest.fixture(scope="module")
def indexed(files: EvalSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RagvlSystem]:
    """A system that has these two."""
    system = RagvlSystem(SystemOptions(tmp_path_factory.mktemp("work")))
    figures = system.index(files)
    assert (figures.pages, figures.failed) == (3, ())
    assert figures.seconds > 0
    assert figures.bytes > 0
    assert figures.peak_memory_bytes > 1 << 20
    yield system
    system.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., RagvlSystem]]:
    """Systems that share a work folder, and are closed at the end."""
    made = []

    def new(**options: object) -> RagvlSystem:
        made.append(RagvlSystem(SystemOptions(tmp_path / "work", **options)))  # type: ignore[arg-type] # the test's own
        return made[-1]

    yield new
    for system in made:
        system.close()


def test_pages_of_files_have_the_corpus_s_ids(indexed: RagvlSystem) -> None:
    """By document and page number."""
    found = indexed.search(EvalQuery("q", "How much can the harbour crane lift?"), 10)
    assert next(iter(found)) == "cranes [v1]*.pdf#1"
    assert set(found) == {"cranes [v1]*.pdf#1", "cranes [v1]*.pdf#2", "bröd.pdf#1"}


def test_one_document_alone_is_searched(indexed: RagvlSystem) -> None:
    """A name with brackets and stars means itself."""
    query = EvalQuery("q", "How much can the harbour crane lift?")
    assert set(indexed.search(query, 10, "cranes [v1]*.pdf")) == {"cranes [v1]*.pdf#1", "cranes [v1]*.pdf#2"}
    assert set(indexed.search(query, 10, "bröd.pdf")) == {"bröd.pdf#1"}
    assert indexed.search(query, 10, "no such document") == {}


def test_answers_cite_pages_of_the_corpus(indexed: RagvlSystem) -> None:
    """With the place as shares of the page, and the context that the generator was given."""
    answer = indexed.answer(EvalQuery("q", "How much can the harbour crane lift?"))
    assert not answer.refused
    assert 0 < answer.confidence <= 1
    (citation, *_) = answer.citations
    assert (citation.page, citation.in_context, citation.verified) == ("cranes [v1]*.pdf#1", True, True)
    assert len(answer.context) == 3
    ((x0, y0, x1, y1), *_) = citation.boxes
    # The line is set at 72 of 595 points from the left, and 72 of 842 from the top.
    assert x0 == pytest.approx(72 / 595, abs=0.01)
    assert 0.05 < y0 < y1 < 0.12
    assert x0 < x1 < 1


def test_given_pages_alone_are_answered_from(indexed: RagvlSystem) -> None:
    """The oracle's context holds them all, and nothing else, wherever the search would look."""
    query = EvalQuery("q", "How much can the harbour crane lift?")
    answer = indexed.answer(query, ("bröd.pdf#1",))
    assert answer.context == ("bröd.pdf#1",)
    assert {citation.page for citation in answer.citations} <= {"bröd.pdf#1"}
    both = indexed.answer(query, ("cranes [v1]*.pdf#2", "bröd.pdf#1"))
    assert set(both.context) == {"cranes [v1]*.pdf#2", "bröd.pdf#1"}
    with pytest.raises(RagvlError, match="none of the pages nowhere"):
        indexed.answer(query, ("nowhere",))


def test_a_corpus_is_indexed_once(
    files: EvalSet, make: Callable[..., RagvlSystem], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later process finds the index and what it cost; other settings or another revision make another."""
    first = make()
    figures = first.index(files)
    monkeypatch.setattr(ragvl.Library, "index", lambda *_, **__: pytest.fail("indexed again"))
    second = make(settings={"retrieval": {"candidates": 50}})
    assert second.index(files) == figures
    assert second.describe()["index"] == first.describe()["index"]
    assert second.describe() != first.describe()
    with pytest.raises(pytest.fail.Exception):
        make(settings={"passages": {"target_words": 60}}).index(files)
    with pytest.raises(pytest.fail.Exception):
        make().index(replace(files, revision="r2"))


def test_odd_ids_and_equal_pages(make: Callable[..., RagvlSystem], tmp_path: Path) -> None:
    """Ids that no file could be named by come back as they are; pages of the same text are found together."""
    texts = {page: f"Item {place} weighs {place + 3} kilograms." for place, page in enumerate(ODD_IDS)}
    texts |= {"twin one": TWIN, "twin two": TWIN, "blank": ""}
    documents = {"twin one": "left", "twin two": "right"}
    system = make()
    figures = system.index(text_corpus(texts, documents))
    assert [one for one in figures.failed if "blank" not in one] == []
    found = system.search(EvalQuery("q", "kilograms"), 20)
    assert found.keys() >= set(ODD_IDS)
    assert "blank" not in found
    keeper = EvalQuery("q", "Who is the lighthouse keeper?")
    best = system.search(keeper, 2)
    assert set(best) == {"twin one", "twin two"}
    assert len(set(best.values())) == 1
    assert set(system.search(keeper, 5, "left")) == {"twin one"}
    assert set(system.search(keeper, 5, "right")) == {"twin two"}
    assert set(system.answer(keeper, ("twin two",)).context) >= {"twin two"}
    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "work")]
    assert outside == [tmp_path / "work"] or outside == []


def test_images_are_read(make: Callable[..., RagvlSystem]) -> None:
    """A corpus of pictures is written to files without loss, read by OCR, and found."""
    images = [drawn("The harbour crane lifts forty tonnes"), drawn("Rye bread rises slowly")]
    pages = tuple(
        CorpusPage(f"corpus-test-{number}", "book", number + 1, partial(images[number].copy))
        for number in range(2)
    )
    system = make()
    system.index(EvalSet("pictures", "", "r1", "ndcg@5", (), pages, (), {}))
    query = EvalQuery("q", "harbour crane tonnes")
    assert next(iter(system.search(query, 2))) == "corpus-test-0"
    assert set(system.search(query, 2, "book")) <= {"corpus-test-0", "corpus-test-1"}
    ((box, *_), *_) = [citation.boxes for citation in system.answer(query, ("corpus-test-0",)).citations]
    assert all(0 <= share <= 1 for share in box)


def test_page_images_lose_nothing(tmp_path: Path) -> None:
    """Pixel by pixel, and a file that is there is not written again."""
    image = Image.effect_noise((64, 48), 90).convert("RGB")
    opened: list[str] = []

    def open_image() -> Image.Image:
        opened.append("")
        return image.copy()

    corpus = EvalSet("one", "", "r1", "ndcg@5", (), (CorpusPage("p", "d", 1, open_image),), (), {})
    hashes = write_page_files(corpus, "images", tmp_path)
    (path,) = tmp_path.rglob("*.png")
    assert hashes == {"p": sha256_of(path)}
    with Image.open(path) as written:
        assert written.tobytes() == image.tobytes()
    assert write_page_files(corpus, "images", tmp_path) == hashes
    assert len(opened) == 1


def test_what_pages_are_read_from_can_be_chosen(files: EvalSet, make: Callable[..., RagvlSystem]) -> None:
    """What a corpus does not have is refused, saying what it has."""
    with pytest.raises(RagvlError, match="no images of all its pages; it has: files"):
        make(read="images").index(files)
    with pytest.raises(RagvlError, match="files, images, text or auto, not from 'paper'"):
        make(read="paper").index(files)
    with pytest.raises(RagvlError, match="neither files nor images nor text"):
        make().index(replace(files, documents=()))


# --- a ready index --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ready(files: EvalSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of copies of the files, one of them under another name."""
    folder = tmp_path_factory.mktemp("ready")
    (folder / "docs").mkdir()
    shutil.copy(files.documents[0].path, folder / "docs" / "renamed.pdf")
    shutil.copy(files.documents[1].path, folder / "docs" / "bröd.pdf")
    with ragvl.open(folder / ".ragvl") as library:
        library.index(folder / "docs")
    return folder


def test_a_ready_index_is_searched_as_it_is(
    files: EvalSet, ready: Path, make: Callable[..., RagvlSystem]
) -> None:
    """Its documents are told by their content, whatever they are called; nothing was indexed."""
    system = make(index=ready)
    figures = system.index(files)
    assert (figures.pages, figures.seconds) == (3, 0.0)
    query = EvalQuery("q", "How much can the harbour crane lift?")
    assert next(iter(system.search(query, 3))) == "cranes [v1]*.pdf#1"
    assert set(system.search(query, 3, "cranes [v1]*.pdf")) == {"cranes [v1]*.pdf#1", "cranes [v1]*.pdf#2"}


def test_a_set_without_its_files_is_matched_by_name(
    files: EvalSet, ready: Path, make: Callable[..., RagvlSystem], tmp_path: Path
) -> None:
    """There is nothing else to tell them by; what the index does not have is named."""
    away = tuple(EvalDocument(one.id, tmp_path / "away" / one.path.name) for one in files.documents)
    with pytest.raises(RagvlError, match=r"lacks 1 of 2 documents .* cranes \[v1\]\*.pdf \(not indexed\)"):
        make(index=ready).index(replace(files, documents=away))
    known = replace(files, documents=away[1:], pages=files.pages[2:])
    system = make(index=ready)
    system.index(known)
    assert set(system.search(EvalQuery("q", "crane or bread"), 5)) == {"bröd.pdf#1"}


def test_an_index_of_other_files_is_refused(
    ready: Path, make: Callable[..., RagvlSystem], tmp_path: Path
) -> None:
    """Another file of the same name, and pages beyond the end."""
    other = make_corpus(tmp_path / "other", {"bröd.pdf": ("Wheat bread.",)})
    with pytest.raises(RagvlError, match=r"bröd.pdf \(another file has its name\)"):
        make(index=ready).index(other)
    longer = make_corpus(tmp_path / "longer", {"bröd.pdf": BREAD})
    longer = replace(longer, pages=(*longer.pages, CorpusPage("bröd.pdf#4", "bröd.pdf", 4)))
    with pytest.raises(RagvlError, match=r"bröd.pdf \(pages 2 to 4 are missing\)"):
        make(index=ready).index(longer)


def test_wrong_options(files: EvalSet, make: Callable[..., RagvlSystem], tmp_path: Path) -> None:
    """Each says what to do."""
    with pytest.raises(ConfigError, match="did you mean 'candidates'"):
        make(settings={"retrieval": {"candidate": 50}})
    with pytest.raises(ConfigError, match="no profile named 'embeded'"):
        make(profile="embeded")
    with pytest.raises(RagvlError, match="leave out --read"):
        make(index=tmp_path, read="files")
    with pytest.raises(IndexNotFoundError, match="no index at"):
        make(index=tmp_path).index(files)


def drawn(text: str) -> Image.Image:
    """Draw a line of large type."""
    image = Image.new("RGB", (900, 200), "white")
    ImageDraw.Draw(image).text((40, 70), text, fill="black", font=ImageFont.load_default(40))
    return image
