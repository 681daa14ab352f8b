"""Arguments that the benchmarks of late interaction share."""

from __future__ import annotations

import argparse
from pathlib import Path

from .pages import Collection
from .states import token_states

__all__ = ["collection", "states_parser"]


def states_parser(description: str | None, pages: int) -> argparse.ArgumentParser:
    """A parser for what token states are made of, and where they are kept."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="holds pdf/ and questions.jsonl")
    parser.add_argument("--index", type=Path, required=True, metavar="INDEX", help="ragvl's, of DATA_DIR")
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="DIR",
        help="an encoder as sentence-transformers reads it",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        required=True,
        metavar="DIR",
        help="keeps token states and segments; made when missing",
    )
    parser.add_argument("--pages", type=int, default=pages, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--questions", type=int, metavar="N", help="only the first so many")
    return parser


def collection(options: argparse.Namespace) -> Collection:
    """The pages and questions of the command line."""
    return Collection(token_states(options.model, options.index, options.data, options.cache))
