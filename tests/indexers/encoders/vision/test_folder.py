"""Finding a model's files, and telling models apart by them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ragvl.config import ImageConfig
from ragvl.errors import ModelFileError
from ragvl.indexers.encoders.vision import MultiVectorPageEncoder
from ragvl.indexers.encoders.vision.fingerprint import fingerprint
from ragvl.indexers.encoders.vision.folder import ModelFolder, find_model
from tests.indexers.encoders.vision.checkpoints import tiny_colmodernvbert, tiny_multi_vector
from tests.indexers.encoders.vision.conftest import Checkpoint


@pytest.fixture
def copy(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    """A copy of a checkpoint that may be changed."""
    return Path(shutil.copytree(checkpoint("tiny_multi_vector"), tmp_path / "copy"))


def mark(folder: Path, **settings: object) -> str:
    """The fingerprint of an encoder of a folder."""
    return MultiVectorPageEncoder(
        ImageConfig.model_validate({"encoder": "test", "model": str(folder), **settings})
    ).fingerprint


def test_an_absent_model_says_how_to_get_it() -> None:
    """One error tells what to download, how, and what to do without a connection."""
    config = ImageConfig(encoder="test", model="nobody/no-such-model", revision="abc")
    with pytest.raises(ModelFileError) as raised:
        MultiVectorPageEncoder(config).encode_queries(["tide"])
    message = str(raised.value)
    for part in (
        "'nobody/no-such-model'",
        "hf download nobody/no-such-model --revision abc",
        "image.model",
        "HF_HUB_OFFLINE",
    ):
        assert part in message


def test_a_hub_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where downloading is allowed, what the hub answered is part of the message."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    asked: list[bool] = []

    def unreachable(name: str, *, local_files_only: bool = False, **_: object) -> str:
        asked.append(local_files_only)
        raise OSError("no route to host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(ModelFileError, match=r"no route to host.*hf download nobody/x"):
        find_model("nobody/x")
    assert asked == [True, False]  # the cache first


def test_a_cached_model_is_not_asked_for(monkeypatch: pytest.MonkeyPatch, checkpoint: Checkpoint) -> None:
    """What lies in the hub's cache is taken as it is."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    def cached(name: str, *, local_files_only: bool = False, **_: object) -> str:
        assert local_files_only
        return str(checkpoint("tiny_colqwen2"))

    monkeypatch.setattr("huggingface_hub.snapshot_download", cached)
    assert find_model("nobody/x").path == checkpoint("tiny_colqwen2")


@pytest.mark.parametrize("name", ("/no/such/folder", "./no-such-folder", "a/b/c", "two words"))
def test_a_wrong_name_is_told(name: str) -> None:
    """A path that is not there is not looked for on the hub, and a name that no model can have is said to be one."""
    with pytest.raises(ModelFileError, match=r"no folder|neither a folder nor"):
        find_model(name)


def test_only_safetensors_are_read(copy: Path, tmp_path: Path) -> None:
    """Weights in pickles are refused, in the model's folder and in those of its modules; so are no weights."""
    weights = next(copy.glob("*_Dense/model.safetensors"))
    weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(ModelFileError, match=r"pytorch_model.bin is a pickle.*safetensors"):
        ModelFolder(copy)
    weights.with_name("pytorch_model.bin").unlink()
    for file in copy.rglob("*.safetensors"):
        file.unlink()
    with pytest.raises(ModelFileError, match="holds no weights"):
        ModelFolder(copy)
    (copy / "config.json").unlink()
    (copy / "modules.json").unlink()
    with pytest.raises(ModelFileError, match="holds no model"):
        ModelFolder(copy)


def test_damaged_and_foreign_folders_are_told(copy: Path) -> None:
    """An adapter, settings that are no JSON, weights cut short, and modules outside of the folder."""
    (copy / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelFileError, match="adapter"):
        ModelFolder(copy)
    (copy / "adapter_config.json").unlink()
    weights = copy / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:100])
    with pytest.raises(ModelFileError, match="shorter than its header"):
        mark(copy)
    weights.write_bytes(b"\x10\0\0\0\0\0\0\0not json at all!" + whole[100:])
    with pytest.raises(ModelFileError, match="cannot be read"):
        _ = MultiVectorPageEncoder(ImageConfig(encoder="test", model=str(copy), device="cpu")).weights_bytes
    modules = json.loads((copy / "modules.json").read_text())
    modules[1]["path"] = "../elsewhere"
    (copy / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelFileError, match="outside of the model"):
        ModelFolder(copy)
    (copy / "modules.json").write_text("[")
    with pytest.raises(ModelFileError, match="cannot read"):
        ModelFolder(copy)


def test_the_fingerprint_tells_models_apart(copy: Path, checkpoint: Checkpoint, tmp_path: Path) -> None:
    """It follows weights, settings files and what changes vectors; not the place, other files, device or precision."""
    original = mark(checkpoint("tiny_multi_vector"))
    assert original == mark(copy)
    (copy / "README.md").write_text("words")
    assert original == mark(copy)
    for same in (
        {"device": "cpu"},
        {"precision": "bfloat16"},
        {"attention": "eager"},
        {"batch_pixels": 100_000},
    ):
        assert original == mark(copy, **same)
    others = [
        mark(copy, **changed)
        for changed in ({"dimension": 8}, {"max_side_px": 512}, {"text": False}, {"max_text_tokens": 7})
    ]
    others.append(mark(tiny_multi_vector(tmp_path / "retrained", seed=9)))
    for name in ("tokenizer.json", "sentence_bert_config.json", "2_MultiVectorMask/config.json"):
        file = copy / name
        kept = file.read_bytes()
        file.write_bytes(kept + b"\n")
        others.append(mark(copy))
        file.write_bytes(kept)
    assert original == mark(copy)
    assert len({original, *others}) == len(others) + 1


def test_large_weights_are_sampled(tmp_path: Path) -> None:
    """Of a large file the ends are among the blocks that are read, as is its size."""
    folder = tiny_colmodernvbert(tmp_path / "model")
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content.extend(bytes(3 * 2**20))
    marks = set()
    for position in (None, len(content) - 1, 8 + int.from_bytes(content[:8], "little")):
        changed = bytearray(content)
        if position is not None:
            changed[position] ^= 1
        weights.write_bytes(changed)
        marks.add(fingerprint(ModelFolder(folder), {}))
    weights.write_bytes(content + b"\0")
    marks.add(fingerprint(ModelFolder(folder), {}))
    assert len(marks) == 4


def test_the_fingerprint_needs_no_torch(checkpoint: Checkpoint) -> None:
    """An index is opened without loading what would make it."""
    code = (
        "import sys\nfrom ragvl.config import ImageConfig\n"
        "from ragvl.indexers.encoders.vision.multi_vector import MultiVectorPageEncoder\n"
        f"e = MultiVectorPageEncoder(ImageConfig(encoder='x', model={str(checkpoint('tiny_multi_vector'))!r}))\n"
        "print(e.fingerprint, e.space == e.fingerprint, e.dimension)\n"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert answer.splitlines() == [f"{mark(checkpoint('tiny_multi_vector'))} True 16", "[]"]
