"""One face on the Explain page: what was computed for it so far, and the next piece of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import streamlit as st

from fer.app import resources, work_queue
from fer.app.explain import state
from fer.app.explain.map_grid import source_of
from fer.app.explain.state import Explained
from fer.app.predict import state as predict_state
from fer.app.predict.photo_reading import Photo, Reading
from fer.explanation import sanity_check
from fer.explanation.attribution import Explainer, contrast, units
from fer.explanation.explain import assemble, removal
from fer.explanation.faithfulness import random_curves
from fer.explanation.methods import FAST, METHODS
from fer.explanation.subject import Subject, explainer_for, subject
from fer.records import Curves, Explanation
from fer.visualization import maps
from fer.visualization.maps import Look

Key = tuple[str, str | None]  # a method, and its layer where it has one


@dataclass
class ExplainJob:
    """All of it stays in the visitor's session, so that a click costs nothing twice."""

    face: Subject
    truth: str | None = None
    maps: dict[Key, np.ndarray] = field(default_factory=dict)  # (7, S, S) each
    curves: dict[Key, tuple[Curves | None, ...]] = field(default_factory=dict)  # a class each
    baseline: tuple[Curves, ...] = ()
    contrasts: dict[tuple[Key, int, int], np.ndarray] = field(default_factory=dict)  # (1, S, S) each
    tiles: dict[Key, tuple[str, ...]] = field(default_factory=dict)  # seven images' addresses each
    look: Look | None = None  # how the tiles are drawn
    randomized: dict[Key, dict[str, np.ndarray]] = field(default_factory=dict)  # "top", "all" -> (7, S, S)

    def map_of(self, key: Key) -> np.ndarray:
        """Seven maps (7, S, S), computed where they are not there yet."""
        if key not in self.maps:
            self.maps[key] = self.face.attribute(key[0], units(), key[1])
        return self.maps[key]

    def tiles_of(self, key: Key, look: Look) -> tuple[str, ...]:
        """The seven maps drawn small, for the grid; empty addresses while they are not there yet.

        Those of the last look are remembered.
        """
        if key not in self.maps:
            return ("",) * len(self.face.prediction.probabilities)
        if look != self.look:
            self.tiles, self.look = {}, look
        if key not in self.tiles:
            self.tiles[key] = tuple(map(source_of, maps.tiles(self.maps[key], key[0], self.face.picture_rgb, look)))
        return self.tiles[key]

    def removal_of(self, key: Key, index: int) -> tuple[Curves, Curves] | None:
        """What removing one map's marks does, and what removing at random does; None where it marks nothing, or while
        it is not measured yet.
        """
        found = self.curves[key][index] if key in self.curves else None
        return None if found is None else (found, self.baseline[index])

    def contrast_of(self, key: Key, one: int, other: int) -> np.ndarray:
        """The map (1, S, S) of one class's score less another's. Where it is not there yet it takes a place of the
        queue: not to be called from inside it.
        """
        wanted = (key, one, other)
        if wanted not in self.contrasts:
            with _place_for(key):
                self.contrasts[wanted] = self.face.attribute(key[0], contrast(one, other), key[1])
        return self.contrasts[wanted]

    def curves_of(self, key: Key) -> tuple[Curves | None, ...]:
        if not self.baseline:
            self.baseline = random_curves(self.face.probabilities, self.face.batch.numpy())
        if key not in self.curves:
            self.curves[key] = tuple(
                removal(self.face, values, key[0], index) for index, values in enumerate(self.map_of(key))
            )
        return self.curves[key]

    def randomized_of(self, key: Key) -> dict[str, np.ndarray]:
        """The same maps of the network with its top layer, and with all layers, as before any training."""
        if key not in self.randomized:
            explainer = explainer_for(self.face.recognizer)
            sha256 = self.face.recognizer.card.sha256
            self.randomized[key] = {
                part: _randomized(explainer, sha256, part).attribute(key[0], self.face.batch, units(), key[1])
                for part in ("top", "all")
            }
        return self.randomized[key]

    def rank_correlations(self, key: Key, index: int) -> dict[str, float]:
        """The rank correlation of one map with that of each randomized network."""
        return {
            part: sanity_check.rank_correlation(self.maps[key][index], maps[index], key[0])
            for part, maps in self.randomized_of(key).items()
        }

    def work(self, keys: list[Key], chosen: Key) -> Iterator[tuple[str, Callable[[], object]]]:
        """Everything slow, a piece at a time: its name, and what does it. What is done is not done again."""
        for key in keys:
            if key not in self.maps:
                yield f"Map: {METHODS[key[0]].label}", partial(self.map_of, key)
        for key in sorted(keys, key=lambda key: key != chosen):
            if key not in self.curves:
                yield f"Removing what it marks: {METHODS[key[0]].label}", partial(self.curves_of, key)
        if chosen not in self.randomized:
            yield f"Sanity check: {METHODS[chosen[0]].label}", partial(self.randomized_of, chosen)

    def pending(self, keys: list[Key], chosen: Key) -> int:
        return (
            sum(key not in self.maps for key in keys)
            + sum(key not in self.curves for key in keys)
            + (chosen not in self.randomized)
        )

    def explanation(self, keys: list[Key], layer: str) -> Explanation:
        """All that is there, as the one record that goes out."""
        ready = [key for key in keys if key in self.maps]
        return assemble(
            self.face,
            layer,
            {key[0]: self.maps[key] for key in ready},
            {key[0]: self.curves[key] for key in ready if key in self.curves},
            self.baseline,
        )


@st.cache_resource(max_entries=8, show_spinner=False)
def _randomized(_explainer: Explainer, sha256: str, part: sanity_check.Part) -> Explainer:
    return sanity_check.randomized(_explainer, part)


def key_of(method: str, layer: str) -> Key:
    return (method, layer if METHODS[method].layered else None)


def job_of(reading: Reading, number: int, truth: str | None) -> ExplainJob:
    """The job of one face of a read photo; where there is none yet, its photo is decoded again."""
    key = (reading.key, number)
    jobs = state.jobs.get()
    if key not in jobs:
        with work_queue.photo_slot():
            face = subject(reading.reader, reading.image_rgb(), reading.faces[number - 1])
        jobs[key] = ExplainJob(face, truth)
    jobs.move_to_end(key)
    return jobs[key]


def first_maps(job: ExplainJob, keys: list[Key], chosen: Key) -> None:
    """The quick ones and the chosen one, for the first sight of the page; each that is missing takes a turn."""
    for key in keys:
        if key not in job.maps and (key[0] in FAST or key == chosen):
            with _place_for(key):
                job.map_of(key)


def _place_for(key: Key) -> AbstractContextManager[None]:
    return work_queue.interactive_slot() if key[0] in FAST else work_queue.heavy_slot()


def last_face() -> Explained:
    """The face handed over, else the last one read in this session, else the sample."""
    if chosen := state.explained():
        return chosen
    for reading in reversed(predict_state.results().values()):
        if reading.faces:
            return Explained(reading.photo)
    return Explained(Photo("astronaut.jpg", resources.sample_bytes("astronaut")))
