"""What was read over time, row by row, and what it comes to."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fer.expressions import NAMES
from fer.inference.tracked import TrackedFace

UNSURE = "not sure"


@dataclass(frozen=True)
class Row:
    """One person at one time. time_s: seconds from the start; box: x, y, width, height in pixels of the frame."""

    time_s: float
    person: int
    expression: str
    sure: bool
    probabilities: tuple[float, ...]
    box: tuple[float, float, float, float]
    reasons: tuple[str, ...] = ()

    @classmethod
    def of(cls, face: TrackedFace, time_s: float | None = None) -> Row:
        box, prediction = face.prediction.box, face.prediction
        return cls(
            face.time_s if time_s is None else time_s,
            face.person,
            face.expression,
            face.sure,
            prediction.probabilities,
            (box.x, box.y, box.width, box.height),
            prediction.quality.reasons,
        )

    def to_json(self) -> dict[str, object]:
        return {
            "time_s": round(self.time_s, 3),
            "person": self.person,
            "expression": self.expression,
            "sure": self.sure,
            "probabilities": {name: round(p, 4) for name, p in zip(NAMES, self.probabilities, strict=True)},
            "box": [round(value, 1) for value in self.box],
            "quality": list(self.reasons),
        }


def to_csv(rows: Iterable[Row]) -> str:
    """A header and a line a row."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["time_s", "person", "expression", "sure", *NAMES, "x", "y", "width", "height", "quality"])
    for row in rows:
        writer.writerow(
            [
                f"{row.time_s:.3f}",
                row.person,
                row.expression,
                row.sure,
                *(f"{p:.4f}" for p in row.probabilities),
                *(f"{value:.1f}" for value in row.box),
                "; ".join(row.reasons) or "ok",
            ]
        )
    return file.getvalue()


def to_json(rows: Iterable[Row], **facts: object) -> str:
    return json.dumps({**facts, "rows": [row.to_json() for row in rows]}, indent=1)


def told(row: Row) -> str:
    """What a person would be told: the expression where it is sure."""
    return row.expression if row.sure else UNSURE


def shares(rows: Iterable[Row]) -> dict[str, float]:
    """The share of rows, 0..1, that tell each expression or "not sure"; empty without rows."""
    counts = Counter(map(told, rows))
    total = counts.total()
    return {name: counts[name] / total for name in (*NAMES, UNSURE)} if total else {}


def transitions(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    """How often a person went from one expression to another, times of doubt left out."""
    last: dict[int, str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if not row.sure:
            continue
        before = last.get(row.person)
        if before is not None and before != row.expression:
            counts[before, row.expression] += 1
        last[row.person] = row.expression
    return dict(counts)
