"""The face record as CSV (a stand-in until fer.records has it)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from fer.expressions import NAMES
from fer.inference.recording import Row
from fer.records import Prediction

COLUMNS = (
    "input",
    "time_s",
    "person",
    "x",
    "y",
    "width",
    "height",
    "answer",
    "expression",
    "confidence",
    "sure",
    "set",
    *NAMES,
    "quality",
    "stability",
    "detector",
    "model",
)


def lines(rows: Iterable[list[object]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def photo_row(name: str, face: Prediction, stability: float | None, model: str) -> list[object]:
    box = face.box
    return [
        _cell(name),
        "",
        "",
        *(round(value, 1) for value in (box.x, box.y, box.width, box.height)),
        face.expression if face.sure else "not sure",
        face.expression,
        round(face.confidence, 4),
        face.sure,
        "",
        *(round(p, 4) for p in face.probabilities),
        "; ".join(face.quality.reasons) or "ok",
        "" if stability is None else round(stability, 3),
        box.detector,
        model,
    ]


def video_row(name: str, row: Row, detector: str, model: str) -> list[object]:
    return [
        _cell(name),
        round(row.time_s, 3),
        row.person,
        *(round(value, 1) for value in row.box),
        row.expression if row.sure else "not sure",
        row.expression,
        round(max(row.probabilities), 4),
        row.sure,
        "",
        *(round(p, 4) for p in row.probabilities),
        "; ".join(row.reasons) or "ok",
        "",
        detector,
        model,
    ]


def _cell(name: str) -> str:
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t") else name
