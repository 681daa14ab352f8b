"""Verifying: every damage is named, and nothing else."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from ragvl.errors import IndexNotFoundError
from ragvl.indexers.store import verify
from ragvl.indexers.store.database import DATABASE_FILE, PAGE_BYTES, open_database
from ragvl.indexers.store.rendered import keep_rendered
from ragvl.indexers.store.verify import verify_index
from ragvl.indexers.store.writer import IndexWriter
from tests.reliability.harness import open_writer, put


def _named(folder: Path) -> set[str]:
    return {damage.file for damage in verify_index(folder).damages}


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def test_a_sound_index_is_sound(index: Path) -> None:
    """All files are counted, nothing is found, nothing is changed."""
    keep_rendered(index, "ab" * 32, 1, 110, b"image")
    before = {path: path.read_bytes() for path in index.rglob("*") if path.is_file()}
    report = verify_index(index)
    assert (report.files, report.damages) == (6, ())
    assert report.size_bytes == sum(map(len, before.values()))
    assert {path: path.read_bytes() for path in index.rglob("*") if path.is_file()} == before


def test_every_page_of_the_database_is_looked_at(index: Path) -> None:
    """A flip in any page is named with the page, free pages too."""
    with open_writer(index) as writer, writer.batch() as batch:
        put(batch, "long.txt", "word " * 5000)
    with open_writer(index) as writer, writer.batch() as batch:
        batch.drop_file(b"long.txt")
    path = index / DATABASE_FILE
    pages = path.stat().st_size // PAGE_BYTES
    chance = random.Random(0)
    for number in range(1, pages + 1):
        place = (number - 1) * PAGE_BYTES + chance.randrange(PAGE_BYTES)
        _flip(path, place)
        (damage, *_) = verify_index(index).damages
        assert damage.file == DATABASE_FILE
        assert f"page {number} " in damage.what or "header" in damage.what
        _flip(path, place)
    assert not verify_index(index).damages


def test_a_damaged_or_lost_segment_is_named(index: Path) -> None:
    """By its file."""
    first, second, _ = sorted(index.rglob("*.seg"))
    _flip(first, 100)
    second.unlink()
    assert _named(index) == {str(path.relative_to(index)) for path in (first, second)}


def test_swapped_segments_are_named(index: Path) -> None:
    """A sound file in the wrong place is damage."""
    first, second, third = sorted(index.rglob("*.seg"))
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    assert _named(index) == {str(path.relative_to(index)) for path in (first, second)}
    assert third.exists()


def test_a_file_that_lost_its_end_is_named(index: Path) -> None:
    """Every file, cut anywhere."""
    for path in [index / DATABASE_FILE, *index.rglob("*.seg")]:
        whole = path.read_bytes()
        for kept in (0, 1, len(whole) // 2, len(whole) - PAGE_BYTES, len(whole) - 1):
            path.write_bytes(whole[: max(0, kept)])
            assert _named(index) == {str(path.relative_to(index))}
        path.write_bytes(whole)
    assert not _named(index)


def test_a_database_of_another_generation_is_named(index: Path, tmp_path: Path) -> None:
    """Segments that an older database does not know are swept, those that it misses are named."""
    old = tmp_path / "old.db"
    shutil.copy(index / DATABASE_FILE, old)
    with open_writer(index) as writer:
        writer.rewrite(writer.segments())
    shutil.copy(old, index / DATABASE_FILE)
    assert len(_named(index)) == 3


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DELETE FROM page_terms WHERE rowid = 2", "pages without terms: 1"),
        ("DELETE FROM pages WHERE id = 2", "passages without page: 1"),
        ("DELETE FROM passages WHERE id = 2", "passage terms without passage: 1"),
        ("DELETE FROM files WHERE document_id = 2", "documents without file: 1"),
        ("DELETE FROM segments WHERE id = 2", "1 passages have no vector, 2 vectors for 3"),
        ("INSERT INTO tombstones VALUES ('text', 2, 2)", "1 passages have no vector, 2 vectors for 3"),
    ],
)
def test_rows_without_their_counterpart_are_named(index: Path, statement: str, what: str) -> None:
    """Checksums cannot see what a faulty program wrote; the counts can."""
    connection = open_database(index, writable=True)
    connection.pragma("foreign_keys", False)
    connection.execute(statement)
    connection.close()
    assert what in {damage.what for damage in verify_index(index).damages}


def test_a_page_that_is_being_written_is_read_again(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint under way tears pages for an instant; that is no damage."""
    torn = iter([True, True])
    original = verify._page

    def page(file: object, number: int) -> bytes:
        content = original(file, number)  # type: ignore[arg-type]
        return content[:100] + bytes(len(content) - 100) if number == 2 and next(torn, False) else content

    monkeypatch.setattr(verify, "_page", page)
    assert not verify_index(index).damages


def test_pages_that_the_log_replaces_do_not_count(index: Path) -> None:
    """A writer that died while it folded the log leaves torn pages, which the log holds whole."""
    writer = IndexWriter(index)
    writer._fold_log = lambda: None  # type: ignore[method-assign]
    with writer.batch() as batch:
        put(batch, "new.txt", "a gale")
    logged = verify._logged_pages(index / DATABASE_FILE)
    place = max(number for number in logged if number * PAGE_BYTES <= (index / DATABASE_FILE).stat().st_size)
    _flip(index / DATABASE_FILE, place * PAGE_BYTES - 50)
    assert not verify_index(index).damages
    writer.close()
    assert not verify_index(index).damages


def test_verifying_nothing_is_an_error(tmp_path: Path) -> None:
    """A folder without an index is not sound."""
    with pytest.raises(IndexNotFoundError):
        verify_index(tmp_path)
