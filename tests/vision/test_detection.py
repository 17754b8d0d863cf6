"""Faces are found where they are, once each; the real photographs hold the detectors to their measure."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fer.errors import FerError
from fer.records import FaceBox
from fer.tools.detection_benchmark import score_detector
from fer.vision import yunet_file
from fer.vision.detection import load_detector, merge, overlap
from fer.vision.images import read_image


def test_photos_without_annotations_are_a_sentence(tmp_path):
    for content in (None, "{}", '{"photo.jpg": {"faces": []}}', "[1]", '{"photo.jpg": {"faces": [[1, 2]]}}'):
        if content is not None:
            (tmp_path / "faces.json").write_text(content)
        with pytest.raises(FerError, match="faces.json"):
            score_detector(load_detector("haar"), tmp_path)


def test_overlap_by_hand():
    assert overlap(FaceBox(0, 0, 10, 10, detector="yunet"), FaceBox(5, 0, 10, 10, detector="yunet")) == 0.5
    assert overlap(FaceBox(0, 0, 10, 10, detector="yunet"), FaceBox(2, 2, 4, 4, detector="yunet")) == 1
    assert overlap(FaceBox(0, 0, 10, 10, detector="yunet"), FaceBox(20, 0, 10, 10, detector="yunet")) == 0


def test_merge_keeps_the_best_of_each_face_the_largest_first():
    weak, strong, other = (
        FaceBox(0, 0, 20, 20, 0.5, detector="yunet"),
        FaceBox(2, 2, 20, 20, 0.9, detector="yunet"),
        FaceBox(50, 0, 30, 30, 0.4, detector="yunet"),
    )
    assert merge([weak, strong, other, FaceBox(0, 0, 0, 5, 1.0, detector="yunet")]) == [other, strong]


@pytest.mark.parametrize("name", ["hog", "haar"])
def test_one_box_on_a_plain_portrait(sample, name):
    (box,) = load_detector(name).detect(read_image(sample))
    assert 180 < box.x + box.width / 2 < 270 and 60 < box.y + box.height / 2 < 180


@pytest.mark.parametrize("name", ["hog", "haar"])
def test_noise_and_flat_pictures_hold_no_face(name):
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    assert load_detector(name).detect(noise) == []
    assert load_detector(name).detect(np.zeros((60, 90, 3), np.uint8)) == []


def test_auto_falls_back_to_hog_without_network_and_yunet_says_so(offline):
    assert load_detector("auto", wait_s=0).name == "hog"
    with pytest.raises(FerError, match="--detector hog"):
        load_detector("yunet", wait_s=0)
    with pytest.raises(FerError, match="no detector"):
        load_detector("other")


def test_a_wrong_yunet_file_is_not_taken(tmp_path, monkeypatch):
    (tmp_path / yunet_file.NAME).write_bytes(b"something else")
    monkeypatch.setenv("FER_CACHE", str(tmp_path))
    monkeypatch.delenv("FER_YUNET", raising=False)
    assert yunet_file.obtain(0) is None


def test_yunet_gives_landmarks(sample, yunet_needed):
    (box,) = load_detector("auto").detect(read_image(sample))
    (right_eye, left_eye, nose, *_) = box.landmarks
    assert right_eye[0] < nose[0] < left_eye[0] and nose[1] > right_eye[1]


def test_a_large_photo_is_searched_at_a_bounded_size(sample, yunet_needed):
    small = read_image(sample)
    large = small.repeat(8, 0).repeat(8, 1)[:, :, :]  # 4096 x 4096
    (one,), (eightfold,) = (load_detector("yunet").detect(picture) for picture in (small, large))
    assert eightfold.x == pytest.approx(8 * one.x, abs=60) and eightfold.width == pytest.approx(8 * one.width, rel=0.2)


@pytest.mark.parametrize(
    ("name", "recall", "precision"), [("yunet", 0.97, 0.97), ("hog", 0.85, 0.95), ("haar", 0.9, 0.9)]
)
def test_the_annotated_photographs(photos, yunet_needed, name, recall, precision):
    result = score_detector(load_detector(name), photos)
    assert result.faces == sum(len(row["faces"]) for row in json.loads((photos / "faces.json").read_text()).values())
    assert result.recall >= recall and result.precision >= precision
