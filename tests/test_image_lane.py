"""The image lane through the library: pages found by what they look like, kept as safely as the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import ragvl
from ragvl.errors import ConfigError, IndexMismatchError
from ragvl.indexers.store.writer import IndexWriter
from ragvl.library import Library
from ragvl.testing import HashEncoder, HashPageEncoder, write_documents
from ragvl.types import DocumentStatus, Hit
from tests.indexers.encoders.vision.checkpoints import tiny_colmodernvbert

_SETTINGS = {"reading": {"workers": 1, "ocr": {"pages": False, "figures": False}}}


def _open(folder: Path, encoder: HashPageEncoder | None) -> Library:
    return ragvl.open(
        folder / ".ragvl",
        profile="embedded",
        overrides=_SETTINGS,
        encoder=HashEncoder(),
        page_encoder=encoder,
    )


def _paint(path: Path, colour: str) -> None:
    Image.new("RGB", (300, 200), colour).save(path)


@pytest.fixture(params=[True, False], ids=["bags", "vectors"])
def encoder(request: pytest.FixtureRequest) -> HashPageEncoder:
    """One that makes a bag of vectors a page, and one that makes a single vector."""
    return HashPageEncoder(late_interaction=request.param)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Three painted pages without a word, and two written ones."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for colour in ("red", "green", "blue"):
        _paint(folder / f"{colour[0]}.png", colour)
    write_documents(folder, {"report.pdf": ["The crane lifts forty tonnes.", "A red buoy marks the wreck."]})
    return folder


def _places(hits: list[Hit]) -> list[tuple[str, int]]:
    return [(Path(hit.page.document.path).name, hit.page.number) for hit in hits]


def test_a_page_without_words_is_found_by_what_it_shows(
    tmp_path: Path, docs: Path, encoder: HashPageEncoder
) -> None:
    """Its colour is in no text; the lane is named on the hit."""
    with _open(tmp_path, encoder) as library:
        assert library.index(docs).pages == 5
        (best, *_) = library.search("green", k=3)
        assert Path(best.page.document.path).name == "g.png"
        assert "image" in {rank.lane for rank in best.lanes}
        assert set(_places(library.search("red", k=2))) == {("r.png", 1), ("report.pdf", 2)}
        assert not library.verify().damages
    assert not list((tmp_path / ".ragvl").glob("drawn*"))


def test_hits_say_where_the_query_met_the_page(tmp_path: Path, docs: Path) -> None:
    """A word that is read is met at its box, a colour at its patch."""
    with _open(tmp_path, HashPageEncoder()) as library:
        library.index(docs)
        (hit,) = library.search("red buoy", k=1)
        assert [(match.start, match.end, match.source) for match in hit.matches] == [
            (0, 3, "text"),
            (4, 8, "text"),
        ]
        x0, y0, x1, y1 = hit.matches[1].region.bbox_pt
        assert 72 < x0 < x1 < 200
        assert 50 < y0 < y1 < 80
        assert hit.matches[1].similarity == pytest.approx(1, abs=0.01)
        (painted,) = library.search("blue", k=1)
        assert painted.matches[0].source == "image"


def test_documents_come_change_and_go(tmp_path: Path, docs: Path, encoder: HashPageEncoder) -> None:
    """What is removed or changed is never found again, across reopenings and merges."""
    with _open(tmp_path, encoder) as library:
        library.index(docs)
    (docs / "r.png").unlink()
    _paint(docs / "b.png", "yellow")
    with _open(tmp_path, encoder) as library:
        library.index(docs)
        assert ("r.png", 1) not in _places(library.search("red", k=10))
        assert _places(library.search("yellow", k=1)) == [("b.png", 1)]
        library.compact()
        assert _places(library.search("yellow", k=1)) == [("b.png", 1)]
        assert len(_places(library.search("green", k=10))) <= 4
        assert not library.verify().damages
    with IndexWriter(tmp_path / ".ragvl") as writer:
        assert sorted((record.lane, record.entries) for record in writer.segments()) == [
            ("image", 4),
            ("text", 2),
        ]


def test_filters_hold_in_the_lane(tmp_path: Path, docs: Path, encoder: HashPageEncoder) -> None:
    """A better page that is not allowed is not there."""
    with _open(tmp_path, encoder) as library:
        library.index(docs)
        found = library.search("red", k=5, where={"media_type": "application/pdf"})
        assert {place[0] for place in _places(found)} == {"report.pdf"}


def test_a_damaged_segment_is_named_and_made_again(
    tmp_path: Path, docs: Path, encoder: HashPageEncoder
) -> None:
    """The rest goes on answering; `verify` with repair draws and encodes the lost pages anew."""
    with _open(tmp_path, encoder) as library:
        library.index(docs)
        before = [_places(library.search(query, k=5)) for query in ("red", "green", "crane")]
    (segment,) = (tmp_path / ".ragvl" / "segments" / "image").iterdir()
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 4
    segment.write_bytes(bytes(content))
    with _open(tmp_path, encoder) as library:
        assert _places(library.search("crane", k=1)) == [("report.pdf", 1)]
        assert [damage.file for damage in library.verify().damages] == [f"segments/image/{segment.name}"]
        assert not library.verify(repair=True).damages
        assert [_places(library.search(query, k=5)) for query in ("red", "green", "crane")] == before
    assert (tmp_path / ".ragvl" / "quarantine" / segment.name).is_file()


def test_another_encoder_is_refused(tmp_path: Path, docs: Path) -> None:
    """For indexing and for searching, naming the field."""
    with _open(tmp_path, HashPageEncoder()) as library:
        library.index(docs)
    other = HashPageEncoder(fingerprint="other")
    with _open(tmp_path, other) as library:
        with pytest.raises(IndexMismatchError, match=r"image\.space"):
            library.search("red")
        with pytest.raises(IndexMismatchError, match=r"image\.(space|fingerprint)"):
            library.index(docs)
    with _open(tmp_path, None) as library, pytest.raises(IndexMismatchError, match=r"image\.encoder"):
        library.index(docs)


def test_an_index_with_the_lane_is_searched_without_it(tmp_path: Path, docs: Path) -> None:
    """Where there is no page encoder, words and their meaning still find pages."""
    with _open(tmp_path, HashPageEncoder()) as library:
        library.index(docs)
    with _open(tmp_path, None) as library:
        (hit, *_) = library.search("crane")
        assert ({rank.lane for rank in hit.lanes}, hit.matches) == ({"lexical", "text"}, ())


def test_a_query_encoder_of_the_same_space_is_taken(tmp_path: Path, docs: Path) -> None:
    """Pages encoded by one, queries by another: what they have in common is the space."""
    with _open(tmp_path, HashPageEncoder()) as library:
        library.index(docs)
    queries = HashPageEncoder(name="small", fingerprint="smaller")
    queries.space = "shake-256"
    with _open(tmp_path, queries) as library:
        assert _places(library.search("green", k=1)) == [("g.png", 1)]


def test_a_query_model_needs_the_name_of_its_space(tmp_path: Path) -> None:
    """Two models are never taken to fit because nothing was said."""
    overrides = {"image": {"encoder": "multi-vector", "model": "a/pages", "query_model": "a/queries"}}
    with pytest.raises(ConfigError, match=r"image\.query_model needs image\.space"):
        ragvl.open(tmp_path / ".ragvl", overrides=overrides)


def test_an_estimate_knows_the_lane(tmp_path: Path, docs: Path, encoder: HashPageEncoder) -> None:
    """Seconds and bytes a page, and memory, from a probe; nothing is written."""
    with _open(tmp_path, encoder) as library:
        estimate = library.estimate(docs)
        assert estimate.image is not None
        assert estimate.image.seconds_a_page > 0
        assert estimate.image.bytes_a_page > 100
        assert estimate.image.memory_bytes > 1 << 20
    assert not (tmp_path / ".ragvl").exists()


def test_documents_keep_their_status(tmp_path: Path, docs: Path, encoder: HashPageEncoder) -> None:
    """Drawing pages changes nothing about how they are read."""
    with _open(tmp_path, encoder) as library:
        library.index(docs)
        assert {document.status for document in library.documents()} == {DocumentStatus.OK}


def test_a_real_format_is_indexed_searched_and_shown(tmp_path: Path, docs: Path) -> None:
    """From a model folder as it is published (tiny, with random weights) to hits, heat and a copied index."""
    model = tiny_colmodernvbert(tmp_path / "model")
    settings = {**_SETTINGS, "image": {"encoder": "multi-vector", "model": str(model), "max_side_px": 256}}
    with ragvl.open(tmp_path / ".ragvl", "embedded", overrides=settings, encoder=HashEncoder()) as library:
        library.index(docs)
        (hit, *_) = library.search("a red buoy", k=3)
        assert hit.matches
        assert {match.source for match in hit.matches} <= {"image", "text"}
        heat = library.heat_map("a red buoy", hit)
        assert heat is not None
        assert [("a red buoy"[word.start : word.end]) for word in heat.words] == ["a", "red", "buoy"]
        before = _places(library.search("a red buoy", k=5))
    with ragvl.open(tmp_path / ".ragvl", encoder=HashEncoder()) as library:
        assert library.config.image.model == str(model)
        assert _places(library.search("a red buoy", k=5)) == before
