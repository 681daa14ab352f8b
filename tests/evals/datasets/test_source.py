"""Copies of public datasets that are not whole, the Hub out of reach, and what is said then."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest

from ragvl.errors import MissingExtraError
from ragvl.evals.datasets import DatasetError, load_set
from ragvl.evals.datasets.source import Repository, open_source
from tests.evals.datasets.copies import PICTURE, TEXT, WHOLE, Tables, picture, write_copy

PINNED = "179762404662be6bf48c30b4fb2b2ef8c6891290"
OTHER = "0123456789abcdef0123456789abcdef01234567"


def _tables(query: str = "query") -> Tables:
    return {
        "corpus": ({"corpus-id": [1], "image": [picture()]}, {"corpus-id": WHOLE, "image": PICTURE}),
        "queries": ({"query-id": [1], query: ["what?"]}, {"query-id": WHOLE, query: TEXT}),
        "qrels": (
            {"query-id": [1], "corpus-id": [1], "score": [1]},
            {"query-id": WHOLE, "corpus-id": WHOLE, "score": WHOLE},
        ),
    }


class Hub:
    """Stands in for the Hub: gives out a folder, or fails as it does without a connection."""

    def __init__(self, folder: Path | None, *, online: bool = True) -> None:
        self.folder = folder
        self.online = online
        self.asked: list[dict[str, Any]] = []

    def dataset_info(self, repository: str, *, revision: str | None, timeout: float) -> Any:
        """What the Hub knows of a repository."""
        if not self.online:
            raise RuntimeError("Name or service not known")
        return SimpleNamespace(sha=revision if revision and len(revision) == 40 else OTHER)

    def snapshot_download(self, repository: str, **options: Any) -> str:
        """Where a commit lies on this machine."""
        self.asked.append({"repository": repository, **options})
        if self.folder is None or not (self.online or options["local_files_only"]):
            raise RuntimeError("nothing here")
        return str(self.folder)

    def put_in_place(self, monkeypatch: pytest.MonkeyPatch) -> Hub:
        """Let ragvl talk to this one."""
        monkeypatch.setattr(huggingface_hub, "HfApi", lambda: self)
        monkeypatch.setattr(huggingface_hub, "snapshot_download", self.snapshot_download)
        return self


def test_the_pinned_commit_is_loaded_and_only_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its whole hash, table by table, as data without code."""
    hub = Hub(write_copy(tmp_path / "copy", _tables())).put_in_place(monkeypatch)
    loaded = load_set("vidore_v1_arxivqa")
    assert loaded.revision == PINNED
    assert {(each["repository"], each["revision"]) for each in hub.asked} == {
        ("mteb/arxivqa_test_subsampled_beir", PINNED)
    }
    patterns = {pattern for each in hub.asked for pattern in each["allow_patterns"]}
    assert patterns == {"README.md", "corpus/test-*", "queries/test-*", "qrels/test-*"}


@pytest.mark.parametrize(("revision", "recorded"), [(None, OTHER), ("main", OTHER), (PINNED, PINNED)])
def test_the_commit_of_a_set_without_a_pin_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revision: str | None, recorded: str
) -> None:
    """A branch is resolved; a commit is taken as it is."""
    Hub(tmp_path).put_in_place(monkeypatch)
    assert open_source(Repository("someone/something"), revision=revision or "").revision == recorded


def test_what_is_on_this_machine_needs_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pinned set that was loaded before loads again; a set without a pin cannot be resolved."""
    hub = Hub(write_copy(tmp_path / "copy", _tables()), online=False).put_in_place(monkeypatch)
    assert len(load_set("vidore_v1_arxivqa").pages) == 1
    assert all(each["local_files_only"] for each in hub.asked)
    with pytest.raises(DatasetError, match="vidore/vidore_v3_hr could not be had"):
        load_set("vidore_v3_hr")


def test_out_of_reach_says_what_to_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command, the commit, and what to do with the folder."""
    Hub(None, online=False).put_in_place(monkeypatch)
    with pytest.raises(DatasetError) as caught:
        load_set("vidore_v1_arxivqa")
    message = str(caught.value)
    assert "(Name or service not known)" in message
    assert (
        f"hf download mteb/arxivqa_test_subsampled_beir --repo-type dataset --revision {PINNED} "
        "--local-dir arxivqa_test_subsampled_beir" in message
    )


def test_the_copy_that_the_command_makes_is_recognised(tmp_path: Path) -> None:
    """By the repository's name; its commit is read from the notes that `hf download` leaves."""
    copy = write_copy(tmp_path / "arxivqa_test_subsampled_beir", _tables())
    hashed = load_set(copy)
    assert hashed.name == "vidore_v1_arxivqa"
    assert hashed.revision.startswith("sha256:")
    notes = copy / ".cache" / "huggingface" / "download" / "corpus"
    notes.mkdir(parents=True)
    (notes / "test-00000-of-00001.parquet.metadata").write_text(f"{PINNED}\nabc\n1.0\n")
    assert load_set(str(copy)).revision == PINNED


def test_a_hash_follows_the_data(tmp_path: Path) -> None:
    """Same data, same revision, wherever it lies; other data, another."""
    first = load_set("vidore_v1_arxivqa", folder=write_copy(tmp_path / "a", _tables())).revision
    assert load_set("vidore_v1_arxivqa", folder=write_copy(tmp_path / "b", _tables())).revision == first
    tables = {
        **_tables(),
        "queries": ({"query-id": [1], "query": ["else"]}, {"query-id": WHOLE, "query": TEXT}),
    }
    assert load_set("vidore_v1_arxivqa", folder=write_copy(tmp_path / "c", tables)).revision != first


def test_a_copy_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    """A table that is missing, files that are missing, rows that are missing, a column that is missing."""
    few = {name: table for name, table in _tables().items() if name != "qrels"}
    with pytest.raises(
        DatasetError, match="no table 'qrels' with the split 'test'; there: tables corpus, queries"
    ):
        load_set("vidore_v1_arxivqa", folder=write_copy(tmp_path / "few", few))
    bare = write_copy(tmp_path / "bare", _tables())
    (bare / "qrels" / "test-00000-of-00001.parquet").unlink()
    with pytest.raises(
        DatasetError, match=r"table 'qrels', split 'test', could not be read from qrels/test-\*: "
    ):
        load_set("vidore_v1_arxivqa", folder=bare)
    short = write_copy(tmp_path / "short", _tables())
    readme = short / "README.md"
    readme.write_text(readme.read_text().replace("num_examples: 1", "num_examples: 5"))
    with pytest.raises(DatasetError, match="has 1 rows, but its README says 5: the copy is not whole"):
        load_set("vidore_v1_arxivqa", folder=short)
    with pytest.raises(
        DatasetError, match="table 'queries' has no column 'query' or 'text'; there: query-id, frage"
    ):
        load_set("vidore_v1_arxivqa", folder=write_copy(tmp_path / "column", _tables("frage")))


def test_a_copy_without_its_readme_is_refused(tmp_path: Path) -> None:
    """The README says which files are which table."""
    copy = write_copy(tmp_path / "copy", _tables())
    (copy / "README.md").unlink()
    with pytest.raises(DatasetError, match=r"no README\.md, which says what its tables are"):
        load_set("vidore_v1_arxivqa", folder=copy)
    (copy / "README.md").write_text("---\nconfigs:\n- data_files:\n  - split: test\n---\n")
    with pytest.raises(DatasetError, match=r"README\.md: its list of tables cannot be read"):
        load_set("vidore_v1_arxivqa", folder=copy)
    with pytest.raises(DatasetError, match="no such folder; to get it"):
        load_set("vidore_v1_arxivqa", folder=tmp_path / "nowhere")


@pytest.mark.parametrize("package", ["datasets", "huggingface_hub"])
def test_a_missing_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    """With the command that installs it."""
    copy = write_copy(tmp_path / "copy", _tables())
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ragvl\[evals\]'"):
        load_set("vidore_v1_arxivqa", folder=copy)
