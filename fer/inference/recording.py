"""Export readings over time, with names and marked moments, and summarize them."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fer.expressions import NAMES
from fer.records import CSV_COLUMNS, NOT_SURE, FaceRecord, cell_text, faces_csv


@dataclass(frozen=True, order=True)
class Event:
    """A moment that a user marked. time_s: seconds from the start."""

    time_s: float
    name: str

    def to_json(self) -> dict[str, object]:
        return {"time_s": round(self.time_s, 3), "name": self.name}


def to_json(rows: Iterable[FaceRecord], **facts: object) -> str:
    return json.dumps({**facts, "rows": [row.to_json() for row in rows]}, indent=1)


def to_csv(rows: Iterable[FaceRecord], names: Mapping[int, str], events: Iterable[Event]) -> str:
    """Like `faces_csv`, with the columns `name` and `event` if people were named or moments marked.

    An event is a separate row at its time, with all other columns empty. names: by a person's number.
    """
    noted = sorted(events)
    if not names and not noted:
        return faces_csv(rows)
    lines = [(row.time_s, [*row.to_row(), cell_text(names.get(row.person, "")), ""]) for row in rows]
    for event in noted:
        line = dict.fromkeys(CSV_COLUMNS, "") | {"time_s": f"{event.time_s:.3f}"}
        lines.append((event.time_s, [*line.values(), "", cell_text(event.name)]))
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([*CSV_COLUMNS, "name", "event"])
    writer.writerows(line for _, line in sorted(lines, key=lambda timed: timed[0]))
    return file.getvalue()


def shares(rows: Iterable[FaceRecord]) -> dict[str, float]:
    """The share of rows, 0..1, with each expression or NOT_SURE as the answer; empty without rows."""
    counts = Counter(row.prediction.answer for row in rows)
    total = counts.total()
    return {name: counts[name] / total for name in (*NAMES, NOT_SURE)} if total else {}


def transitions(rows: Iterable[FaceRecord]) -> dict[tuple[str, str], int]:
    """How often people changed from one expression to another; skips rows that are not sure."""
    last: dict[int, str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if not row.prediction.sure:
            continue
        answer, before = row.prediction.answer, last.get(row.person)
        if before is not None and before != answer:
            counts[before, answer] += 1
        last[row.person] = answer
    return dict(counts)
