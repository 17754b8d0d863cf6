"""Evaluate one model on one split, with everything that a report needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fer.conformal import PredictionSets
from fer.data.dataset import Dataset, fingerprints, split_name
from fer.errors import DatasetError
from fer.evaluation import curves, ferplus_agreement
from fer.evaluation.metrics import Report, predict_all, score
from fer.evaluation.prediction_sets import Coverage, coverage_of, faces_digest
from fer.inference.recognizer import Recognizer
from fer.wording import count_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

GALLERY = 24


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A split's faces, the model's predictions, and results derived from them on demand.

    probabilities: (N, 7), calibrated. repeated: (N,) which pictures are also in Training, or None. kept: (N,) rows
    in the split, if the model gave no answer for some of its faces.
    """

    model: str
    split: str
    threshold: float
    part: Dataset
    probabilities: NDArray[np.float64]
    tta: str
    repeated: NDArray[np.bool_] | None
    weights_sha256: str = ""
    sets: PredictionSets | None = None  # from the model's card
    from_drawings: bool = False  # the model learned from synthetic faces alone
    title: str = ""  # the model's name for people, if it has another than `model`
    kept: NDArray[np.int64] | None = None

    def to_json(self) -> dict[str, object]:
        """As printed by the command line; `sets` is null if the card has none for these views."""
        found = self.set_coverage()
        answers = {name: one.to_json() for name, one in self.answers().items()}
        return {
            **self.report.to_json(),
            "sets": found and found.to_json(),
            "threshold": self.threshold,
            "answers": answers,
        }

    @cached_property
    def report(self) -> Report:
        return score(self.probabilities, self.labels, self.model, self.split, self.tta, self.repeated)

    @property
    def labels(self) -> NDArray[np.int64]:
        return self.part.labels

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = self.probabilities.argmax(1) == self.labels
        return right

    @cached_property
    def in_sample(self) -> bool:
        """Whether the model's prediction sets were fitted on the faces evaluated here."""
        if self.sets is None:
            return False
        fitted_on = self.part.pixels[self.part.usage == self.sets.split]
        return self.sets.faces_sha256 == faces_digest(fingerprints(fitted_on))

    def set_members(self, level: float | None = None) -> NDArray[np.bool_] | None:
        """Which classes are in each face's set (N, 7), at the card's level or another of fer.conformal.LEVELS.

        None if the card has no sets for these views.
        """
        if self.sets is None or self.tta not in self.sets.quantiles:
            return None
        return self.sets.members(self.probabilities, self.tta, level)

    def set_coverage(self, level: float | None = None) -> Coverage | None:
        """How often the sets contain the true class; None as in set_members."""
        members = self.set_members(level)
        if self.sets is None or members is None:
            return None
        return coverage_of(members, self.labels, self.sets.level if level is None else level, self.in_sample)

    @cached_property
    def interval(self) -> tuple[float, float]:
        return curves.accuracy_interval(self.right)

    @cached_property
    def averages(self) -> curves.Averages:
        return curves.averages(self.probabilities, self.labels)

    @cached_property
    def reliability(self) -> list[dict[str, float]]:
        return curves.reliability(self.probabilities, self.labels)

    @cached_property
    def risk(self) -> curves.RiskCoverage:
        return curves.risk_coverage(self.probabilities, self.labels)

    def answers(self, threshold: float | None = None) -> dict[str, curves.AnswerAccuracy]:
        """The accuracy of each answer from a threshold on, by default the model's own."""
        at = self.threshold if threshold is None else threshold
        return curves.accuracy_by_answer(self.probabilities, self.labels, at)

    @cached_property
    def people(self) -> ferplus_agreement.HumanComparison | None:
        return (
            None
            if self.part.votes is None
            else ferplus_agreement.compare_with_people(self.probabilities, self.labels, self.part.votes)
        )

    def cell(self, truth: int, named: int) -> NDArray[np.int64]:
        """Rows of the pictures in one cell of the confusion matrix, most confident first."""
        rows = np.flatnonzero((self.labels == truth) & (self.probabilities.argmax(1) == named))
        return rows[np.argsort(-self.probabilities[rows].max(1), kind="stable")]

    def confident_errors(self) -> NDArray[np.int64]:
        """Rows of the mistakes, most confident first."""
        rows = np.flatnonzero(~self.right)
        return rows[np.argsort(-self.probabilities[rows].max(1), kind="stable")]

    def hardest(self) -> NDArray[np.int64]:
        """All rows, ordered by the probability of their true class, lowest first."""
        return np.argsort(self.probabilities[np.arange(len(self.labels)), self.labels], kind="stable")


def study(
    recognizer: Recognizer,
    dataset: Dataset,
    split: str,
    tta: str = "none",
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Evaluate one model on one split. Raises DatasetError if the split is missing or unlabeled."""
    part = dataset.split(split)
    probabilities = predict_all(recognizer, part.pixels, tta, progress)
    numbers, kept = np.isfinite(probabilities).all(1), None
    if not numbers.all():
        if not numbers.any():
            raise DatasetError(
                f"{recognizer.name} gives no valid probabilities for any face of {split_name(split)}: its weights "
                "overflow. Choose another model."
            )
        remark = f"{count_of(int((~numbers).sum()), 'face')} left out: the model gives no valid probabilities."
        kept = np.flatnonzero(numbers)
        part = replace(part.take(kept), remarks=(*part.remarks, remark))
        probabilities = probabilities[numbers]
    return Evaluation(
        recognizer.name,
        split_name(split),
        recognizer.card.threshold,
        part,
        probabilities,
        tta,
        repeats(dataset, part),
        recognizer.card.sha256,
        recognizer.card.prediction_sets,
        recognizer.card.from_drawings,
        kept=kept,
    )


def shared_rows(one: Evaluation, other: Evaluation) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of the faces that both models answered, in each evaluation of the same split."""
    mine, theirs = (np.arange(len(each.labels)) if each.kept is None else each.kept for each in (one, other))
    return np.flatnonzero(np.isin(mine, theirs)), np.flatnonzero(np.isin(theirs, mine))


def repeats(dataset: Dataset, part: Dataset) -> NDArray[np.bool_] | None:
    """Which pictures of a split are also in Training, pixel for pixel (N,); None if Training itself is in the split
    or not in the data."""
    training = dataset.usage == "Training"
    if (part.usage == "Training").any() or not training.any():
        return None
    return np.isin(fingerprints(part.pixels), fingerprints(dataset.pixels[training]))
