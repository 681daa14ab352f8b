"""
Where the files of a page model are: a folder, the hub's cache on this machine, or the hub.

All that is read are settings, tokenizers and safetensors: no Python, no pickles.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from ragvl.errors import MissingExtraError, ModelFileError

__all__ = ["ModelFolder", "find_model"]

logger = logging.getLogger(__name__)

_WANTED = ("*.json", "*.jinja", "*.model", "*.txt", "*.safetensors")
_UNWANTED = ("onnx/*", "openvino/*", "checkpoint-*/*", "runs/*")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")


class ModelFolder:
    """A folder in the format of transformers, or of sentence-transformers with its modules in folders of their own."""

    def __init__(self, path: Path) -> None:
        """
        Look into a folder.

        Raises:
            ModelFileError: it is no model, holds its weights as pickles, or is an adapter of another model.
        """
        self.path = path
        if not ((path / "config.json").is_file() or (path / "modules.json").is_file()):
            raise ModelFileError(f"{path} holds no model: neither config.json nor modules.json is there")
        if (path / "adapter_config.json").is_file():
            raise ModelFileError(
                f"{path} is an adapter of another model; merge the two into one folder, or name a merged model"
            )
        self.parts = self._find_parts()
        self.weight_files = tuple(file for part in self.parts for file in _weights_in(part))
        if not self.weight_files:
            raise ModelFileError(f"{path} holds no weights: no .safetensors file is there")

    @property
    def is_late_interaction(self) -> bool:
        """Whether the model makes many vectors of a page, as the folder's own settings say."""
        if (self.path / "modules.json").is_file():
            return self.settings("config_sentence_transformers.json").get("model_type") in (
                "MultiVectorEncoder",
                "ColBERT",
            )
        architectures = self.settings("config.json").get("architectures") or ()
        return any(str(name).endswith("ForRetrieval") for name in architectures)

    @property
    def dimension(self) -> int | None:
        """Length of a vector, where the settings tell it without the model being loaded."""
        for part in reversed(self.parts[1:]):
            width = self.settings(f"{part.relative_to(self.path).as_posix()}/config.json").get("out_features")
            if isinstance(width, int):
                return width
        width = self.settings("config.json").get("embedding_dim")
        return width if isinstance(width, int) else None

    def settings(self, name: str) -> dict[str, Any]:
        """
        Read a JSON file of the folder; an absent one is empty.

        Raises:
            ModelFileError: it is damaged.
        """
        loaded = self._read(name)
        return loaded if isinstance(loaded, dict) else {}

    def _find_parts(self) -> tuple[Path, ...]:
        modules = self._read("modules.json")
        names = [str(module.get("path", "")) for module in modules or () if isinstance(module, dict)]
        folders = [self.path / name for name in names if name]
        if any(not folder.resolve().is_relative_to(self.path.resolve()) for folder in folders):
            raise ModelFileError(f"{self.path / 'modules.json'} names a folder outside of the model")
        return (self.path, *(folder for folder in folders if folder.is_dir()))

    def _read(self, name: str) -> Any:
        try:
            return json.loads((self.path / name).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ModelFileError(f"cannot read {self.path / name}: {error}; copy the model again") from error


def find_model(name: str, revision: str | None = None) -> ModelFolder:
    """
    Find the files of a model, downloading them when they are nowhere on this machine and the hub may be used.

    A model in the hub's cache is taken as it is: nothing is asked over the network.

    Args:
        name: a folder, or a model on the hub such as "owner/model".
        revision: of a model on the hub: a branch, tag or commit.

    Raises:
        ModelFileError: there is no such model, it cannot be had, or it is not one that may be loaded.
        MissingExtraError: huggingface-hub is not installed.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return ModelFolder(folder)
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1 or "\\" in name:
        raise ModelFileError(f"there is no folder {name}; image.model must be a folder or a model on the hub")
    return _from_hub(name, revision)


def _from_hub(name: str, revision: str | None) -> ModelFolder:
    try:
        from huggingface_hub import is_offline_mode, snapshot_download
        from huggingface_hub.errors import HFValidationError
    except ImportError as error:
        raise MissingExtraError(
            'page models need sentence-transformers; run: pip install "ragvl[vl]"'
        ) from error
    choice: dict[str, Any] = {
        "revision": revision,
        "allow_patterns": list(_WANTED),
        "ignore_patterns": list(_UNWANTED),
    }
    try:
        return ModelFolder(Path(snapshot_download(name, local_files_only=True, **choice)))
    except HFValidationError as error:
        raise ModelFileError(f"{name!r} is neither a folder nor the name of a model on the hub") from error
    except OSError:
        pass  # not on this machine, or not all of it
    if is_offline_mode():
        raise _absent(name, revision, "HF_HUB_OFFLINE forbids to download it")
    logger.info("downloading the model %s from the hub", name)
    try:
        return ModelFolder(Path(snapshot_download(name, **choice)))
    except (OSError, _network_error()) as error:
        reason = str(error).strip().removeprefix("Got: ").partition("\n")[0]
        raise _absent(name, revision, f"the hub did not give it: {reason}") from error


def _absent(name: str, revision: str | None, why: str) -> ModelFileError:
    command = f"hf download {name}" + (f" --revision {revision}" if revision else "")
    return ModelFileError(
        f"the model {name!r} is not on this machine, and {why}. With a connection, run: {command}. Without one, run "
        "that on another machine, copy the folder that it prints (with its links followed), and set image.model to "
        "the copy's path"
    )


def _network_error() -> type[Exception]:
    import httpx2

    return httpx2.HTTPError


def _weights_in(folder: Path) -> list[Path]:
    safe = sorted(folder.glob("*.safetensors"))
    pickles = sorted(file for pattern in _PICKLES for file in folder.glob(pattern))
    if pickles and not safe:
        raise ModelFileError(
            f"{pickles[0]} is a pickle, which can run code when it is read; only .safetensors are loaded. Take a "
            "revision of the model that has them, or convert it: load it where you trust it, then save_pretrained"
        )
    return safe
