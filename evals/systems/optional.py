"""Packages that only some systems need."""

from __future__ import annotations

import importlib
from typing import Any

from ragvl.errors import MissingExtraError

__all__ = ["require"]


def require(module: str, extra: str) -> Any:
    """
    Import a module of an optional package.

    Args:
        module: dotted name.
        extra: the extra of ragvl that installs it.

    Raises:
        MissingExtraError: it is not installed; the message holds the command.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f'{module} needs the package {error.name!r}, which is not installed: pip install "ragvl[{extra}]"'
        ) from error
