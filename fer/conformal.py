"""Prediction sets: expressions that include the true one as often as the model's card promises.

Stored on the card and applied here with NumPy; `fer.evaluation.prediction_sets` fits them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer.errors import WeightsError
from fer.expressions import NAMES
from fer.preprocessing import TTA

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHODS = ("lac", "aps")
LEVEL = 0.9  # the share of faces whose set should contain the true expression
LEVELS = tuple(percent / 100 for percent in range(80, 100))


def nonconformity(probabilities: NDArray[np.floating], method: str) -> NDArray[np.float64]:
    """How badly each class fits each face, 0..1. probabilities: (N, 7); returns (N, 7).

    lac: 1 minus the class's probability (Sadinle, Lei and Wasserman 2019). aps: the summed probability of the class
    and of every more probable one (Romano, Sesia and Candès 2020), without randomization, so that the same face always
    gets the same set.
    """
    p = np.asarray(probabilities, np.float64)
    if method == "lac":
        return 1 - p
    order = np.argsort(-p, axis=1, kind="stable")
    scores = np.empty_like(p)
    np.put_along_axis(scores, order, np.take_along_axis(p, order, 1).cumsum(1), 1)
    return np.minimum(scores, 1.0)


@dataclass(frozen=True)
class PredictionSets:
    """A model's rule for its sets: a set contains each class whose nonconformity is at most the class's quantile, and
    each that is more probable than a class in the set.

    Quantiles are per class, so that each class keeps the promise. Alone they would skip a class in favor of a less
    probable one for two of ten "not sure" faces, which looks like an error beside the bars. Adding the skipped classes
    only enlarges a set, so the promise holds.
    level: the default level. quantiles: by view (of fer.preprocessing.TTA, each fitted separately) and class, one for
    each of LEVELS. split, faces_sha256: identify the faces on which the rule was fitted.
    """

    method: str
    quantiles: dict[str, dict[str, tuple[float, ...]]]
    level: float = LEVEL
    split: str = ""
    faces_sha256: str = ""

    def members(
        self, probabilities: NDArray[np.floating], view: str = "none", level: float | None = None
    ) -> NDArray[np.bool_]:
        """Which classes are in each face's set: calibrated probabilities (N, 7) -> (N, 7).

        The best guess is always in the set. Raises ValueError for a view or level that was not fitted.
        """
        level = self.level if level is None else level
        if view not in self.quantiles or round(level, 2) not in LEVELS:
            raise ValueError(f"no prediction sets were fitted for the view {view!r} at the level {level:g}")
        limits = np.array(self._limits(view, level))
        p = np.asarray(probabilities, np.float64)
        inside = nonconformity(p, self.method) <= limits
        inside[np.arange(len(inside)), np.argmax(p, 1)] = True
        whole: NDArray[np.bool_] = p >= np.where(inside, p, np.inf).min(1, keepdims=True)
        return whole

    def rule(self, view: str = "none") -> dict[str, object] | None:
        """One view's rule at the default level: the method and a limit per class; None if the view was not fitted."""
        if view not in self.quantiles:
            return None
        return {"method": self.method, "limits": self._limits(view, self.level)}

    def _limits(self, view: str, level: float) -> list[float]:
        """Each class's quantile, in the order of NAMES."""
        place = LEVELS.index(round(level, 2))
        return [self.quantiles[view][name][place] for name in NAMES]

    def to_json(self) -> dict[str, object]:
        return {
            "method": self.method,
            "level": self.level,
            "split": self.split,
            "faces_sha256": self.faces_sha256,
            "levels": list(LEVELS),
            "quantiles": {
                view: {name: list(values) for name, values in classes.items()}
                for view, classes in self.quantiles.items()
            },
        }

    @classmethod
    def from_json(cls, values: object) -> PredictionSets:
        """Raises WeightsError unless the rule is complete and valid: cards are untrusted."""
        if not isinstance(values, dict):
            raise _unfit("an object")
        quantiles = values.get("quantiles")
        if values.get("method") not in METHODS:
            raise _unfit(f"a method of {', '.join(METHODS)}")
        if values.get("levels") != list(LEVELS) or values.get("level") not in LEVELS:
            raise _unfit("the levels 0.80, 0.81, ..., 0.99, and a default level among them")
        if not isinstance(quantiles, dict) or not set(quantiles) <= set(TTA):
            raise _unfit(f"quantiles by view: {', '.join(TTA)}")
        for classes in quantiles.values():
            if not isinstance(classes, dict) or set(classes) != set(NAMES) or not all(map(_whole, classes.values())):
                raise _unfit(f"{len(LEVELS)} quantiles from 0 to 1 for each class")
        for name in ("split", "faces_sha256"):
            if not isinstance(values.get(name, ""), str):
                raise _unfit(f"text for {name}")
        kept = {view: {name: tuple(map(float, classes[name])) for name in NAMES} for view, classes in quantiles.items()}
        return cls(values["method"], kept, values["level"], values.get("split", ""), values.get("faces_sha256", ""))


def set_names(members: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> tuple[str, ...]:
    """The names in one face's set, most probable first. members, probabilities: (7,)."""
    return tuple(NAMES[index] for index in np.argsort(-np.asarray(probabilities), kind="stable") if members[index])


def _whole(values: object) -> bool:
    return (
        isinstance(values, list)
        and len(values) == len(LEVELS)
        and all(isinstance(q, int | float) and not isinstance(q, bool) and 0 <= q <= 1 for q in values)
    )


def _unfit(expected: str) -> WeightsError:
    return WeightsError(f"The card's prediction sets cannot be used. Expected {expected}.")
