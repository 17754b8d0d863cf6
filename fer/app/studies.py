"""One face on the Explain page: what was computed for it so far, and the next piece of work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from fer.app import resources, state
from fer.app.photos import Photo, Reading
from fer.explain import sanity
from fer.explain.attribution import Explainer, units
from fer.explain.face import Subject, assemble, explainer_for, removal, subject
from fer.explain.faithfulness import random_curves
from fer.explain.methods import FAST, METHODS
from fer.records import Curves, Explanation

Key = tuple[str, str | None]  # a method, and its layer where it has one


@dataclass
class Study:
    """Kept in the visitor's session, so that a click costs nothing twice."""

    face: Subject
    truth: str | None = None
    maps: dict[Key, np.ndarray] = field(default_factory=dict)                          # (7, S, S) each
    curves: dict[Key, tuple[Curves | None, ...]] = field(default_factory=dict)         # a class each
    baseline: tuple[Curves, ...] = ()
    untaught: dict[Key, dict[str, np.ndarray]] = field(default_factory=dict)           # "top", "all" -> (7, S, S)

    def map_of(self, key: Key) -> np.ndarray:
        """Seven maps (7, S, S), computed where they are not there yet."""
        if key not in self.maps:
            self.maps[key] = self.face.attribute(key[0], units(), key[1])
        return self.maps[key]

    def curves_of(self, key: Key) -> tuple[Curves | None, ...]:
        if not self.baseline:
            self.baseline = random_curves(self.face.probabilities, self.face.batch.numpy())
        if key not in self.curves:
            self.curves[key] = tuple(removal(self.face, values, key[0], index)
                                     for index, values in enumerate(self.map_of(key)))
        return self.curves[key]

    def untaught_of(self, key: Key) -> dict[str, np.ndarray]:
        """The same maps of the network with its top layer, and with all layers, as before any training."""
        if key not in self.untaught:
            explainer = explainer_for(self.face.recognizer)
            sha256 = self.face.recognizer.card.sha256
            self.untaught[key] = {
                part: _untaught(explainer, sha256, part).attribute(key[0], self.face.batch, units(), key[1])
                for part in ("top", "all")}
        return self.untaught[key]

    def kept(self, key: Key, index: int) -> dict[str, float]:
        """The rank correlation of one map with that of each randomised network."""
        return {part: sanity.rank_correlation(self.maps[key][index], maps[index], key[0])
                for part, maps in self.untaught_of(key).items()}

    def work(self, keys: list[Key], chosen: Key) -> Iterator[str]:
        """Everything slow, a piece at a time; each is named before it is done. What is done is not done again."""
        for key in keys:
            if key not in self.maps:
                yield f"Map: {METHODS[key[0]].label}"
                self.map_of(key)
        for key in sorted(keys, key=lambda key: key != chosen):
            if key not in self.curves:
                yield f"Removing what it marks: {METHODS[key[0]].label}"
                self.curves_of(key)
        if chosen not in self.untaught:
            yield f"Sanity check: {METHODS[chosen[0]].label}"
            self.untaught_of(chosen)

    def pending(self, keys: list[Key], chosen: Key) -> int:
        return (sum(key not in self.maps for key in keys) + sum(key not in self.curves for key in keys)
                + (chosen not in self.untaught))

    def explanation(self, keys: list[Key], layer: str) -> Explanation:
        """All that is there, as the one record that goes out."""
        ready = [key for key in keys if key in self.maps]
        return assemble(self.face, layer, {key[0]: self.maps[key] for key in ready},
                        {key[0]: self.curves[key] for key in ready if key in self.curves}, self.baseline)


@st.cache_resource(max_entries=8, show_spinner=False)
def _untaught(_explainer: Explainer, sha256: str, part: sanity.Part) -> Explainer:
    return sanity.randomised(_explainer, part)


def key_of(method: str, layer: str) -> Key:
    return (method, layer if METHODS[method].layered else None)


def study_of(reading: Reading, number: int, truth: str | None) -> Study:
    """The study of one face of a read photo, with its first maps made."""
    key = (reading.key, number)
    kept = state.studies()
    if key not in kept:
        kept[key] = Study(subject(reading.recognizer, reading.image_rgb(), reading.faces[number - 1], reading.detector),
                          truth)
    kept.move_to_end(key)
    return kept[key]


def first_maps(study: Study, keys: list[Key]) -> None:
    """The quick ones, for the first sight of the grid."""
    for key in keys:
        if key[0] in FAST:
            study.map_of(key)


def last_face() -> state.Explained:
    """The face handed over, else the last one read in this session, else the sample."""
    if state.explained():
        return state.explained()
    for reading in reversed(state.results().values()):
        if reading.faces:
            return state.Explained(reading.photo)
    return state.Explained(Photo("astronaut.jpg", resources.sample_bytes("astronaut")))
