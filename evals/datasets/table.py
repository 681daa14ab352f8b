"""One table of a public dataset, by its columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ragvl.evals.datasets.errors import DatasetError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Table"]


@dataclass(frozen=True, slots=True)
class Table:
    """
    One table of a dataset.

    Attributes:
        columns: names of its columns.
        place: what errors call it.
        rows: the table of the `datasets` library.
    """

    columns: tuple[str, ...]
    place: str
    rows: Any

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, *names: str) -> list[Any]:
        """
        Values of the first of some columns that there is.

        Raises:
            DatasetError: there is none of them.
        """
        name = next((name for name in names if name in self.columns), "")
        if not name:
            wanted = " or ".join(map(repr, names))
            raise DatasetError(f"{self.place} has no column {wanted}; there: {', '.join(self.columns)}")
        values: list[Any] = self.rows.select_columns([name])[:][name]
        return values

    def optional(self, *names: str) -> list[Any]:
        """Values of the first of some columns that there is; as many None where there is none of them."""
        if any(name in self.columns for name in names):
            return self.column(*names)
        return [None] * len(self)

    def records(self) -> list[dict[str, Any]]:
        """All rows, each as column to value."""
        rows: list[dict[str, Any]] = self.rows.to_list()
        return rows

    def pictures(self, name: str) -> list[Callable[[], Image] | None]:
        """Openers of a column of images, one a row, each RGB; None for all where there is no such column."""
        if name not in self.columns:
            return [None] * len(self)
        images = self.rows.select_columns([name])
        return [partial(_open_picture, images, name, row) for row in range(len(self))]


def _open_picture(images: Any, name: str, row: int) -> Image:
    picture: Image = images[row][name]
    return picture.convert("RGB")
