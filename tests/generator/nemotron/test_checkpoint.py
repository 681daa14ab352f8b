"""Reading a checkpoint: nothing missing, nothing strange, and little memory on the way."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import finalize

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.checkpoint.index import part, read_index
from ragvl.generator.nemotron.checkpoint.loading import load_language
from ragvl.generator.nemotron.checkpoint.reading import TensorReader
from ragvl.generator.nemotron.settings import read_config
from tests.generator.nemotron.tiny import CONFIG, language_tensors, other_tensors, write_checkpoint

Tensors = dict[str, torch.Tensor]


class HostBytes(TorchDispatchMode):
    """Counts the bytes that tensors hold in host memory, now and at the most."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_iter(result):
            if isinstance(tensor, torch.Tensor) and tensor.device.type == "cpu":
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._seen:
            return
        self._seen.add(key)
        self.held += size
        self.peak = max(self.peak, self.held)
        finalize(storage, self._drop, key, size)

    def _drop(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.held -= size


@contextmanager
def _counting() -> Iterator[HostBytes]:
    with HostBytes() as counter:
        yield counter


def _bytes(tensors: Tensors) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


def test_every_tensor_is_mapped_and_the_rest_is_reported(checkpoint: Path) -> None:
    """The loader takes the language model and says how much it leaves for vision and projector."""
    model, report = load_language(read_config(checkpoint), "cpu")
    assert report.formats == {"full": 19, "fp8": 0, "nvfp4": 0}
    assert report.other_parts == {"vision": 2, "projector": 2}
    expected = language_tensors()["language_model.backbone.embeddings.weight"]
    assert torch.equal(model.embeddings, expected)


def test_the_other_parts_by_their_prefix(checkpoint: Path) -> None:
    """The vision side finds its tensors under their names below the prefix, and reads them with the same reader."""
    entries = part(read_index(checkpoint), "projector")
    assert sorted(entries) == ["0.weight", "1.weight"]
    assert torch.equal(TensorReader(torch.device("cpu")).read(entries["0.weight"]), torch.ones(32))


def test_one_file_without_an_index(tmp_path: Path) -> None:
    """A small checkpoint may be a single file."""
    write_checkpoint(tmp_path, shards=1)
    (tmp_path / "model.safetensors.index.json").unlink()
    (tmp_path / "model-00001-of-00001.safetensors").rename(tmp_path / "model.safetensors")
    assert load_language(read_config(tmp_path), "cpu")[1].formats["full"] == 19


def test_the_embedding_has_the_last_word_on_the_vocabulary(tmp_path: Path) -> None:
    """The released vocabulary is padded; config.json may not have been told."""
    config = CONFIG | {"llm_config": CONFIG["llm_config"] | {"vocab_size": 90}}
    model, _ = load_language(read_config(write_checkpoint(tmp_path, config=config)), "cpu")
    assert model.settings.vocab_size == 96


def test_precision(checkpoint: Path) -> None:
    """Matrices and norms take the model's precision; the recurrence's constants stay float32."""
    model, _ = load_language(read_config(checkpoint), "cpu", dtype=torch.bfloat16)
    layer: Any = model.layers[0]
    assert layer.input.weight.dtype == layer.norm.weight.dtype == torch.bfloat16
    assert layer.scan.decay.dtype == layer.scan.skip.dtype == layer.scan.dt_bias.dtype == torch.float32
    stored = language_tensors()["language_model.backbone.layers.0.mixer.A_log"]
    assert torch.equal(layer.scan.decay, -stored.exp())


def _without(tensors: Tensors, name: str) -> Tensors:
    return {key: value for key, value in tensors.items() if key != name}


_UP = "language_model.backbone.layers.1.mixer.up_proj.weight"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: _without(t, _UP), ["missing:", _UP]),
        (lambda t: t | {f"{_UP[:-6]}bias": torch.ones(64)}, ["unexpected:", f"{_UP[:-6]}bias"]),
        (
            lambda t: _without(t, _UP) | {_UP.replace("up_proj", "upproj"): t[_UP]},
            ["missing:", _UP, "unexpected:", "upproj"],
        ),
        (lambda t: t | {_UP: t[_UP].t()}, ["of another shape:", f"{_UP}: (32, 64), needed (64, 32)"]),
        (
            lambda t: _without(t, "language_model.lm_head.weight"),
            ["missing:", "language_model.lm_head.weight"],
        ),
        (lambda t: t | {"language_model.embeddings.weight": torch.ones(96, 32)}, ["unexpected:"]),
        (lambda t: t | {"mtp.layers.0.weight": torch.ones(3)}, ["belong to no part", "mtp.layers.0.weight"]),
        (lambda t: t | {_UP: torch.ones(64, 32, dtype=torch.float8_e4m3fn)}, [_UP, "no scale"]),
        (lambda t: t | {_UP: torch.ones(64, 32, dtype=torch.int8)}, [_UP, "torch.int8"]),
        (
            lambda t: t | {"language_model.backbone.norm_f.weight": torch.ones(32, dtype=torch.uint8)},
            ["norm_f.weight", "floating point is needed"],
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    tmp_path: Path, change: Callable[[Tensors], Tensors], named: list[str]
) -> None:
    """Missing, unexpected, misnamed and misshapen tensors stop the load, each by its name in the checkpoint."""
    write_checkpoint(tmp_path, change(language_tensors() | other_tensors()))
    with pytest.raises(ModelFileError) as refusal:
        load_language(read_config(tmp_path), "cpu")
    for part_of_message in named:
        assert part_of_message in str(refusal.value)


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    """Seven missing tensors are seven lines of one error."""
    tensors = language_tensors()
    gone = [name for name in tensors if ".layers.0." in name][:7]
    write_checkpoint(tmp_path, {name: value for name, value in tensors.items() if name not in gone})
    with pytest.raises(ModelFileError) as refusal:
        load_language(read_config(tmp_path), "cpu")
    assert all(name in str(refusal.value) for name in gone)


def test_a_shard_that_is_absent(tmp_path: Path) -> None:
    """The error names the file."""
    write_checkpoint(tmp_path)
    (tmp_path / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"model-00002-of-00003\.safetensors does not exist"):
        load_language(read_config(tmp_path), "cpu")


@pytest.mark.parametrize("kept", [0, 5, 400, -100])
def test_a_shard_that_is_cut_short(tmp_path: Path, kept: int) -> None:
    """A download that broke off is noticed before anything is read from it."""
    shard = write_checkpoint(tmp_path) / "model-00002-of-00003.safetensors"
    shard.write_bytes(shard.read_bytes()[:kept])
    with pytest.raises(ModelFileError, match=r"model-00002-of-00003\.safetensors"):
        load_language(read_config(tmp_path), "cpu")


def test_a_header_that_lies(tmp_path: Path) -> None:
    """A shape that does not fit its bytes is refused, not read past."""
    shard = write_checkpoint(tmp_path, shards=1) / "model-00001-of-00001.safetensors"
    whole = shard.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    header[_UP]["shape"] = [64, 33]
    text = json.dumps(header).encode()
    shard.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + length :])
    with pytest.raises(ModelFileError, match="does not fit its shape"):
        load_language(read_config(tmp_path), "cpu")


def test_an_index_that_names_more_than_there_is(tmp_path: Path) -> None:
    """A tensor that the index promises and no shard holds is an error."""
    index = write_checkpoint(tmp_path) / "model.safetensors.index.json"
    fields = json.loads(index.read_text(encoding="utf-8"))
    fields["weight_map"]["language_model.backbone.layers.9.norm.weight"] = "model-00001-of-00003.safetensors"
    index.write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"no shard holds:\n  language_model\.backbone\.layers\.9"):
        read_index(tmp_path)


def test_an_index_that_points_out_of_the_folder(tmp_path: Path) -> None:
    """Only files of the folder are read."""
    index = write_checkpoint(tmp_path / "model") / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../secret.safetensors"}}), encoding="utf-8")
    with pytest.raises(ModelFileError, match="not a plain file name"):
        read_index(tmp_path / "model")


def test_host_memory_on_the_way_to_another_device(checkpoint: Path) -> None:
    """Going to a device, host memory holds the staging buffers and nothing of the model, whatever its size."""
    device = torch.device("meta")
    shards = [path.stat().st_size for path in checkpoint.glob("*.safetensors")]
    with _counting() as counter:
        load_language(
            read_config(checkpoint),
            device,
            dtype=torch.float32,
            reader=TensorReader(device, staging_bytes=2048),
        )
    assert counter.peak <= 2 * 2048 + 1024
    assert counter.peak <= 1.2 * max(shards)


def test_host_memory_on_the_cpu(tmp_path: Path) -> None:
    """On a CPU, no more than one tensor is held beside the model, also when precision changes."""
    tensors = {name: tensor.bfloat16() for name, tensor in language_tensors().items()}
    config = read_config(write_checkpoint(tmp_path, tensors))
    with _counting() as counter:
        model, _ = load_language(config, "cpu", dtype=torch.float32)
        assert counter.held >= 2 * _bytes(tensors)
    shards = [path.stat().st_size for path in tmp_path.glob("*.safetensors")]
    assert counter.peak - 2 * _bytes(tensors) <= 1.2 * max(shards)
    assert model.dtype == torch.float32


@pytest.mark.parametrize("staging_bytes", [1, 7, 64, 1 << 20])
def test_staging_in_pieces_gives_the_same_bytes(checkpoint: Path, staging_bytes: int) -> None:
    """Whatever the size of the buffer, the tensor is whole."""
    name = "language_model.backbone.layers.0.mixer.conv1d.weight"
    reader = TensorReader(torch.device("cpu"), staging_bytes=staging_bytes, staged=True)
    found = reader.read(read_index(checkpoint)[name])
    assert torch.equal(found, language_tensors()[name])
    assert math.prod(found.shape) == 128 * 4
