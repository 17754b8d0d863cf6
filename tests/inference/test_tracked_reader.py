"""Frames in, people out: smoothed where readable, withheld where not, and swapped parts keep the people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import fer
from fer.expressions import NAMES
from fer.inference.tracked_reader import TrackedReader
from fer.records import FaceBox, Prediction, Quality

FRAME = np.zeros((120, 160, 3), np.uint8)
HAPPY, SAD = (0, 0, 0, 0.9, 0.1, 0, 0), (0, 0, 0, 0.1, 0.9, 0, 0)


class Scene:
    """A detector and a recognizer in one: what the test put there is what is seen."""

    name = "yunet"

    def __init__(self, threshold: float = 0.5) -> None:
        self.card = replace(fer.load("mini_xception").card, threshold=threshold)
        self.people: list[tuple[FaceBox, tuple[float, ...], Quality]] = []
        self.asked = []

    def detect(self, image_rgb, long_side):
        self.asked.append(long_side)
        return [box for box, _, _ in self.people]

    def read(self, image_rgb, boxes):
        return [Prediction(box, p, quality.ok, quality) for box, p, quality in self.people]


@pytest.fixture
def scene():
    return Scene()


def test_probabilities_are_smoothed_per_person(scene):
    tracked_reader = TrackedReader(scene, scene, smoothing_s=1.0, long_side=320)
    scene.people = [
        (FaceBox(10, 10, 40, 40, detector="yunet"), HAPPY, Quality()),
        (FaceBox(100, 10, 40, 40, detector="yunet"), SAD, Quality()),
    ]
    first = tracked_reader.read(FRAME, 0.0)
    assert [face.prediction.answer for face in first] == ["happy", "sad"]
    scene.people = [
        (FaceBox(100, 10, 40, 40, detector="yunet"), SAD, Quality()),
        (FaceBox(12, 10, 40, 40, detector="yunet"), SAD, Quality()),
    ]
    later = {face.person: face for face in tracked_reader.read(FRAME, float(np.log(2)))}
    assert later[1].prediction.probabilities[3] == pytest.approx(0.5) and later[1].raw == SAD
    assert later[2].prediction.answer == "sad" and scene.asked == [320, 320]


def test_an_unreadable_frame_is_withheld_and_changes_nothing(scene):
    tracked_reader = TrackedReader(scene, scene, smoothing_s=0.4)
    scene.people = [(FaceBox(10, 10, 40, 40, detector="yunet"), HAPPY, Quality())]
    tracked_reader.read(FRAME, 0.0)
    scene.people = [(FaceBox(10, 10, 40, 40, detector="yunet"), SAD, Quality(False, ("blurred",)))]
    (face,) = tracked_reader.read(FRAME, 0.5)
    assert face.prediction.answer == "not sure" and face.prediction.quality.reasons == ("blurred",)
    assert face.prediction.probabilities == pytest.approx(HAPPY) and face.prediction.expression == "happy"


def test_an_unreadable_first_frame_is_no_evidence(scene):
    tracked_reader = TrackedReader(scene, scene, smoothing_s=0.4)
    scene.people = [(FaceBox(10, 10, 40, 40, detector="yunet"), SAD, Quality(False, ("blurred",)))]
    assert not tracked_reader.read(FRAME, 0.0)[0].prediction.sure
    scene.people = [(FaceBox(10, 10, 40, 40, detector="yunet"), HAPPY, Quality())]
    (face,) = tracked_reader.read(FRAME, 0.1)
    assert face.prediction.answer == "happy" and face.prediction.probabilities == pytest.approx(HAPPY)


def test_a_stream_that_changes_its_size_keeps_the_people(scene):
    tracked_reader = TrackedReader(scene, scene)
    scene.people = [(FaceBox(80, 60, 40, 40, detector="yunet"), HAPPY, Quality())]
    assert tracked_reader.read(FRAME, 0.0)[0].person == 1
    scene.people = [(FaceBox(320, 240, 160, 160, detector="yunet"), HAPPY, Quality())]
    (face,) = tracked_reader.read(np.zeros((480, 640, 3), np.uint8), 0.1)
    assert face.person == 1 and face.prediction.box.x == 320


def test_below_the_threshold_is_not_sure(scene):
    tracked_reader = TrackedReader(Scene(threshold=0.95), scene)
    tracked_reader.recognizer.people = scene.people = [(FaceBox(10, 10, 40, 40, detector="yunet"), HAPPY, Quality())]
    assert not tracked_reader.read(FRAME, 0.0)[0].prediction.sure


def test_sure_is_quality_and_threshold_and_nothing_else(scene):
    """Whoever led before: what is told, the best guess and its probability are of the same numbers."""
    tracked_reader = TrackedReader(scene, scene, smoothing_s=0.01)
    for time_s, probabilities in (
        (0.0, HAPPY),
        (1.0, (0, 0, 0, 0.48, 0.52, 0, 0)),
        (2.0, (0, 0, 0, 0.4, 0.45, 0.15, 0)),
    ):
        scene.people = [(FaceBox(10, 10, 40, 40, detector="yunet"), probabilities, Quality())]
        (face,) = tracked_reader.read(FRAME, time_s)
        told = face.prediction
        assert told.sure == (told.confidence >= 0.5) and told.answer == (told.expression if told.sure else "not sure")
        assert told.expression == NAMES[int(np.argmax(probabilities))]


def test_a_row_tells_the_same_as_the_face(scene):
    scene.people = [(FaceBox(10, 10, 40, 40, landmarks=((0, 0),) * 5, detector="yunet"), HAPPY, Quality())]
    (face,) = TrackedReader(scene, scene).read(FRAME, 3.0)
    row = face.record(since_s=1.0)
    assert (row.time_s, row.person, row.model) == (2.0, 1, scene.name) and row.prediction.box.landmarks is None
    assert replace(row.prediction, box=face.prediction.box) == face.prediction


def test_another_model_in_mid_stream_keeps_the_people(scene):
    tracked_reader = TrackedReader(scene, scene)
    scene.people = [(FaceBox(10, 10, 40, 40, detector="yunet"), HAPPY, Quality())]
    tracked_reader.read(FRAME, 0.0)
    other = Scene()
    other.people = [(FaceBox(11, 10, 40, 40, detector="yunet"), SAD, Quality())]
    tracked_reader.recognizer = tracked_reader.detector = other
    (face,) = tracked_reader.read(FRAME, 30.0)
    assert face.person == 2  # gone for half a minute: someone new
    (face,) = tracked_reader.read(FRAME, 30.1)
    assert face.person == 2 and face.prediction.answer == "sad"


def test_a_real_frame(yunet_needed, sample):
    from fer.vision.detection import load_detector
    from fer.vision.images import read_image

    tracked_reader = TrackedReader(fer.load("mini_xception"), load_detector("yunet"))
    frame = read_image(sample)
    faces = [tracked_reader.read(frame, index / 10)[0] for index in range(3)]
    assert {face.person for face in faces} == {1} and faces[-1].prediction.answer == "happy"
