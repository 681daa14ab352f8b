"""Tiny copies of public datasets, as `hf download` would leave them: Parquet files and a README that names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import yaml
from PIL import Image

Tables = Mapping[str, tuple[Mapping[str, list[Any]], Mapping[str, Any]]]

WHOLE = datasets.Value("int64")
TEXT = datasets.Value("string")
PICTURE = datasets.Image()
TEXTS = datasets.List(TEXT)


def write_copy(folder: Path, tables: Tables) -> Path:
    """Write tables, each "table" or "table/split" to its columns and their types, as `push_to_hub` lays them out."""
    infos: dict[str, dict[str, Any]] = {}
    files: dict[str, list[dict[str, str]]] = {}
    for place, (columns, types) in tables.items():
        table, _, split = place.partition("/")
        split = split or "test"
        rows = datasets.Dataset.from_dict(dict(columns), features=datasets.Features(dict(types)))
        (folder / table).mkdir(parents=True, exist_ok=True)
        rows.to_parquet(str(folder / table / f"{split}-00000-of-00001.parquet"))
        stated = rows.features._to_yaml_list()
        info = infos.setdefault(table, {"features": stated, "splits": []})
        info["splits"].append({"name": split, "num_bytes": rows.data.nbytes, "num_examples": len(rows)})
        if info.get("features") != stated:
            info.pop("features", None)
        files.setdefault(table, []).append({"split": split, "path": f"{table}/{split}-*"})
    card = {
        "dataset_info": [{"config_name": table, **info} for table, info in infos.items()],
        "configs": [{"config_name": table, "data_files": each} for table, each in files.items()],
    }
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(card)}---\n", encoding="utf-8")
    return folder


def picture(width: int = 6, height: int = 8, mode: str = "RGB") -> Image.Image:
    """A picture; public sets hold grey, palette and transparent ones too."""
    return Image.new(mode, (width, height), 0)
