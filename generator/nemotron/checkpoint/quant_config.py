"""What `hf_quant_config.json` says is quantised, held against what is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from ragvl.errors import ModelFileError

__all__ = ["disagreements"]


def disagreements(folder: Path, quantised: Iterable[str]) -> tuple[str, ...]:
    """
    Name the modules that are quantised although the file excludes them; the tensors decide, the file does not.

    Args:
        folder: of the checkpoint; without the file there is nothing to disagree with.
        quantised: names of quantised tensors, in the checkpoint.

    Raises:
        ModelFileError: the file is damaged.
    """
    path = folder / "hf_quant_config.json"
    if not path.exists():
        return ()
    try:
        patterns = json.loads(path.read_text(encoding="utf-8"))["quantization"].get("exclude_modules") or []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path} is damaged: {error!r}; fetch it again") from error
    modules = [name.rpartition(".")[0] for name in quantised]
    return tuple(name for name in modules if any(fnmatchcase(name, pattern) for pattern in patterns))
