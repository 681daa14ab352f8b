"""Arguments that several benchmarks share."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["PEERS", "SIDES", "data_parser", "parse"]

SIDES = Path(__file__).parent / "sides"
PEERS = Path(__file__).parent / "peers"


def data_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser for DATA_DIR and the peer."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="holds pdf/ and questions.jsonl")
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter of an environment with LlamaIndex")
    parser.add_argument(
        "--peer-model",
        metavar="DIR",
        help="ragvl's encoder as made by peers/make_peer_model.py; --peer needs it",
    )
    parser.add_argument(
        "--peer-chunk-tokens",
        type=int,
        default=1024,
        metavar="N",
        help="length of the peer's chunks (default: its own, %(default)s; the encoder reads 512)",
    )
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Read the command line; a peer without its model is wrong use."""
    options = parser.parse_args()
    if options.peer and not options.peer_model:
        parser.error("--peer needs --peer-model")
    return options
