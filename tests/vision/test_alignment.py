"""A face is cut upright, where it is, with FER2013's margin: geometry computed by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer.records import FaceBox
from fer.vision.alignment import EYE_DISTANCE, EYES_MOUTH_MIDDLE, EYES_TO_MOUTH, Crop, align_face, cut, face_crop
from fer.vision.registry import DETECTOR_SPECS


def rotate(point, center, degrees):
    angle = np.deg2rad(degrees)
    x, y = np.subtract(point, center)
    return (
        float(center[0] + np.cos(angle) * x - np.sin(angle) * y),
        float(center[1] + np.sin(angle) * x + np.cos(angle) * y),
    )


def reference_face(unit: float, center, degrees: float = 0) -> FaceBox:
    """A face that lies in its photo exactly as FER2013's median does in 48 x 48, scaled and turned."""

    def place(x, y):
        return rotate((center[0] + (x - 24) * unit, center[1] + (y - 24) * unit), center, degrees)

    x, y = EYES_MOUTH_MIDDLE
    eyes, mouth = y - EYES_TO_MOUTH / 2, y + EYES_TO_MOUTH / 2
    half = EYE_DISTANCE / 2
    landmarks = (place(x - half, eyes), place(x + half, eyes), place(x, y), place(x - 5, mouth), place(x + 5, mouth))
    side = DETECTOR_SPECS["yunet"].median.side * unit
    middle = place(*DETECTOR_SPECS["yunet"].median.center)
    return FaceBox(middle[0] - side / 2, middle[1] - side / 2, side, side, 1.0, landmarks, detector="yunet")


@pytest.mark.parametrize("degrees", [0, 17, -30])
def test_the_crop_is_the_reference_square(degrees):
    crop = face_crop(reference_face(3.0, (200, 150), degrees))
    assert (crop.center_x, crop.center_y) == pytest.approx((200, 150), abs=0.01)
    assert crop.side == pytest.approx(144) and crop.roll == pytest.approx(np.deg2rad(degrees))


def test_without_landmarks_the_box_decides():
    median = DETECTOR_SPECS["haar"].median
    crop = face_crop(FaceBox(100, 50, 2 * median.side, 2 * median.side, detector="haar"))
    assert crop.side == pytest.approx(96) and crop.roll == 0
    assert crop.center_x == pytest.approx(100 + median.side + 2 * (24 - median.center[0]))


def test_cutting_a_whole_picture_gives_the_picture():
    picture = np.random.default_rng(0).integers(0, 255, (48, 48), np.uint8)
    rgb = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    assert np.abs(cut(rgb, Crop(24, 24, 48)).astype(int) - picture).max() <= 1
    assert np.array_equal(align_face(rgb, FaceBox(0, 0, 48, 48, detector="none")), picture)


def test_a_turned_face_comes_out_upright():
    canvas = np.zeros((300, 300, 3), np.uint8)
    box = reference_face(3.0, (150, 150), 25)
    for x, y in box.landmarks[:2]:
        cv2.circle(canvas, (round(x), round(y)), 9, (255, 255, 255), -1)
    face = align_face(canvas, box)
    rows, columns = np.nonzero(face > 127)
    left, right = rows[columns < 24], rows[columns >= 24]
    assert abs(left.mean() - right.mean()) < 0.5
    assert abs(left.mean() - (EYES_MOUTH_MIDDLE[1] - EYES_TO_MOUTH / 2)) < 1


def test_shrinking_averages_instead_of_picking():
    stripes = np.zeros((480, 480, 3), np.uint8)
    stripes[:, ::2] = 200  # finer than the 48 pixels can show
    assert np.abs(cut(stripes, Crop(240, 240, 480)).astype(int) - 100).max() <= 4


@pytest.mark.parametrize("center", [(0, 0), (-400, 90), (199, 99), (1000, 1000)])
def test_faces_at_and_beyond_the_edge_stay_finite(center):
    picture = np.full((100, 200, 3), 77, np.uint8)
    assert (cut(picture, Crop(*center, 90, 0.3)) == 77).all()
