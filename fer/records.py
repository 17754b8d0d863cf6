"""The frozen records that travel between the parts of FER Studio."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from fer.expressions import NAMES


@dataclass(frozen=True)
class FaceBox:
    """A face in pixels of the upright picture: left, top, width, height, and the detector's score.

    landmarks: right eye, left eye, nose tip, right and left mouth corner as (x, y), "right" being the
    person's own; None where the detector gives none.
    """

    x: float
    y: float
    width: float
    height: float
    score: float = 1.0
    landmarks: tuple[tuple[float, float], ...] | None = None

    @property
    def area(self) -> float:
        return self.width * self.height


@dataclass(frozen=True)
class Quality:
    """Whether a face is fit to be read, and if not why, each reason a short phrase with its measurement."""

    ok: bool = True
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """What one face expresses: seven calibrated probabilities in the order of `fer.expressions.NAMES`.

    sure: the leading probability reaches the threshold on the model's card and the face is fit to be read.
    """

    box: FaceBox
    probabilities: tuple[float, ...]
    sure: bool
    quality: Quality = Quality()

    @property
    def ranking(self) -> tuple[str, ...]:
        """All class names, the most probable first."""
        order = sorted(range(len(NAMES)), key=lambda index: -self.probabilities[index])
        return tuple(NAMES[index] for index in order)

    @property
    def expression(self) -> str:
        return self.ranking[0]

    @property
    def confidence(self) -> float:
        return max(self.probabilities)

    def to_json(self) -> dict:
        """One face as the command line prints it."""
        box = self.box
        return {
            "box": [round(value, 1) for value in (box.x, box.y, box.width, box.height)],
            "score": round(box.score, 4),
            "quality": {"ok": self.quality.ok, "reasons": list(self.quality.reasons)},
            "expression": self.expression,
            "confidence": round(self.confidence, 4),
            "sure": self.sure,
            "probabilities": {name: round(p, 4) for name, p in zip(NAMES, self.probabilities, strict=True)},
        }


@dataclass(frozen=True)
class EpochRecord:
    """One line of metrics.jsonl. Losses in nats, accuracies and recalls in 0..1; validation is PublicTest."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    macro_f1: float
    recall: tuple[float, ...]  # per class, in NAMES' order
    confusion_matrix: tuple[tuple[int, ...], ...]  # rows: truth
    learning_rate: float  # at the epoch's last step
    seconds: float
    pictures_per_second: float
    best: bool  # the best validation accuracy so far

    def to_json(self) -> dict:
        return asdict(self)
