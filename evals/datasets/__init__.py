"""Datasets: public ones and people's own, all as one `EvalSet`."""

from ragvl.evals.datasets.boards import KnownSet
from ragvl.evals.datasets.catalogue import known_sets
from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.load import load_set

__all__ = ["DatasetError", "KnownSet", "known_sets", "load_set"]
