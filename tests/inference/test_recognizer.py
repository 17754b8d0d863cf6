"""ONNX Runtime says what torch says, calibrated as the card asks; pictures go in, predictions come out."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import ModelProto, TensorProto, helper
from PIL import Image

import fer
from fer.cli import main
from fer.data.read import read_dataset
from fer.errors import FerError, WeightsError
from fer.explanation.subject import subject
from fer.expressions import NAMES
from fer.inference.engine import Engine
from fer.inference.recognizer import Recognizer
from fer.models.checkpoints import load_checkpoint
from fer.models.onnx_export import export_onnx
from fer.models.registry import ARCHITECTURES, build
from fer.models.weights import find_weights, shipped_names
from fer.records import FaceBox
from fer.scores import softmax
from fer.vision.alignment import align_face
from fer.vision.images import read_image
from tests.models.test_onnx_check import constant, network

FACES = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def recognizer():
    return fer.load("mini_xception")


@pytest.mark.parametrize("name", shipped_names())
def test_both_files_of_shipped_weights_give_the_same_probabilities(name, sample):
    recognizer, (model, card) = fer.load(name), load_checkpoint(find_weights(name))
    portrait = align_face(read_image(sample), FaceBox(178, 63, 90, 114, detector="hog"))
    synthetic = read_dataset("synthetic", quiet=True).pixels[:100]
    faces = np.concatenate([FACES, synthetic, portrait[None]])
    with torch.inference_mode():
        expected = softmax(model(torch.from_numpy(card.preprocessing(faces))).numpy() / card.temperature)
    assert np.abs(recognizer.probabilities(faces) - expected).max() < 1e-3


@pytest.mark.parametrize("detector", ["haar", "hog", "none"])
def test_a_prediction_knows_its_detector_so_that_its_explanation_is_of_the_same_cut(recognizer, sample, detector):
    picture = read_image(sample)
    face = recognizer.predict(picture, detector)[0]
    assert (
        np.array_equal(subject(recognizer, picture, face).aligned_gray, align_face(picture, face.box))
        and face.box.detector == detector
    )


def test_two_models_may_load_at_the_same_moment():
    with ThreadPoolExecutor(2) as pool:
        loaded = list(pool.map(fer.load, ["mini_xception", "compact"]))
    assert [recognizer.name for recognizer in loaded] == ["mini_xception", "compact"]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_runs_at_any_batch_size(name):
    model = build(name).eval()
    engine = Engine(export_onnx(model, 44))
    for count in (0, 1, 3):
        batch = torch.randn(count, 1, 44, 44)
        with torch.inference_mode():
            expected = model(batch).numpy() if count else np.empty((0, 7))
        logits = engine(batch.numpy())
        assert logits.shape == (count, 7) and np.allclose(logits, expected, atol=1e-4)


def test_softmax_by_hand():
    assert np.allclose(softmax(np.log([[1.0, 3.0]])), [[0.25, 0.75]])
    assert np.isfinite(softmax(np.array([[1e4, -1e4]]))).all()


def test_temperature_and_flip_averaging(recognizer):
    plain = recognizer.probabilities(FACES)
    assert plain.shape == (5, 7) and np.allclose(plain.sum(1), 1)
    mirrored = recognizer.probabilities(FACES[:, :, ::-1].copy())
    assert np.allclose(recognizer.probabilities(FACES, "flip"), (plain + mirrored) / 2, atol=1e-5)
    softer = Recognizer("soft", recognizer.engine, replace(recognizer.card, temperature=1e2), recognizer.weights)
    assert softer.probabilities(FACES).max() < 0.2


def test_weights_that_overflow_are_a_sentence_in_place_of_numbers(tmp_path, sample, capsys, recwarn):
    kernel = constant("kernel", np.full((64, 7), 1e38))
    (tmp_path / "huge.onnx").write_bytes(network(constants=[kernel]).SerializeToString())
    (tmp_path / "huge.json").write_text(json.dumps({"architecture": "mine", "preprocessing": {"input_size": 8}}))
    huge = fer.load(tmp_path / "huge.onnx")
    for tta in ("none", "flip"):
        with pytest.raises(WeightsError, match="its weights overflow"):
            huge.probabilities(FACES, tta)
        assert np.isnan(huge.unchecked_probabilities(FACES, tta)).all()
    command = ["predict", str(sample), "--detector", "none", "--model", str(tmp_path / "huge.onnx"), "--json"]
    assert main(command) == 1
    row = json.loads(capsys.readouterr().out)
    assert row["faces"] == [] and row["error"]["type"] == "WeightsError"
    assert not [warned for warned in recwarn if warned.category is RuntimeWarning]


def picks_by_contrast(folder: Path) -> Path:
    """A network that fails on all but flat pictures: 100 times the brightest pixel, standardized, is added to the
    numbers of the logits that it takes.
    """
    nodes = [
        helper.make_node("Flatten", ["faces"], ["flat"]),
        helper.make_node("Gemm", ["flat", "kernel"], ["all"]),
        helper.make_node("ReduceMax", ["faces"], ["brightest"], keepdims=0),
        helper.make_node("Mul", ["brightest", "hundred"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["shift"], to=TensorProto.INT64),
        helper.make_node("Add", ["numbers", "shift"], ["picked"]),
        helper.make_node("Gather", ["all", "picked"], ["logits"], axis=1),
    ]
    constants = [
        constant("kernel", np.zeros((64, 7))),
        constant("hundred", 100),
        constant("numbers", range(7), np.int64),
    ]
    return saved(network(nodes, constants), folder)


def saved(model: ModelProto, folder: Path) -> Path:
    (folder / "own.onnx").write_bytes(model.SerializeToString())
    (folder / "own.json").write_text(json.dumps({"architecture": "mine", "preprocessing": {"input_size": 8}}))
    return folder / "own.onnx"


def test_a_network_that_always_fails_is_a_sentence(tmp_path):
    nodes = [
        helper.make_node("Flatten", ["faces"], ["flat"]),
        helper.make_node("Gemm", ["flat", "kernel"], ["all"]),
        helper.make_node("Gather", ["all", "picked"], ["logits"], axis=1),
    ]
    constants = [constant("kernel", np.zeros((64, 7))), constant("picked", [0, 1, 2, 3, 4, 5, 99], np.int64)]
    with pytest.raises(WeightsError, match="fails on this face.*idx=99"):
        fer.load(saved(network(nodes, constants), tmp_path))


def test_a_face_on_which_the_network_fails_stops_no_other_photo(tmp_path, sample, capsys):
    model = picks_by_contrast(tmp_path)
    Image.new("L", (60, 60), 128).save(tmp_path / "flat.png")
    photos = [str(sample), str(tmp_path / "flat.png")]
    assert main(["predict", *photos, "--detector", "none", "--model", str(model), "--json"]) == 1
    face, flat = map(json.loads, capsys.readouterr().out.splitlines())
    assert face["error"]["type"] == "WeightsError" and "fails on this face" in face["error"]["message"]
    assert flat["error"] is None and len(flat["faces"]) == 1


def test_a_portrait(recognizer, sample):
    (face,) = recognizer.predict(read_image(sample), "hog")
    assert face.expression == "happy" and face.sure and face.quality.ok
    assert sum(face.probabilities) == pytest.approx(1) and face.confidence == max(face.probabilities)
    assert set(face.to_json()["probabilities"]) == set(NAMES)


def test_all_faces_of_a_photo_in_one_batch(recognizer, sample):
    portrait = read_image(sample)
    faces = recognizer.predict(np.hstack([portrait, portrait]), "hog")
    assert [face.expression for face in faces] == ["happy", "happy"]


def test_no_face_is_an_empty_list_and_none_takes_the_whole(recognizer):
    flat = np.full((90, 120, 3), 128, np.uint8)
    assert recognizer.predict(flat, "hog") == []
    (face,) = recognizer.predict(flat, "none")
    assert face.box == FaceBox(0, 0, 120, 90, detector="none")


def test_a_poor_face_is_never_sure(recognizer, sample):
    image = read_image(sample) // 16  # nearly black
    (face,) = recognizer.read(image, [FaceBox(186, 60, 82, 105, detector="yunet")])
    assert not face.sure and "too dark" in face.quality.reasons[0]
    (tiny,) = recognizer.read(read_image(sample), [FaceBox(200, 100, 10, 12, detector="yunet")])
    assert "too small" in tiny.quality.reasons


def test_an_even_gray_is_no_face_and_never_sure(recognizer):
    even = np.full((90, 120, 3), 128, np.uint8)
    for image, reason in ((even, "no facial content"), (even // 8, "too dark"), (even + 120, "overexposed")):
        (face,) = recognizer.predict(image, "none")
        assert not face.sure and any(reason in words for words in face.quality.reasons)
    small = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    assert recognizer.predict(small, "none")[0].quality.ok  # its size says nothing: it is a crop


@pytest.mark.parametrize("array", [np.zeros((10, 10)) + 7, np.zeros((0, 9, 3), np.uint8), np.zeros((9, 9, 3), int)])
def test_wrong_arrays_are_a_sentence(recognizer, array):
    with pytest.raises(FerError, match="uint8"):
        recognizer.predict(array, "none")


@pytest.mark.parametrize("detector", ["hog", "none"])
def test_views_and_other_kinds_of_arrays_are_the_same_picture(recognizer, sample, detector):
    image = read_image(sample)
    (expected,) = recognizer.predict(image[::-1, ::-1].copy(), detector)
    view = image[::-1, ::-1]
    for other in (view, view / np.float32(255), np.dstack([view, np.full(view.shape[:2], 255, np.uint8)])):
        (face,) = recognizer.predict(other, detector)
        assert face.box == expected.box and face.probabilities == pytest.approx(expected.probabilities, abs=1e-3)
        assert subject(recognizer, other, face).aligned_gray.flags.c_contiguous
    (gray,) = recognizer.predict(image[..., 0], "none")
    assert gray == recognizer.predict(image[..., :1].repeat(3, 2), "none")[0]


def test_a_low_score_is_never_sure_in_a_photo(recognizer, sample):
    """Animals and things are scored low; in the small frames of a video faces are, too."""
    image, box = read_image(sample), FaceBox(186, 60, 82, 105, 0.76, detector="yunet")
    (photo,), (frame,) = (recognizer.read(image, [box], photo=photo) for photo in (True, False))
    assert frame.sure and not photo.sure and photo.quality.reasons == ("perhaps not a face",)


def test_threads_do_not_disturb_each_other(recognizer, sample):
    image = read_image(sample)
    expected = recognizer.predict(image, "hog")
    with ThreadPoolExecutor(4) as pool:
        assert all(result == expected for result in pool.map(lambda _: recognizer.predict(image, "hog"), range(8)))


def test_steps_show_what_the_network_sees(recognizer, sample):
    image = read_image(sample)
    steps = recognizer.steps(image, FaceBox(186, 60, 82, 105, detector="yunet"))
    assert steps.gray.shape == (48, 48) and steps.standardized.shape == (44, 44)
    assert np.array_equal(steps.standardized, recognizer.card.preprocessing(steps.gray[None])[0, 0])
