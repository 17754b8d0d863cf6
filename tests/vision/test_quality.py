"""Each reason is a measurement against its threshold, by faces made to have it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer.records import FaceBox, Quality
from fer.vision import quality
from fer.vision.alignment import align_face
from fer.vision.detection import load_detector
from fer.vision.images import read_image
from fer.vision.quality import assess, sharpness, turn

FRONT = ((40.0, 40.0), (60.0, 40.0), (50.0, 52.0), (43.0, 64.0), (57.0, 64.0))
BOX = FaceBox(20, 20, 60, 60, 0.9, FRONT, detector="yunet")


@pytest.fixture
def face(sample):
    """The sample's face, aligned: sharp and well lit."""
    return align_face(read_image(sample), FaceBox(178, 63, 90, 114, detector="yunet"))


def test_a_good_face_has_no_reason(face):
    assert assess((200, 200), BOX, face) == Quality()


def test_blur_is_measured_whatever_the_contrast(face):
    blurred = cv2.GaussianBlur(face, (0, 0), 2.5)
    found = assess((200, 200), BOX, blurred)
    assert not found.ok and found.word == "blurred" and f"{sharpness(blurred):.3f}" in found.reasons[0]
    faint = np.clip(face.astype(float) * 0.3 + 80, 0, 255).astype(np.uint8)
    assert sharpness(faint) == pytest.approx(sharpness(face), rel=0.15) and assess((200, 200), BOX, faint).ok


def test_turn_by_hand():
    assert turn(BOX) == pytest.approx(0)
    nose_aside = (*FRONT[:2], (62.0, 52.0), *FRONT[3:])
    assert turn(FaceBox(20, 20, 60, 60, 0.9, nose_aside, detector="yunet")) == pytest.approx(
        0.6
    )  # 12 of the eyes' 20 pixels
    tilted = tuple((x * 0.8 - y * 0.6, x * 0.6 + y * 0.8) for x, y in nose_aside)
    assert turn(FaceBox(20, 20, 60, 60, 0.9, tilted, detector="yunet")) == pytest.approx(
        0.6
    )  # a tilted head is no turned one
    assert turn(FaceBox(20, 20, 60, 60, detector="yunet")) == 0


def test_a_turned_face_says_so(face):
    aside = FaceBox(20, 20, 60, 60, 0.9, (*FRONT[:2], (62.0, 52.0), *FRONT[3:]), detector="yunet")
    assert assess((200, 200), aside, face).reasons == (
        "turned away (nose 60 % of the eyes' distance off the middle, at most 50 %)",
    )


def test_size_light_and_frame(face):
    def word(box: FaceBox, gray: np.ndarray) -> str:
        return assess((200, 200), box, gray).word

    assert word(FaceBox(20, 20, 15, 40, detector="yunet"), face) == "too small"
    assert word(BOX, (face // 12)) == "too dark" and word(BOX, 255 - face // 14) == "overexposed"
    assert word(FaceBox(-30, 20, 60, 60, detector="yunet"), face) == "cut by the frame"
    assert word(BOX, np.full((48, 48), 120, np.uint8)) == "no facial content"


def test_of_the_annotated_photos_only_profiles_are_refused(photos, yunet_needed):
    detector, reasons = load_detector("yunet"), []
    for path in sorted(photos.glob("*.jpg")):
        image_rgb = read_image(path)
        reasons += [assess(image_rgb.shape, box, align_face(image_rgb, box)).word for box in detector.detect(image_rgb)]
    assert len(reasons) >= 30 and sorted(filter(None, reasons)) == ["turned away"] * 3


def test_fer2013s_own_faces_pass(fer2013_csv):
    from fer.data.fer2013 import read_fer2013

    faces = read_fer2013(fer2013_csv, quiet=True).split("PublicTest").pixels
    refused = np.mean([sharpness(one) < quality.MIN_SHARPNESS and not quality.is_plain(one) for one in faces])
    assert refused < 0.002
