"""Where the checkpoint is: a folder, or the hub's cache on this machine."""

from __future__ import annotations

from pathlib import Path

from ragvl.errors import MissingExtraError, ModelFileError

__all__ = ["find_checkpoint"]


def find_checkpoint(name: str, revision: str | None = None) -> Path:
    """
    Find the folder of a checkpoint; nothing is downloaded, it is large.

    Args:
        name: a folder, or a model of the hub such as "owner/model".
        revision: of a model of the hub: a branch, tag or commit.

    Raises:
        ModelFileError: it is not on this machine; the message has the command that brings it.
        MissingExtraError: huggingface-hub is not installed.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1 or "\\" in name:
        raise ModelFileError(
            f"there is no folder {name}; generator.nemotron.model must be a folder or a model of the hub"
        )
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError
    except ImportError as error:
        raise MissingExtraError('Nemotron needs huggingface-hub; run: pip install "ragvl[vl]"') from error
    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except HFValidationError as error:
        raise ModelFileError(f"{name!r} is neither a folder nor the name of a model of the hub") from error
    except OSError:
        command = f"hf download {name}" + (f" --revision {revision}" if revision else "")
        raise ModelFileError(
            f"the model {name!r} is not on this machine. With a connection, run: {command} (26 GB for the BF16 "
            "checkpoint). Without one, run that on another machine, copy the folder that it prints (with its links followed), and "
            "set generator.nemotron.model to the copy's path"
        ) from None
