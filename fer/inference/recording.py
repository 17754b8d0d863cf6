"""What was read over time, and what it comes to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from fer.expressions import NAMES
from fer.records import NOT_SURE, FaceRecord


def to_json(rows: Iterable[FaceRecord], **facts: object) -> str:
    return json.dumps({**facts, "rows": [row.to_json() for row in rows]}, indent=1)


def shares(rows: Iterable[FaceRecord]) -> dict[str, float]:
    """The share of rows, 0..1, that answer with each expression or NOT_SURE; empty without rows."""
    counts = Counter(row.prediction.answer for row in rows)
    total = counts.total()
    return {name: counts[name] / total for name in (*NAMES, NOT_SURE)} if total else {}


def transitions(rows: Iterable[FaceRecord]) -> dict[tuple[str, str], int]:
    """How often a person went from one expression to another, times of doubt left out."""
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
