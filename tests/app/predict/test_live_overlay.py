"""The live overlay: where the map lies, that no frame waits for it, and that labels are drawn all the same."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

import fer
from fer.app.predict import live_overlay
from fer.app.predict.live_overlay import LiveDrawer, view_matrix
from fer.inference.tracked_reader import TrackedFace, TrackedReader
from fer.vision.alignment import Crop
from fer.vision.detection import load_detector
from fer.vision.images import read_image
from fer.visualization.overlay import blend_heat, label_of
from tests.waiting import wait_for

EVERYTHING = frozenset({"boxes", "labels", "landmarks", "heat"})


def test_the_view_lies_in_the_middle_of_the_crop():
    matrix = view_matrix(Crop(100, 80, 96), 48, 44)  # two photo pixels for one of the network's
    corner, middle = matrix @ [0, 0, 1], matrix @ [21.5, 21.5, 1]
    assert middle == pytest.approx([99.5, 79.5]) and corner == pytest.approx([99.5 - 43, 79.5 - 43])
    turned = view_matrix(Crop(100, 80, 96, np.pi / 2), 48, 44)
    assert turned @ [21.5, 21.5, 1] == pytest.approx([99.5, 79.5])
    assert turned @ [22.5, 21.5, 1] == pytest.approx([99.5, 81.5])


def test_heat_is_laid_where_it_is_and_nowhere_else():
    frame, heat = np.full((100, 100, 3), 100, np.uint8), np.zeros((10, 10), np.float32)
    heat[5, 5] = 3.0
    blend_heat(frame, heat, np.array([[1.0, 0, 40], [0, 1.0, 20]]))
    rows, columns = np.nonzero((frame != 100).any(2))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (25, 25, 45, 45)
    before = frame.copy()
    blend_heat(frame, np.zeros((10, 10), np.float32), np.eye(2, 3))
    assert (frame == before).all()


@pytest.fixture
def faces(sample):
    """(recognizer, frame, its one face)."""
    recognizer, frame = fer.load("mini_xception"), read_image(sample)
    found = TrackedReader(recognizer, load_detector("hog"), long_side=512).read(frame, 0.0)
    assert label_of(found[0]).startswith("happy")
    return recognizer, frame, found


class SlowMaps:
    """In the method's place: each map takes until it is let go, and is strongest everywhere."""

    def __init__(self) -> None:
        self.begun, self.free, self.inside, self.most_inside = 0, threading.Semaphore(0), 0, 0

    def __call__(self, frame) -> np.ndarray:
        self.begun += 1
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        assert self.free.acquire(timeout=30)
        self.inside -= 1
        return np.ones((44, 44), np.float32)


@pytest.fixture
def slow_maps(monkeypatch):
    maps = SlowMaps()
    monkeypatch.setattr(live_overlay, "heat_map", maps)
    monkeypatch.setattr(live_overlay, "MAPS_PER_S", 1000.0)
    yield maps
    maps.free.release(100)


def moved(face: TrackedFace, by: float) -> TrackedFace:
    box = face.prediction.box
    return replace(face, prediction=replace(face.prediction, box=replace(box, x=box.x + by, landmarks=None)))


def changed(drawn: np.ndarray, frame: np.ndarray) -> tuple[int, int]:
    """The columns from and to which a drawn frame differs."""
    columns = np.flatnonzero((drawn != frame).any((0, 2)))
    return int(columns.min()), int(columns.max())


def test_a_map_is_never_waited_for_and_moves_with_its_face(faces, slow_maps):
    recognizer, frame, (face,) = faces
    drawer, heat = LiveDrawer(), frozenset({"heat"})
    for _ in range(20):  # the first map is not let go: the frames come back all the same
        assert (drawer(frame, (face,), heat, recognizer) == frame).all()
    wait_for(lambda: slow_maps.begun == 1)
    slow_maps.free.release()
    wait_for(lambda: bool((drawer(frame, (face,), heat, recognizer) != frame).any()))
    first = changed(drawer(frame, (face,), heat, recognizer), frame)
    later = changed(drawer(frame, (moved(face, -60),), heat, recognizer), frame)
    assert [there - here for here, there in zip(first, later, strict=True)] == pytest.approx([-60, -60], abs=2)
    assert slow_maps.most_inside == 1 and slow_maps.begun <= 2  # of 20 frames and more
    other = replace(face, person=face.person + 1)
    assert (drawer(frame, (other,), heat, recognizer) == frame).all()  # the map is not theirs


def test_a_map_that_fails_is_told_once_and_the_frames_go_on(faces, monkeypatch):
    recognizer, frame, found = faces
    monkeypatch.setattr(live_overlay, "heat_map", lambda given: 1 / 0)
    drawer, failures = LiveDrawer(), []

    def failed() -> bool:
        try:
            drawer(frame, found, EVERYTHING, recognizer)
        except ZeroDivisionError as error:
            failures.append(error)
        return bool(failures)

    wait_for(failed)
    assert all((drawer(frame, found, EVERYTHING, recognizer) != frame).any() for _ in range(5)) and len(failures) == 1


@pytest.mark.parametrize("name", ["mini_xception", "compact"])
def test_the_map_of_a_real_face_lies_on_it(name, sample):
    recognizer, frame = fer.load(name), read_image(sample)
    faces = TrackedReader(recognizer, load_detector("hog"), long_side=512).read(frame, 0.0)
    plain = LiveDrawer()(frame, faces, frozenset({"boxes", "labels"}), recognizer)
    drawer = LiveDrawer()
    wait_for(lambda: (drawer(frame, faces, EVERYTHING, recognizer) != plain).mean() > 0.01)
    drawn, box = drawer(frame, faces, EVERYTHING, recognizer), faces[0].prediction.box
    inside = (slice(int(box.y + 8), int(box.y + box.height - 8)), slice(int(box.x + 8), int(box.x + box.width - 8)))
    assert np.abs(drawn[inside].astype(int) - plain[inside]).mean() > 2
    assert (plain[inside] == frame[inside]).all()
