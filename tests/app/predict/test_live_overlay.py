"""The live overlay: where the map lies, how often it is made, and that labels are drawn all the same."""

from __future__ import annotations

import numpy as np
import pytest

import fer
from fer.app.predict.live_overlay import LiveDrawer, view_matrix
from fer.inference.tracked_reader import TrackedReader
from fer.vision.alignment import Crop
from fer.vision.detection import load_detector
from fer.vision.images import read_image
from fer.visualization.overlay import blend_heat, label_of

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


@pytest.mark.parametrize("name", ["mini_xception", "compact"])
def test_a_map_is_made_a_few_times_a_second(name, sample):
    recognizer = fer.load(name)
    frame, times = read_image(sample), iter(np.arange(0, 2, 0.05))
    faces = TrackedReader(recognizer, load_detector("hog"), long_side=512).read(frame, 0.0)
    assert label_of(faces[0]).startswith("happy")
    drawer = LiveDrawer(clock=lambda: float(next(times)))
    made = []
    for _ in range(12):  # 0.6 s at 20 frames a second
        drawn = drawer(frame, faces, EVERYTHING, recognizer)
        made.append(id(drawer._heat))
    assert 2 <= len(set(made)) <= 4
    plain = LiveDrawer()(frame, faces, frozenset({"boxes", "labels"}), recognizer)
    box = faces[0].prediction.box
    inside = (slice(int(box.y + 8), int(box.y + box.height - 8)), slice(int(box.x + 8), int(box.x + box.width - 8)))
    assert np.abs(drawn[inside].astype(int) - plain[inside]).mean() > 2
    assert (plain[inside] == frame[inside]).all()
