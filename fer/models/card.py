"""The card next to a weights file, with everything needed to use it. Cards are untrusted: every value is checked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from fer.conformal import PredictionSets, set_names
from fer.errors import WeightsError
from fer.expressions import COUNT, NAMES
from fer.preprocessing import Preprocessing
from fer.records import FaceBox, Prediction, Quality

DRAWINGS = "learned from drawings, not meant for photos"
NOT_FOR = (
    "An expression is what a face shows, not what a person feels. Not for judging people, nor for use at work, in "
    "schools or in law enforcement."
)
MAX_BYTES = 4 * 2**20
MAX_DEPTH = 20  # nesting levels; shipped cards have three
FIELD_KINDS = {
    "data": str,
    "notes": str,
    "date": str,
    "sha256": str,
    "onnx_sha256": str,
    "licences": dict,
    "metrics": dict,
    "training": dict,
}
SHARES = ("accuracy", "accuracy_without_train_duplicates", "macro_f1", "ece")
BIN_SHARES = ("from", "to", "confidence", "accuracy")
MAX_BINS, MAX_COUNT = 1000, 2**53
RANGES = {"temperature": (0.01, 1000.0), "threshold": (0.0, 1000.0)}


@dataclass(frozen=True)
class Card:
    """How to use the weights, and facts about their training and accuracy."""

    architecture: str
    preprocessing: Preprocessing = Preprocessing()
    classes: tuple[str, ...] = NAMES
    temperature: float = 1.0  # divides the logits before the softmax
    threshold: float = 0.5  # minimum calibrated confidence for a "sure" answer
    prediction_sets: PredictionSets | None = None  # None if they were not fitted
    data: str = ""
    licences: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)  # with the split on which they were measured
    training: dict[str, Any] = field(default_factory=dict)
    notes: str = ""
    date: str = ""
    sha256: str = ""  # of the .safetensors file
    onnx_sha256: str = ""  # of the .onnx file; empty on older cards without one

    @property
    def input_size(self) -> int:
        return self.preprocessing.input_size

    @property
    def from_drawings(self) -> bool:
        """Whether the model was trained only on synthetic faces, so that its accuracy says nothing about photos."""
        from fer.data.read import SYNTHETIC

        return self.data == SYNTHETIC and self.started_from in ("", SYNTHETIC)

    @property
    def started_from(self) -> str:
        """The training data of the starting weights, or on older cards their name; empty if there were none."""
        settings = self.training.get("config", {})
        began_with = settings.get("init", "") if isinstance(settings, dict) else ""
        return str(self.training.get("started_from", began_with))

    def judge(self, box: FaceBox, probabilities: tuple[float, ...], quality: Quality) -> Prediction:
        """Turn one face's calibrated probabilities (7,), from a single view, into a Prediction."""
        names: tuple[str, ...] = ()
        if self.prediction_sets is not None and "none" in self.prediction_sets.quantiles:
            row = np.array([probabilities])
            names = set_names(self.prediction_sets.members(row)[0], row[0])
        return Prediction(box, probabilities, quality.ok and max(probabilities) >= self.threshold, quality, names)

    def to_json(self) -> dict[str, object]:
        sets = self.prediction_sets and self.prediction_sets.to_json()
        return {**asdict(self), "prediction_sets": sets, "classes": list(self.classes), "input_size": self.input_size}

    @classmethod
    def from_json(cls, values: object) -> Card:
        """Raises WeightsError for a value of the wrong type or out of range; ignores unknown keys."""
        if not isinstance(values, dict) or not isinstance(values.get("architecture"), str):
            raise WeightsError("The card of the weights does not name an architecture. Add one to its JSON file.")
        names = {field.name for field in fields(cls)}
        kept = {name: value for name, value in values.items() if name in names}
        _check_kinds(kept)
        kept["preprocessing"] = Preprocessing.from_json(kept.get("preprocessing", {}))
        if kept.get("prediction_sets") is not None:
            kept["prediction_sets"] = PredictionSets.from_json(kept["prediction_sets"])
        classes = kept.get("classes", NAMES)
        kept["classes"] = tuple(classes) if isinstance(classes, list | tuple) else (classes,)
        if kept["classes"] != NAMES:
            raise WeightsError(
                f"The weights have the classes {', '.join(str(name)[:40] for name in kept['classes'][:9])[:120]}. "
                f"Expected {', '.join(NAMES)}. Choose weights trained on these classes."
            )
        return cls(**kept)


def _check_kinds(values: dict[str, Any]) -> None:
    for name, kind in FIELD_KINDS.items():
        if not isinstance(values.get(name, kind()), kind):
            raise _unfit(name, values[name], "text" if kind is str else "an object")
    for name, (low, high) in RANGES.items():
        if not _within(values.get(name, low), low, high):
            raise _unfit(name, values[name], f"a number from {low:g} to {high:g}")
    _check_metrics(values.get("metrics", {}))


def _check_metrics(metrics: dict[str, Any]) -> None:
    """Check what pages and tables show of the metrics."""
    for name in SHARES:
        if not _within(metrics.get(name, 0), 0, 1):
            raise _unfit(name, metrics[name], "a share from 0 to 1")
    if not isinstance(metrics.get("split", ""), str):
        raise _unfit("split", metrics["split"], "the name of a split")
    matrix = metrics.get("confusion_matrix", [[0] * COUNT] * COUNT)
    if not (_is_list(matrix, COUNT) and all(_is_list(row, COUNT) and all(map(_is_count, row)) for row in matrix)):
        raise _unfit("confusion_matrix", matrix, f"{COUNT} rows of {COUNT} counts")
    bins = metrics.get("reliability", [])
    if not (_is_list(bins) and all(isinstance(each, dict) and _is_bin(each) for each in bins)):
        raise _unfit("reliability", bins, f"a list of bins with count, {', '.join(BIN_SHARES)}")
    held = metrics.get("held_out_sets", {"coverage": 0, "mean_size": 0})
    if not (
        isinstance(held, dict) and _within(held.get("coverage"), 0, 1) and _within(held.get("mean_size"), 0, COUNT)
    ):
        raise _unfit("held_out_sets", held, "coverage and mean_size of the prediction sets")


def _is_list(value: object, length: int | None = None) -> bool:
    return isinstance(value, list) and (len(value) == length if length else len(value) <= MAX_BINS)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_COUNT


def _is_bin(values: dict[str, Any]) -> bool:
    return _is_count(values.get("count")) and all(_within(values.get(name), 0, 1) for name in BIN_SHARES)


def _within(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _unfit(name: str, value: object, expected: str) -> WeightsError:
    return WeightsError(f"The card's {name} is {str(value)[:40]!r}. Expected {expected}.")


def json_of(path: Path) -> object:
    """Parse a card's JSON file. Raises OSError, and ValueError if it is not JSON or far larger than any card."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("too large")
    return checked_json(path.read_text(encoding="utf-8"))


def checked_json(text: str) -> object:
    """Parse a card's JSON. Raises ValueError if it is not JSON or nested far deeper than any card."""
    try:
        values = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [values]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    if level:
        raise ValueError("nested too deeply")
    return values
