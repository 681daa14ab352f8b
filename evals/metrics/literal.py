"""Lists that are written in a text, such as "['Circle', 'Rectangle']"."""

from __future__ import annotations

import ast
import warnings

__all__ = ["read_list"]


def read_list(text: str) -> list[object] | None:
    """
    Read a list of literals; None when the text is none. Nothing in it is ever executed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler warns of "\\d" and the like in what a model wrote
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, list) else None
