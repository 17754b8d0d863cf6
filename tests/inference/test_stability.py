"""The meter counts views that keep the label: all for a clear face, few for one on the edge."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

import fer
from fer.cli import main
from fer.inference.stability import VIEWS, stability, stability_words
from fer.records import FaceBox, Prediction
from fer.vision.alignment import align_face
from fer.vision.images import read_image

BOX = FaceBox(178, 63, 90, 114, detector="yunet")


@pytest.fixture(scope="module")
def recognizer():
    return fer.load("mini_xception")


def test_a_clear_face_is_steady_and_repeats(recognizer, sample):
    picture = read_image(sample)
    faces = recognizer.read(picture, [BOX])
    (share,) = stability(recognizer, picture, faces)
    assert share >= 0.9 and stability(recognizer, picture, faces) == [share]
    assert stability(recognizer, picture, []) == []


def test_the_share_is_counted_against_the_faces_own_label(recognizer, sample, monkeypatch):
    asked = []

    def every_fourth_is_sad(faces, tta="none"):
        asked.append(faces)
        rows = np.tile([0, 0, 0, 1.0, 0, 0, 0], (len(faces), 1))
        rows[::4] = [0, 0, 0, 0, 1.0, 0, 0]
        return rows

    monkeypatch.setattr(recognizer, "probabilities", every_fourth_is_sad)
    happy, sad = (Prediction(BOX, tuple(float(index == k) for index in range(7)), True) for k in (3, 4))
    assert stability(recognizer, read_image(sample), [happy, sad]) == [0.75, 0.25]
    views = asked[0].reshape(2, VIEWS, 48, 48)
    assert (views[0] == views[1]).all()  # one box, so the same views
    assert len({view.tobytes() for view in views[0]}) == VIEWS


def test_a_whole_picture_is_cut_as_it_was_read(recognizer, monkeypatch):
    """Without jitter every view is what the prediction saw, though the picture is twice as wide as high."""
    picture = np.random.default_rng(0).integers(0, 256, (150, 300, 3), dtype=np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 9)
    faces, asked = recognizer.predict(picture, "none"), []
    monkeypatch.setattr("fer.inference.stability._moved", lambda crop, jitter: crop)
    monkeypatch.setattr(recognizer, "probabilities", lambda cut: asked.append(cut) or np.ones((len(cut), 7)))
    stability(recognizer, picture, faces)
    seen = align_face(picture, faces[0].box).astype(int)
    assert np.abs(asked[0][0] - seen).mean() < 2 and np.abs(asked[0][1][:, ::-1] - seen).mean() < 2


def test_a_long_strip_takes_no_memory(recognizer):
    strip = np.zeros((8, 60_000, 3), np.uint8)
    faces = recognizer.predict(strip, "none")
    tracemalloc.start()
    assert len(stability(recognizer, strip, faces)) == 1
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_the_command_line_tells_it(capsys, sample):
    assert main(["predict", str(sample), "--detector", "hog", "--stability"]) == 0
    assert "happy in 16 of 16 slightly changed copies" in capsys.readouterr().out


def test_stability_in_words():
    assert stability_words(1.0, "happy") == "Steady: happy in 16 of 16 slightly changed copies."
    assert stability_words(0.5, "sad") == "Unstable: sad in 8 of 16 slightly changed copies."
    assert stability_words(1 / 16, "sad") == "Unstable: sad in only 1 of 16 slightly changed copies."
