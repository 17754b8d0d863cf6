"""The frozen records that FER Studio's packages exchange."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from fer.expressions import NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_SURE = "not sure"  # a valid answer, like any expression


@dataclass(frozen=True)
class FaceBox:
    """A face's box in pixels of the upright picture: left, top, width and height, with the detector's score.

    detector: the detector that found the face, a name in `fer.vision.registry.DETECTOR_SPECS`; detectors frame faces
    differently, so cropping depends on it.
    landmarks: right eye, left eye, nose tip, right and left mouth corner as (x, y), where "right" is the person's own
    right; None if the detector provides no landmarks.
    rotation: how far to turn the picture clockwise to make the face upright: 0, 90, 180 or 270 degrees.
    """

    x: float
    y: float
    width: float
    height: float
    score: float = 1.0
    landmarks: tuple[tuple[float, float], ...] | None = None
    rotation: int = 0
    detector: str = field(kw_only=True)

    @property
    def whole(self) -> bool:
        """Whether the whole picture was treated as one face, without a detector."""
        return self.detector == "none"

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def tenths(self) -> tuple[float, ...]:
        """Left, top, width and height, rounded to tenths of a pixel, without a -0.0."""
        return tuple(round(value, 1) + 0.0 for value in (self.x, self.y, self.width, self.height))

    def scaled(self, by: float) -> FaceBox:
        """The same face after the picture is scaled by this factor."""
        points = self.landmarks and tuple((x * by, y * by) for x, y in self.landmarks)
        x, y, width, height = self.x * by, self.y * by, self.width * by, self.height * by
        return replace(self, x=x, y=y, width=width, height=height, landmarks=points)

    def shifted(self, right: float, down: float) -> FaceBox:
        """The same face after the picture gets margins of this many pixels on the left and at the top."""
        points = self.landmarks and tuple((x + right, y + down) for x, y in self.landmarks)
        return replace(self, x=self.x + right, y=self.y + down, landmarks=points)


@dataclass(frozen=True)
class Quality:
    """Whether a face can be read and, if not, why, in plain words such as `blurred`.

    measurements: a sentence with the number behind each reason; empty if only the reasons are known.
    """

    ok: bool = True
    reasons: tuple[str, ...] = ()
    measurements: tuple[str, ...] = ()


def set_words(names: Sequence[str]) -> str:
    """ "happy", "happy or neutral", "happy, neutral or fear"."""
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


@dataclass(frozen=True)
class Prediction:
    """The expression of one face: seven calibrated probabilities in the order of `fer.expressions.NAMES`.

    sure: whether the highest probability reaches the threshold on the model's card and the face's quality is
    sufficient; nothing else counts. prediction_set: expressions that include the true one as often as the card
    promises, on faces like those it was fitted on; empty if the card promises nothing. stability: the share of
    slightly different crops that get the same expression, 0..1; None if not measured.
    """

    box: FaceBox
    probabilities: tuple[float, ...]
    sure: bool
    quality: Quality = Quality()
    prediction_set: tuple[str, ...] = ()
    stability: float | None = None

    @property
    def ranking(self) -> tuple[str, ...]:
        """All class names, most probable first."""
        order = sorted(range(len(NAMES)), key=lambda index: -self.probabilities[index])
        return tuple(NAMES[index] for index in order)

    @property
    def expression(self) -> str:
        """The best guess, whether or not it is sure."""
        return self.ranking[0]

    @property
    def answer(self) -> str:
        """The displayed result: the expression, or NOT_SURE."""
        return self.expression if self.sure else NOT_SURE

    @property
    def confidence(self) -> float:
        return max(self.probabilities)

    def to_json(self) -> dict[str, object]:
        """One face as the command line prints it; includes `stability` only if it was measured."""
        box = self.box
        return {
            "box": list(box.tenths),
            "score": round(box.score, 4),
            "detector": box.detector,
            "quality": {"ok": self.quality.ok, "reasons": list(self.quality.reasons)},
            "answer": self.answer,
            "expression": self.expression,
            "confidence": round(self.confidence, 4),
            "sure": self.sure,
            "set": list(self.prediction_set),
            "probabilities": {name: round(p, 4) for name, p in zip(NAMES, self.probabilities, strict=True)},
            **({} if self.stability is None else {"stability": round(self.stability, 3)}),
        }


CSV_COLUMNS = (
    *("input", "time_s", "person", "x", "y", "width", "height", "answer", "expression", "confidence", "sure", "set"),
    *NAMES,
    *("quality", "stability", "detector", "model"),
)


@dataclass(frozen=True)
class FaceRecord:
    """One face in a photo, or at one moment of a video or stream: a row of every CSV.

    input: the file's name, empty for a stream. time_s: seconds from the start, NaN for a photo. person: the number
    shown on the picture, from 1, constant throughout a video; 0 if people are not numbered. model: the name of the
    model that read the face.
    """

    prediction: Prediction
    input: str = ""
    time_s: float = math.nan
    person: int = 0
    model: str = ""

    def to_json(self) -> dict[str, object]:
        """The face with its time and person, as in the JSON of a video."""
        return {"time_s": round(self.time_s, 3), "person": self.person, **self.prediction.to_json()}

    def to_row(self) -> tuple[str, ...]:
        """The values of CSV_COLUMNS as text, empty if not applicable. The names in a set are joined by "|"."""
        face, box = self.prediction, self.prediction.box
        return (
            cell_text(self.input),
            "" if math.isnan(self.time_s) else f"{self.time_s:.3f}",
            str(self.person or ""),
            *(f"{value:.1f}" for value in box.tenths),
            face.answer,
            face.expression,
            f"{face.confidence:.4f}",
            str(face.sure),
            "|".join(face.prediction_set),
            *(f"{p:.4f}" for p in face.probabilities),
            "; ".join(face.quality.reasons) or "ok",
            "" if face.stability is None else f"{face.stability:.3f}",
            box.detector,
            cell_text(self.model),
        )


def faces_csv(records: Iterable[FaceRecord]) -> str:
    """CSV text: a header of CSV_COLUMNS and a row per face."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(CSV_COLUMNS)
    writer.writerows(record.to_row() for record in records)
    return file.getvalue()


def cell_text(name: str) -> str:
    """Prefix a quote to names that a spreadsheet would run as a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name


@dataclass(frozen=True)
class EpochRecord:
    """One line of metrics.jsonl. Losses in nats, accuracies and recalls in 0..1; validation is PublicTest."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    macro_f1: float
    recall: tuple[float, ...]  # per class, in the order of NAMES
    confusion_matrix: tuple[tuple[int, ...], ...]  # rows: true class
    learning_rate: float  # at the last step of the epoch
    seconds: float
    pictures_per_second: float
    best: bool  # whether validation accuracy is the highest so far

    @property
    def validation_faces(self) -> int:
        return sum(map(sum, self.confusion_matrix))

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: object) -> EpochRecord:
        """Raises ValueError unless the record is complete and valid. Losses may be NaN, since a run may diverge."""
        try:
            if not isinstance(values, dict):
                raise TypeError(f"expected an object, got {type(values).__name__}")
            numbers = {field.name: _number(values[field.name]) for field in fields(cls) if field.type == "float"}
            recall = tuple(map(_number, values["recall"]))
            matrix = tuple(tuple(map(_count, row)) for row in values["confusion_matrix"])
            record = cls(
                epoch=_count(values["epoch"]),
                best=values["best"] is True,
                recall=recall,
                confusion_matrix=matrix,
                **numbers,
            )
        except (TypeError, KeyError, OverflowError) as error:
            raise ValueError(f"this is not an epoch record: {error}") from None
        if [len(recall), *map(len, matrix)] != [len(NAMES)] * (1 + len(NAMES)):
            raise ValueError(f"recall and confusion matrix must cover {len(NAMES)} classes")
        return record


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise ValueError("a value must be a number")
    return float(value)


def _count(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError("a count must be a whole number, 0 or more")
    return int(value)


@dataclass(frozen=True)
class Curves:
    """A class's probability as more and more of the face is removed (deletion) or revealed (insertion).

    fractions: the shares of the face removed or revealed, 0..1. deletion, insertion: the probability at each. The areas
    under the curves are in 0..1: a faithful map has a small deletion area and a large insertion area.
    """

    fractions: tuple[float, ...]
    deletion: tuple[float, ...]
    insertion: tuple[float, ...]

    @property
    def deletion_area(self) -> float:
        return _area(self.fractions, self.deletion)

    @property
    def insertion_area(self) -> float:
        return _area(self.fractions, self.insertion)

    def cost(self, fraction: float = 0.1) -> float:
        """The probability lost when that share of the face is removed, -1..1; negative if the probability rose."""
        return self.deletion[0] - self.deletion[self.fractions.index(fraction)]

    def to_json(self) -> dict[str, object]:
        return {
            "deletion": [round(p, 5) for p in self.deletion],
            "insertion": [round(p, 5) for p in self.insertion],
            "deletion_area": round(self.deletion_area, 5),
            "insertion_area": round(self.insertion_area, 5),
            "cost_of_marked_tenth": round(self.cost(), 5),
        }


Judgment = Literal["pass", "unclear", "fail"]


@dataclass(frozen=True)
class MapMeasurements:
    """Measurements of one map's quality. A field is None until it is measured, or if it cannot be.

    gray, road: the effect of removing and revealing the marked pixels, filled with the face's mean gray or with ROAD's
    noisy linear imputation. sensitivity: the map's largest change, relative to its size, when the face hardly changes.
    sparseness: Gini index, 0..1. kept_top, kept_all: the map's rank correlation with that of a network whose last
    layer, or whose every layer, was randomized; a mean over several such networks. complexity_rise: the map's relative
    gain in complexity after randomization. points_at_expected: whether the map's strongest pixel lies in a
    region of the expression's action units.
    """

    gray: Curves | None = None
    road: Curves | None = None
    sensitivity: float | None = None
    sparseness: float | None = None
    kept_top: float | None = None
    kept_all: float | None = None
    complexity_rise: float | None = None
    points_at_expected: bool | None = None

    @property
    def kept(self) -> float | None:
        """The larger of the two correlations, by which the randomization test judges."""
        return None if self.kept_top is None or self.kept_all is None else max(self.kept_top, self.kept_all)

    def to_json(self) -> dict[str, object]:
        values = {
            "max_sensitivity": self.sensitivity,
            "sparseness": self.sparseness,
            "similarity_after_randomization": self.kept,
            "complexity_rise_after_randomization": self.complexity_rise,
        }
        return {
            **({"road": self.road.to_json()} if self.road else {}),
            **{name: round(value, 4) for name, value in values.items() if value is not None},
            **({} if self.points_at_expected is None else {"points_at_expected_region": self.points_at_expected}),
        }


def _area(x: tuple[float, ...], y: tuple[float, ...]) -> float:
    return sum((x[i + 1] - x[i]) * (y[i + 1] + y[i]) / 2 for i in range(len(x) - 1))


@dataclass(frozen=True)
class Explanation:
    """The evidence for one face's seven scores, and how far to trust it.

    face_gray: (S, S) uint8, the network's input. maps: per method, (len(classes), S, S) float32, unscaled. shares: per
    method and class, the share of the map's mass in each region, 0..1. words: per method and class, one sentence.
    measured, judgments: per method, the classes whose maps were measured; maps that mark nothing are left out.
    baselines: the curves for removing random pixels, by fill (gray, road) and class.
    """

    prediction: Prediction
    model: str
    layer: str
    classes: tuple[str, ...]
    face_gray: NDArray[np.uint8]
    maps: dict[str, NDArray[np.float32]]
    shares: dict[str, dict[str, dict[str, float]]]
    words: dict[str, dict[str, str]]
    measured: dict[str, dict[str, MapMeasurements]]
    judgments: dict[str, dict[str, Judgment]]
    baselines: dict[str, dict[str, Curves]]

    def to_json(self) -> dict[str, object]:
        """Everything except the maps' pixels."""
        gray = self.baselines.get("gray", {})
        return {
            "model": self.model,
            "layer": self.layer,
            "face": self.prediction.to_json(),
            "classes": list(self.classes),
            "methods": {
                method: {
                    name: {
                        "largest": float(np.abs(maps[index]).max()),
                        "in_words": self.words[method][name],
                        "regions": {region: round(share, 4) for region, share in self.shares[method][name].items()},
                        **self._worth(method, name),
                    }
                    for index, name in enumerate(self.classes)
                }
                for method, maps in self.maps.items()
            },
            "random_baseline": {name: one.to_json() for name, one in gray.items()},
            "random_baseline_road": {name: one.to_json() for name, one in self.baselines.get("road", {}).items()},
            "fractions": list(next(iter(gray.values())).fractions) if gray else [],
        }

    def _worth(self, method: str, name: str) -> dict[str, object]:
        found = self.measured.get(method, {}).get(name)
        if found is None:
            return {}
        gray = {"faithfulness": found.gray.to_json()} if found.gray else {}
        return {**gray, **found.to_json(), "judgment": self.judgments[method][name]}
