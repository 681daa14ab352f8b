"""What the README of a dataset says of its tables, in the form that the Hugging Face Hub gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Card", "read_card"]

_USUAL_SPLIT = "test"
_UNNAMED_SPLIT = "train"  # what the `datasets` library calls files that belong to no split


@dataclass(frozen=True, slots=True)
class Card:
    """
    The tables of a dataset.

    Attributes:
        files: table to split to patterns of its files.
        rows: (table, split) to its number of rows, where the README says it.
    """

    files: Mapping[str, Mapping[str, tuple[str, ...]]]
    rows: Mapping[tuple[str, str], int]

    def splits(self, table: str) -> tuple[str, ...]:
        """Names of a table's splits; none where there is no such table."""
        return tuple(self.files.get(table, {}))

    def usual_split(self, table: str) -> str:
        """The split that is read when none is named: "test", or the only one."""
        splits = self.splits(table)
        return splits[0] if len(splits) == 1 else _USUAL_SPLIT


def read_card(stated: Mapping[str, Any]) -> Card:
    """
    Read the head of a README.

    Raises:
        KeyError, TypeError: it is not of the Hub's form.
    """
    infos = stated.get("dataset_info") or []
    return Card(
        files={
            str(each.get("config_name", "default")): _splits(each) for each in stated.get("configs") or []
        },
        rows={
            (str(info.get("config_name", "default")), str(split["name"])): int(split["num_examples"])
            for info in (infos if isinstance(infos, list) else [infos])
            for split in info.get("splits") or []
        },
    )


def _splits(configuration: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    files = configuration.get("data_files") or []
    splits: dict[str, tuple[str, ...]] = {}
    for each in files if isinstance(files, list) else [files]:
        entry = each if isinstance(each, dict) else {"split": _UNNAMED_SPLIT, "path": each}
        paths = entry["path"] if isinstance(entry["path"], list) else [entry["path"]]
        splits[str(entry["split"])] = (*splits.get(str(entry["split"]), ()), *map(str, paths))
    return splits
