"""How a model does for whom: metrics by the columns of a table that its user brings. Nothing is guessed from a face."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np

from fer.errors import DatasetError

FEW = 50                 # a group under this many faces gets a warning
MAX_VALUES = 30          # a column with more values is no grouping
NAME_COLUMNS = ("picture", "image", "file", "filename", "path", "name")


@dataclass(frozen=True)
class Slice:
    """One value of one column: its accuracy with a 95 % Wilson interval."""

    column: str
    value: str
    faces: int
    accuracy: float
    low: float
    high: float

    @property
    def few(self) -> bool:
        return self.faces < FEW


@dataclass(frozen=True)
class Metadata:
    """columns: {column: values (N,) of text, "" where the table says nothing of a picture}; matched: how many."""

    columns: dict[str, np.ndarray]
    matched: int
    skipped: tuple[str, ...]     # columns with too many values to group by


def read_metadata(data: bytes, names: list[str]) -> Metadata:
    """A CSV with a column of picture names and any others. names: (N,) of the evaluated pictures.

    Raises DatasetError where no name column is there or no name matches, saying how many did.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        raise DatasetError("The table is not CSV text in UTF-8.") from None
    titles = [title for title in (rows[0] if rows else {}) if title]
    key = next((title for title in titles if title.strip().lower() in NAME_COLUMNS), None)
    if key is None:
        raise DatasetError(f"The table has no column of picture names. Call one of them {' or '.join(NAME_COLUMNS)}.")
    table = {str(row[key]).strip(): row for row in rows}
    found = [table.get(name) or table.get(name.rsplit("/", 1)[-1]) for name in names]
    matched = sum(row is not None for row in found)
    if not matched:
        raise DatasetError(f"None of the table's {len(table)} names is among the {len(names)} pictures, such as "
                           f"{names[0]!r}. Names are compared letter by letter.")
    columns, skipped = {}, []
    for title in titles:
        if title == key:
            continue
        values = np.array([str((row or {}).get(title) or "").strip() for row in found])
        (skipped.append(title) if len(np.unique(values)) > MAX_VALUES else columns.update({title: values}))
    return Metadata(columns, matched, tuple(skipped))


def slices_of(metadata: Metadata, right: np.ndarray) -> list[Slice]:
    """Accuracy per value; the columns with the largest gap between values of enough faces come first."""
    groups = []
    for column, values in metadata.columns.items():
        rows = []
        for value in np.unique(values[values != ""]):
            inside = right[values == value]
            rows.append(Slice(column, str(value), len(inside), float(inside.mean()), *wilson(inside)))
        whole = [row.accuracy for row in rows if not row.few] or [0.0]
        groups.append((max(whole) - min(whole), sorted(rows, key=lambda row: row.accuracy)))
    return [row for _, rows in sorted(groups, key=lambda group: -group[0]) for row in rows]


def wilson(right: np.ndarray, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share that stays within 0..1 for small groups too (Wilson 1927)."""
    n, share = len(right), float(np.mean(right))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float(max(middle - half, 0)), float(min(middle + half, 1))
