"""
Features of pictures, kept on disk so that a page is seen once.

A file is called `<key>-<sha256 of its content>.safetensors`; one whose content does not match its name is removed and
made again. The files used longest ago go first when there are too many.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load, save

from ragvl.errors import IndexWriteError
from ragvl.indexers.store.files import PART_SUFFIX, write_durably

__all__ = ["FeatureCache", "Precision"]

logger = logging.getLogger(__name__)

Precision = Literal["bfloat16", "float8"]

_FP8_MAX = 448.0
_NO_SCALE = 1e-12  # rows of zeros are divided by this
_DEAD_AFTER_S = 3600  # a file still being written after so long belongs to a process that died


class FeatureCache:
    """
    A folder of features, which several processes may use at once.

    A page of 13 tiles takes 34 MB in bfloat16 and half of that in float8. Rounding to float8, with a scale for each
    token, leaves a root-mean-square error of 2.6 % of the features' own root mean square (normally distributed
    numbers; bfloat16 0.17 %).

    Args:
        folder: made when first written to.
        max_bytes: of all files together.
        precision: of the numbers.
    """

    def __init__(self, folder: Path, *, max_bytes: int = 8 << 30, precision: Precision = "bfloat16") -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self.precision = precision

    def load(self, key: str) -> torch.Tensor | None:
        """
        Find what was kept.

        Args:
            key: hexadecimal; whatever the features depend on goes into it.

        Returns:
            (tokens, hidden) bfloat16, or None.
        """
        for path in self._folder.glob(f"{key}-*.safetensors"):
            try:
                content = path.read_bytes()
            except OSError:
                continue  # dropped meanwhile, to make room
            if hashlib.sha256(content).hexdigest() == path.stem.rpartition("-")[2]:
                with suppress(OSError):
                    os.utime(path)
                return _unpacked(content)
            logger.warning("%s does not match its checksum; it is removed and made again", path)
            path.unlink(missing_ok=True)
        return None

    def keep(self, key: str, features: torch.Tensor) -> torch.Tensor:
        """
        Keep features; a disk that refuses them costs only the time to make them again.

        Args:
            key: as for `load`.
            features: (tokens, hidden), any float dtype.

        Returns:
            What `load` will find, so that an answer does not depend on whether it was found.
        """
        content = _packed(features, self.precision)
        if len(content) <= self._max_bytes:
            path = self._folder / f"{key}-{hashlib.sha256(content).hexdigest()}.safetensors"
            try:
                write_durably(path, [content])
                self._trim()
            except (IndexWriteError, OSError) as error:
                logger.warning("features of a picture are not kept: cannot write %s: %s", path, error)
        return _unpacked(content)

    def _trim(self) -> None:
        """Drop files used longest ago until the rest fits."""
        kept: list[tuple[int, int, Path]] = []
        for path in self._folder.iterdir():
            with suppress(OSError):  # dropped meanwhile by another process
                status = path.stat()
                if path.suffix == ".safetensors":
                    kept.append((status.st_mtime_ns, status.st_size, path))
                elif path.suffix == PART_SUFFIX and time.time() - status.st_mtime > _DEAD_AFTER_S:
                    path.unlink()
        excess_bytes = sum(size for _, size, _ in kept) - self._max_bytes
        for _, size, path in sorted(kept):
            if excess_bytes <= 0:
                return
            excess_bytes -= size
            path.unlink(missing_ok=True)


def _packed(features: torch.Tensor, precision: Precision) -> bytes:
    features = features.detach().cpu()
    if precision == "bfloat16":
        return save({"features": features.to(torch.bfloat16).contiguous()})
    rows = features.float()
    scales = (rows.abs().amax(dim=1, keepdim=True) / _FP8_MAX).clamp(min=_NO_SCALE)
    narrow = (rows / scales).to(torch.float8_e4m3fn)
    return save({"features": narrow.contiguous(), "scales": scales.squeeze(1)})


def _unpacked(content: bytes) -> torch.Tensor:
    tensors = load(content)
    features = tensors["features"]
    if "scales" in tensors:
        return (features.float() * tensors["scales"].unsqueeze(1)).to(torch.bfloat16)
    return features
