"""Explain one face: each map and measurement is computed once, requested ones first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np

from fer.explanation import sanity_check
from fer.explanation.attribution import contrast, units
from fer.explanation.faithfulness import Fill, curves, gray, mean_curves, random_walks
from fer.explanation.measures import (
    DRAWS,
    agreement,
    complexity_rise,
    gini,
    judge,
    judge_removal,
    max_sensitivity,
    points_at,
)
from fer.explanation.methods import FAST, METHODS, evidence, marks_nothing
from fer.explanation.regions import REGIONS, expected_regions
from fer.explanation.road import imputed
from fer.explanation.subject import Subject, explainer_for
from fer.expressions import NAMES
from fer.records import Curves, Judgment, MapMeasurements

Key = tuple[str, str | None]  # a method, and its layer if it has one
Map = tuple[Key, int]  # the map of one class
Urgency = Literal["asked", "soon", "later"]
Measurement = Literal["gray", "road", "sensitivity", "randomization"]
MEASUREMENTS: dict[Measurement, str] = {
    "gray": "covering what it marks",
    "road": "blending the marked pixels into their surroundings",
    "randomization": "scrambling the network",
    "sensitivity": "changing the face slightly",
}
FILLS: dict[str, Fill] = {"gray": gray, "road": imputed}


def key_of(method: str, layer: str) -> Key:
    return (method, layer if METHODS[method].layered else None)


@dataclass(frozen=True)
class Piece:
    """A piece of the work, at most a second or two except for slow methods. label: for a progress bar.

    urgency: whether the visitor needs it to see anything at all, soon, or later.
    """

    label: str
    run: Callable[[], object]
    urgency: Urgency


@dataclass(eq=False)
class ExplanationJob:
    """Everything known about one face: the maps, their measurements, and the remaining work.

    classes: indices of the classes to make maps for.
    """

    face: Subject
    classes: tuple[int, ...] = tuple(range(len(NAMES)))
    maps: dict[Key, np.ndarray] = field(default_factory=dict)  # (len(classes), S, S) each
    measured: dict[Map, MapMeasurements] = field(default_factory=dict)
    randomized: dict[Map, dict[sanity_check.Part, np.ndarray]] = field(default_factory=dict)  # (S, S) each
    contrasts: dict[tuple[Key, int, int], np.ndarray] = field(default_factory=dict)  # (1, S, S) each
    _done: set[tuple[Map, Measurement]] = field(default_factory=set)
    _walks: dict[str, list[list[Curves]]] = field(default_factory=dict)

    def pieces(self, keys: Sequence[Key], asked: Map, measure: Iterable[Map] | None = None) -> Iterator[Piece]:
        """The remaining work in order of need: the requested map, fast maps, measurements of the requested map, slow
        maps, then other measurements.

        measure: the maps to measure; by default only the requested one. A piece may raise ExplainError.
        """
        yield from self._map(asked[0], "asked")
        fast = [key for key in keys if key[0] in FAST]
        for key in fast:
            yield from self._map(key, "soon")
        wanted = [asked] if measure is None else list(measure)
        if asked in wanted:
            yield from self._measurements(asked)
        for key in keys:
            yield from self._map(key, "later")
        for one in wanted:
            yield from self._measurements(one)

    def pending(self, keys: Sequence[Key], asked: Map, measure: Iterable[Map] | None = None) -> int:
        """The number of pieces left."""
        wanted = {asked} if measure is None else set(measure)
        return sum(key not in self.maps for key in {*keys, asked[0]}) + sum(len(self._open(one)) for one in wanted)

    def map_of(self, key: Key) -> np.ndarray:
        """The maps (len(classes), S, S) of a method and layer, computed if missing."""
        if key not in self.maps:
            self.maps[key] = self.face.attribute(key[0], units(list(self.classes)), key[1])
        return self.maps[key]

    def values(self, one: Map) -> np.ndarray:
        """One map (S, S)."""
        values: np.ndarray = self.map_of(one[0])[self.classes.index(one[1])]
        return values

    def contrast_of(self, key: Key, index: int, other: int) -> np.ndarray:
        """The map (1, S, S) of one class's score minus another's."""
        wanted = (key, index, other)
        if wanted not in self.contrasts:
            self.contrasts[wanted] = self.face.attribute(key[0], contrast(index, other), key[1])
        return self.contrasts[wanted]

    def knows_contrast(self, key: Key, index: int, other: int) -> bool:
        return (key, index, other) in self.contrasts

    def has_measured(self, one: Map) -> bool:
        """Whether a map is fully measured."""
        return one[0] in self.maps and not self._open(one)

    def has_judgment(self, one: Map) -> bool:
        """Whether a map marks something and is fully measured."""
        return one in self.measured and self.has_measured(one)

    def baseline(self, fill: str) -> tuple[Curves, ...]:
        """The curves of random removal, one per class; empty until measured. fill: of FILLS."""
        return mean_curves(self._walks[fill]) if fill in self._walks else ()

    def judgment(self, one: Map) -> tuple[Judgment, str]:
        """Whether to trust a map, with a sentence; unclear and empty until measured."""
        return judge(self.measured.get(one, MapMeasurements()), self._random("road", one[1]))

    def agreement(self, keys: Sequence[Key], index: int) -> tuple[list[str], np.ndarray]:
        """The methods with maps of a class, and their rank correlations: (M, M)."""
        found = {key[0]: evidence(self.values((key, index)), key[0]) for key in keys if key in self.maps}
        return list(found), agreement(found)

    def disagree(self, one: Map) -> bool:
        """Whether gray and ROAD disagree about removing a map's marked pixels."""
        found = self.measured.get(one, MapMeasurements())
        if found.gray is None or found.road is None:
            return False
        judged = [
            judge_removal(by, self._random(fill, one[1])) for fill, by in (("gray", found.gray), ("road", found.road))
        ]
        return judged[0] != judged[1]

    def _random(self, fill: str, index: int) -> list[Curves]:
        """One class's random orders; empty until measured."""
        return [walk[index] for walk in self._walks.get(fill, [])]

    def _map(self, key: Key, urgency: Urgency) -> Iterator[Piece]:
        if key not in self.maps:
            yield Piece(f"Drawing {METHODS[key[0]].label}", partial(self.map_of, key), urgency)

    def _measurements(self, one: Map) -> Iterator[Piece]:
        for what in self._open(one):
            label = f"Checking {METHODS[one[0][0]].label}: {MEASUREMENTS[what]}"
            yield Piece(label, partial(self._measure, one, what), "later")

    def _open(self, one: Map) -> list[Measurement]:
        """A map's missing measurements; none for a map that is known to mark nothing."""
        key = one[0]
        if self.face.plain or (key in self.maps and marks_nothing(self.values(one), key[0])):
            return []
        return [
            what
            for what in MEASUREMENTS
            if (one, what) not in self._done and not (what == "sensitivity" and METHODS[key[0]].slow)
        ]

    def _measure(self, one: Map, what: Measurement) -> None:
        key, index = one
        values = self.values(one)
        if not marks_nothing(values, key[0]):
            before = self.measured.get(one, MapMeasurements())
            if what in FILLS:
                marked = evidence(values, key[0])
                found = self._curves(what, marked, index)
                before = replace(before, gray=found) if what == "gray" else replace(before, road=found)
                points = points_at_expected(self.face, marked, index)
                self.measured[one] = replace(before, sparseness=gini(marked), points_at_expected=points)
            elif what == "randomization":
                forgot = after_forgetting(self.face, key, index, values)
                self.randomized[one] = forgot.maps
                top, every = forgot.kept["top"], forgot.kept["all"]
                rise = forgot.complexity_rise
                self.measured[one] = replace(before, kept_top=top, kept_all=every, complexity_rise=rise)
            else:
                self.measured[one] = replace(before, sensitivity=sensitivity(self.face, key, index))
        self._done.add((one, what))

    def _curves(self, fill: str, marked: np.ndarray, index: int) -> Curves:
        batch = self.face.batch.numpy()
        if fill not in self._walks:
            self._walks[fill] = random_walks(self.face.probabilities, batch, fill=FILLS[fill])
        return curves(self.face.probabilities, batch, marked, index, FILLS[fill])


@dataclass(frozen=True)
class Forgotten:
    """One map after scrambling the network's last layer ("top") or all layers ("all").

    maps: (S, S), from the first network of each kind. kept: the mean rank correlation with the trained network's map.
    complexity_rise: the mean over the networks with all layers scrambled.
    """

    maps: dict[sanity_check.Part, np.ndarray]
    kept: dict[sanity_check.Part, float]
    complexity_rise: float


def after_forgetting(face: Subject, key: Key, index: int, trained: np.ndarray) -> Forgotten:
    """trained: the class's map (S, S). Uses DRAWS networks of each kind, or one for slow methods."""
    method, layer = key
    explainer = explainer_for(face.recognizer)
    found = {
        part: [
            sanity_check.randomized(explainer, part, seed).attribute(method, face.batch, units([index]), layer)[0]
            for seed in range(1 if METHODS[method].slow else DRAWS)
        ]
        for part in sanity_check.PARTS
    }
    return Forgotten(
        {part: values[0] for part, values in found.items()},
        {
            part: float(np.mean([sanity_check.rank_correlation(trained, one, method) for one in values]))
            for part, values in found.items()
        },
        float(np.mean([complexity_rise(trained, one) for one in found["all"]])),
    )


def sensitivity(face: Subject, key: Key, index: int) -> float:
    """`max_sensitivity` of one class's map."""
    method, layer = key
    explainer = explainer_for(face.recognizer)
    return max_sensitivity(
        lambda faces: explainer.attribute(method, faces, units([index]).repeat(len(faces), 1), layer), face.batch
    )


def points_at_expected(face: Subject, marked: np.ndarray, index: int) -> bool | None:
    """Whether a map's evidence (S, S) is strongest where the class's action units show; None if it has none."""
    expected = expected_places(index)
    return points_at(marked, face.regions, expected) if expected else None


def expected_places(index: int) -> tuple[int, ...]:
    """The regions that a class is expected to move, as indices into REGIONS."""
    return tuple(map(REGIONS.index, expected_regions(NAMES[index])))
