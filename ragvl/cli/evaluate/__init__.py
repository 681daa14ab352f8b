"""`ragvl eval`: how good are the pages found and the answers given, measured."""

from ragvl.cli.evaluate.commands import evaluate

__all__ = ["evaluate"]
