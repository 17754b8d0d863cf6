"""Prediction sets: the expressions among which the true one is found as often as promised.

What a card says of them, and their implementation in NumPy. `fer.evaluation.prediction_sets` fits them.
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
LEVEL = 0.9  # the share of faces whose set is to hold the truth
LEVELS = tuple(percent / 100 for percent in range(80, 100))


def nonconformity(probabilities: NDArray[np.floating], method: str) -> NDArray[np.float64]:
    """How badly each class fits each face, 0..1. probabilities: (N, 7); returns (N, 7).

    lac: what is missing from the class's probability to 1 (Sadinle, Lei and Wasserman 2019). aps: the probability of
    the class and of all that are more probable (Romano, Sesia and Candès 2020), not randomized: the same face, the
    same set.
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
    """A model's rule for its sets: a class is in where its nonconformity is at most the class's quantile, and where a
    less probable one is in.

    Quantiles are by class, so that each class keeps the promise. Alone they skip a class in favor of a less probable
    one, on two faces of ten of which the app is not sure: a reader of the bars would take that for an error. To take
    such classes in only adds to a set, so the promise holds.
    level: what is promised where no other level is asked for. quantiles: by view (of fer.preprocessing.TTA, each
    fitted by itself) and class one for each of LEVELS. split, faces_sha256: of the faces they were fitted on.
    """

    method: str
    quantiles: dict[str, dict[str, tuple[float, ...]]]
    level: float = LEVEL
    split: str = ""
    faces_sha256: str = ""

    def members(
        self, probabilities: NDArray[np.floating], view: str = "none", level: float | None = None
    ) -> NDArray[np.bool_]:
        """Which classes are in each face's set: calibrated probabilities (N, 7) -> (N, 7), the best guess always.

        Raises ValueError for a view or a level that was not fitted.
        """
        level = self.level if level is None else level
        if view not in self.quantiles or round(level, 2) not in LEVELS:
            raise ValueError(f"there are no prediction sets for the view {view!r} at the level {level:g}")
        limits = np.array(self._limits(view, level))
        p = np.asarray(probabilities, np.float64)
        inside = nonconformity(p, self.method) <= limits
        inside[np.arange(len(inside)), np.argmax(p, 1)] = True
        whole: NDArray[np.bool_] = p >= np.where(inside, p, np.inf).min(1, keepdims=True)
        return whole

    def rule(self, view: str = "none") -> dict[str, object] | None:
        """The rule at its own level for one view: its method, and a limit a class; None where none was fitted."""
        if view not in self.quantiles:
            return None
        return {"method": self.method, "limits": self._limits(view, self.level)}

    def _limits(self, view: str, level: float) -> list[float]:
        """The quantile of each class, in NAMES' order."""
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
        """Raises WeightsError for anything but a whole rule: a card is untrusted."""
        if not isinstance(values, dict):
            raise _unfit("an object")
        quantiles = values.get("quantiles")
        if values.get("method") not in METHODS:
            raise _unfit(f"a method of {', '.join(METHODS)}")
        if values.get("levels") != list(LEVELS) or values.get("level") not in LEVELS:
            raise _unfit("the levels 0.80, 0.81 to 0.99, and one of them")
        if not isinstance(quantiles, dict) or not set(quantiles) <= set(TTA):
            raise _unfit(f"quantiles by view: {', '.join(TTA)}")
        for classes in quantiles.values():
            if not isinstance(classes, dict) or set(classes) != set(NAMES) or not all(map(_whole, classes.values())):
                raise _unfit(f"{len(LEVELS)} quantiles from 0 to 1 for each class")
        for name in ("split", "faces_sha256"):
            if not isinstance(values.get(name, ""), str):
                raise _unfit(f"text as {name}")
        kept = {view: {name: tuple(map(float, classes[name])) for name in NAMES} for view, classes in quantiles.items()}
        return cls(values["method"], kept, values["level"], values.get("split", ""), values.get("faces_sha256", ""))


def set_names(members: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> tuple[str, ...]:
    """The names of one face's set, the most probable first. members, probabilities: (7,)."""
    return tuple(NAMES[index] for index in np.argsort(-np.asarray(probabilities), kind="stable") if members[index])


def _whole(values: object) -> bool:
    return (
        isinstance(values, list)
        and len(values) == len(LEVELS)
        and all(isinstance(q, int | float) and not isinstance(q, bool) and 0 <= q <= 1 for q in values)
    )


def _unfit(expected: str) -> WeightsError:
    return WeightsError(f"The card's prediction sets cannot be used. Expected {expected}.")
