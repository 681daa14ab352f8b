"""Models whose files lack weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from ragvl.config import ImageConfig
from ragvl.errors import ModelFileError
from ragvl.indexers.encoders.vision.multi_vector import MultiVectorPageEncoder
from tests.indexers.encoders.vision.checkpoints import tiny_colmodernvbert


def test_weights_that_are_missing_are_not_made_up(tmp_path: Path) -> None:
    """transformers would fill them with random numbers; the model is refused, naming one."""
    folder = tiny_colmodernvbert(tmp_path / "model")
    (weights,) = folder.glob("*.safetensors")
    tensors = load_file(weights)
    lost = next(name for name in sorted(tensors) if "q_proj" in name)
    del tensors[lost]
    save_file(tensors, weights, metadata={"format": "pt"})
    encoder = MultiVectorPageEncoder(ImageConfig(encoder="multi-vector", model=str(folder)))
    with pytest.raises(ModelFileError, match=rf"lack 1 of its weights \({lost}\)"):
        encoder.encode_queries(["crane"])
