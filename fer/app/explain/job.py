"""One face on the Explain page: its job, the pictures of its maps, and the queue for its pieces of work."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from fer.app import resources, work_queue
from fer.app.explain import state
from fer.app.explain.cover import Covered
from fer.app.explain.state import Explained
from fer.app.media import source_of
from fer.app.predict import state as predict_state
from fer.app.predict.photo_reading import Reading, sample
from fer.explanation.job import ExplanationJob, Key, Map, Piece, Urgency
from fer.explanation.methods import METHODS
from fer.explanation.subject import subject
from fer.expressions import NAMES
from fer.visualization import maps
from fer.visualization.maps import Look

MOST_ROWS = 3 * len(METHODS)  # rows of drawn tiles, one per method
MOST_LARGE = 14  # drawn maps


@dataclass(eq=False)
class ExplainJob(ExplanationJob):
    """Stays in the visitor's session, so that nothing is computed twice."""

    truth: str | None = None
    covered: Covered = Covered()
    patch: str = ""  # sentence about the smallest patch
    patches: int = 0  # how often one was found
    _tiles: OrderedDict[tuple[Key, Look], tuple[str, ...]] = field(default_factory=OrderedDict)
    _large: OrderedDict[tuple[Map, bool, bool], tuple[str, str]] = field(default_factory=OrderedDict)

    def tiles_of(self, key: Key, look: Look) -> tuple[str, ...]:
        """Addresses of the seven small maps for the grid; empty until the maps exist."""
        if key not in self.maps:
            return ("",) * len(NAMES)
        if (key, look) not in self._tiles:
            rows = maps.tiles(self.maps[key], key[0], self.face.picture_rgb, look)
            self._tiles[key, look] = tuple(map(source_of, rows))
        self._tiles.move_to_end((key, look))
        while len(self._tiles) > MOST_ROWS:
            self._tiles.popitem(last=False)
        return self._tiles[key, look]

    def large_of(self, one: Map, look: Look, side: int) -> tuple[str, str]:
        """The face and one map's marks at `side` pixels; the page blends them, so opacity does not matter."""
        key = (one, look.alone, look.each)
        if key not in self._large:
            (method, _), index = one
            values = self.map_of(one[0])
            scale, signed = maps.scales(values, method, look.each)[index], METHODS[method].signed
            drawn = maps.layers(values[index], scale, signed, self.face.picture_rgb, look.alone, side)
            self._large[key] = (source_of(drawn[0]), source_of(drawn[1]))
        self._large.move_to_end(key)
        while len(self._large) > MOST_LARGE:
            self._large.popitem(last=False)
        return self._large[key]


def job_of(reading: Reading, number: int, truth: str | None) -> ExplainJob:
    """The job of one face of a photo; if there is none yet, decodes the photo again."""
    key = (reading.key, number)
    jobs = state.jobs.get()
    if key not in jobs:
        with work_queue.photo_slot():
            face = subject(reading.reader, reading.image_rgb(), reading.faces[number - 1])
        jobs[key] = ExplainJob(face)
    jobs[key].truth = truth  # another mapping of labels may have changed it
    jobs.move_to_end(key)
    return jobs[key]


def run_while(job: ExplainJob, keys: list[Key], asked: Map, urgency: Urgency) -> None:
    """Run the first pieces while they have this urgency; each takes its turn."""
    for piece in job.pieces(keys, asked):
        if piece.urgency != urgency:
            return
        with slot_for(piece):
            piece.run()


def slot_for(piece: Piece) -> AbstractContextManager[None]:
    if piece.urgency == "asked":
        return work_queue.first_slot()
    return work_queue.interactive_slot() if piece.urgency == "soon" else work_queue.heavy_slot()


def last_face() -> Explained:
    """The face handed over, else the largest face of the newest photo, else the sample's."""
    if chosen := state.explained():
        return chosen
    return Explained(predict_state.newest_face() or sample(resources.FIRST_SAMPLE))
