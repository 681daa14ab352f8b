"""A loaded page model together with its templates and layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ragvl.config import ImageConfig
from ragvl.errors import ModelFileError
from ragvl.indexers.encoders.vision.layout import Layout, layout_of
from ragvl.indexers.encoders.vision.template import Role, Template
from ragvl.protocols import PageView

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Session"]

_SLIMMEST = 100  # a page's longer side is at most so many times its shorter one


class Session:
    """What computes: not safe to use from several threads at once."""

    def __init__(self, model: Any, config: ImageConfig, name: str) -> None:
        """Take a model of sentence-transformers."""
        self.model = model
        self.template = Template(model)
        self.layout: Layout = layout_of(self.template.model_type, self.template.processor, config.max_side_px)
        self._config = config
        self._name = name
        if hasattr(self.template.transformer, "unpad_inputs"):
            # Texts stay in rows of their own: packed, as flash-attn likes them, rows cannot be told apart.
            self.template.transformer.unpad_inputs = False

    @cached_property
    def pools_tokens(self) -> bool:
        """Whether the model merges vectors, which then stand for no token any more."""
        from sentence_transformers.multi_vector_encoder.modules import BaseTokenPooling

        return any(isinstance(module, BaseTokenPooling) for module in self.model.modules())

    def images(self, pages: Sequence[PageView]) -> list[Image]:
        """
        The pages' images, RGB, no larger than `max_side_px`.

        Raises:
            ModelFileError: the model sees no images.
        """
        if not self.model.supports("image"):
            raise ModelFileError(f"{self._name} sees no images, so that it can encode queries alone")
        return [_within(page.image, self._config.max_side_px) for page in pages]

    def compute(self, features: Mapping[str, Any], role: Role) -> dict[str, Any]:
        """Run the model; the result's tensors are on the host, floats in float32."""
        import torch
        from sentence_transformers.util import batch_to_device

        with torch.inference_mode():
            moved = batch_to_device(dict(features), self.model.device)
            made = self.model(moved, task=role)
            wanted = ("token_embeddings", "attention_mask", "sentence_embedding")
            return {name: _on_host(made[name]) for name in wanted if name in made}

    def too_large(self, images: Sequence[Image]) -> Callable[[int], str]:
        """What is said when a page does not fit into memory alone."""

        def message(position: int) -> str:
            width, height = images[position].size
            return (
                f"a page of {width} x {height} pixels does not fit into the memory of {self.model.device} beside "
                f"{self._name}; lower image.max_side_px, which is {self._config.max_side_px}"
            )

        return message


def _within(image: Image, max_side_px: int) -> Image:
    from PIL import Image as images

    shown = image if image.mode == "RGB" else image.convert("RGB")
    longest = min(max(shown.size), max_side_px)
    scale = longest / max(shown.size)
    # Processors refuse strips (Qwen2-VL's those of 200 to 1): they are stretched, which leaves all shares as they are.
    width, height = (max(round(side * scale), longest // _SLIMMEST, 1) for side in shown.size)
    if (width, height) == shown.size:
        return shown
    return shown.resize((width, height), images.Resampling.LANCZOS, reducing_gap=3.0)


def _on_host(tensor: Any) -> Any:
    return (tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy()
