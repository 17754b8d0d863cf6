"""Metrics per group, by the columns of a table from the user. Groups are never guessed from faces."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from fer.errors import DatasetError
from fer.expressions import COUNT
from fer.limits import MB, OWNER, Limits
from fer.scores import confusion_matrix, macro_f1
from fer.wording import count_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 50  # a smaller group gets a warning
MAX_VALUES = 30  # a column with more values is not used for grouping
MAX_ROWS, MAX_COLUMNS, MAX_CELL = 200_000, 100, 200  # limits of a table; longer cells are truncated
NAME_COLUMNS = ("file", "filename", "picture", "image", "path", "name")  # the first of these that a table has


@dataclass(frozen=True)
class Slice:
    """One value of one column: its accuracy with a 95% Wilson interval, its macro-F1, and the column's gap.

    coverage, mean_size: of the prediction sets, None if there are none. gap: between the best and worst accuracy of the
    column's values with enough faces.
    """

    column: str
    value: str
    faces: int
    accuracy: float
    low: float
    high: float
    macro_f1: float = 0.0
    coverage: float | None = None
    mean_size: float | None = None
    gap: float = 0.0

    @property
    def few(self) -> bool:
        return self.faces < FEW


@dataclass(frozen=True)
class Metadata:
    """columns: {column: values (N,) of text, "" for pictures without a value}. matched: pictures in the table.

    unused: rows that match no picture. repeated: rows whose name appears again later (the last one counts).
    """

    columns: dict[str, NDArray[np.str_]]
    matched: int
    unused: int
    repeated: int
    skipped: tuple[str, ...]  # columns with too many values to group by


def read_metadata(data: bytes, names: list[str], limits: Limits = OWNER) -> Metadata:
    """Read a CSV with a column of picture names and any other columns. names: (N,) of the evaluated pictures.

    Raises DatasetError if there is no name column, if no name matches, and for a table that exceeds the limits.
    """
    most = limits.table_bytes
    if len(data) > most:
        raise DatasetError(
            f"The table has {len(data) / MB:.1f} MB; the limit is {most // MB} MB. Use fewer rows or columns."
        )
    try:
        text = data.decode("utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)  # European spreadsheets use semicolons
        reader = csv.reader(io.StringIO(text), delimiter=delimiter)
        titles = next(reader, [])
        rows = [row for row in islice(reader, MAX_ROWS + 1) if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error):
        raise DatasetError("The table is not a CSV file in UTF-8. Save it as “CSV UTF-8”.") from None
    if len(rows) > MAX_ROWS or len(titles) > MAX_COLUMNS:
        raise DatasetError(f"The table is too large: the limit is {MAX_ROWS:,} rows and {MAX_COLUMNS} columns.")
    titles = _distinct([title.strip() for title in titles])
    lowered = [title.lower() for title in titles]
    key = next((lowered.index(name) for name in NAME_COLUMNS if name in lowered), None)
    if key is None:
        raise DatasetError(f"The table has no column of picture names. Call that column {' or '.join(NAME_COLUMNS)}.")
    table = {_cell(row, key).replace("\\", "/"): row for row in rows}
    bases = Counter(name.rsplit("/", 1)[-1] for name in names)
    # A bare file name identifies a picture only if no other folder has a file of that name.
    known = [name if name in table else name.rsplit("/", 1)[-1] for name in names]
    found = [table.get(word) if word == name or bases[word] == 1 else None for word, name in zip(known, names)]
    matched = sum(row is not None for row in found)
    unused = len(table) - len({word for word, row in zip(known, found) if row is not None})
    if not matched:
        raise DatasetError(
            f"None of the names in the table matches one of the {count_of(len(names), 'picture')} here, such as "
            f"{names[0]!r}. Names must match exactly."
        )
    columns, skipped = {}, []
    for place, title in enumerate(titles):
        if place == key or not title:
            continue
        values = np.array([_cell(row or [], place)[:MAX_CELL] for row in found])
        many = len(np.unique(values[values != ""])) > MAX_VALUES
        (skipped.append(title) if many else columns.update({title: values}))
    return Metadata(columns, matched, unused, len(rows) - len(table), tuple(skipped))


def _distinct(titles: list[str]) -> list[str]:
    """The titles, with a number after those that come again."""
    times: Counter[str] = Counter()
    found = []
    for title in titles:
        times[title] += 1
        found.append(f"{title} {times[title]}" if title and times[title] > 1 else title)
    return found


def _cell(row: list[str], place: int) -> str:
    """The cell's text, "" if the row is shorter."""
    return row[place].strip() if place < len(row) else ""


def slices_of(
    metadata: Metadata,
    named: NDArray[np.int64],
    labels: NDArray[np.int64],
    members: NDArray[np.bool_] | None = None,
) -> list[Slice]:
    """Metrics per value; columns with the largest gap between values with enough faces come first.

    named, labels: classes (N,) from the model and the data. members: which classes are in each face's set (N, 7).
    """
    right = named == labels
    groups = []
    for column, values in metadata.columns.items():
        rows = []
        for value in np.unique(values[values != ""]):
            chosen = values == value
            inside = right[chosen]
            rows.append(
                Slice(
                    column,
                    str(value),
                    len(inside),
                    float(inside.mean()),
                    *wilson(inside),
                    macro_f1(confusion_matrix(named[chosen], labels[chosen], COUNT)),
                    None if members is None else float(members[chosen, labels[chosen]].mean()),
                    None if members is None else float(members[chosen].sum(1).mean()),
                )
            )
        whole = [row.accuracy for row in rows if not row.few] or [0.0]
        gap = max(whole) - min(whole)
        groups.append((gap, sorted((replace(row, gap=gap) for row in rows), key=lambda row: row.accuracy)))
    return [row for _, rows in sorted(groups, key=lambda group: -group[0]) for row in rows]


def wilson(right: NDArray[np.bool_], z: float = 1.96) -> tuple[float, float]:
    """The interval of a share, which stays within 0..1 even for small groups (Wilson 1927)."""
    n, share = len(right), float(np.mean(right))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float(max(middle - half, 0)), float(min(middle + half, 1))
