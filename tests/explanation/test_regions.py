"""Regions, their words, and the explanation as a whole: good faces, bad input."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

import fer
from fer.cli import main
from fer.errors import ExplainError, WeightsError
from fer.explanation.explain import assemble
from fer.explanation.job import ExplanationJob
from fer.explanation.methods import METHODS
from fer.explanation.regions import (
    OUTSIDE,
    REGIONS,
    TEMPLATE,
    areas,
    expected_regions,
    in_words,
    landmarks_in_input,
    leading,
    region_labels,
    shares,
)
from fer.explanation.subject import explainer_for, sentence, subject
from fer.expressions import NAMES
from fer.records import FaceBox
from tests.conftest import ROOT


def test_landmarks_fall_where_the_aligned_face_shows_them():
    """Bright dots at a turned face's landmarks are found again where landmarks_in_input says."""
    from fer.vision.alignment import align_face

    turn, center = np.deg2rad(20), np.array([200.0, 200.0])
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    upright = np.array([[-60, -50], [60, -50], [0, 10], [-40, 70], [40, 70]], float)
    points = upright @ matrix.T + center
    box = FaceBox(100, 80, 200, 250, landmarks=tuple(map(tuple, points)), detector="yunet")
    for index, point in enumerate(points):
        photo = np.zeros((420, 420, 3), np.uint8)
        cv2.circle(photo, tuple(int(round(v)) for v in point), 8, (255, 255, 255), -1)
        gray = align_face(photo, box, 48).astype(float)
        rows, columns = np.mgrid[:48, :48] + 0.5
        seen = np.array([(columns * gray).sum(), (rows * gray).sum()]) / gray.sum() - 2  # 44 of 48: 2 off each side
        assert np.abs(seen - landmarks_in_input(box, 48, 44)[index]).max() < 0.5


def test_each_region_holds_its_landmark():
    labels = region_labels(np.array(TEMPLATE) - 2, 44)
    named = np.array(REGIONS)[labels]
    for (x, y), region in zip(np.array(TEMPLATE) - 2, ("eyes", "eyes", "nose", "mouth", "mouth"), strict=True):
        assert named[int(y), int(x)] == region
    assert named[0, 0] == named[43, 43] == OUTSIDE and named[9, 10] == "brows"
    assert set(np.unique(named)) == set(REGIONS)


def test_shares_by_hand():
    labels = np.array([[0, 0], [3, 6]])
    found = shares(np.array([[1.0, 2.0], [6.0, 1.0]]), labels)
    assert found["brows"] == pytest.approx(0.3) and found["mouth"] == pytest.approx(0.6)
    assert found[OUTSIDE] == pytest.approx(0.1) and sum(found.values()) == pytest.approx(1)
    assert not any(shares(np.zeros((2, 2)), labels).values())


EVEN = areas(region_labels(np.array(TEMPLATE) - 2, 44))


def ledger(**known: float) -> dict[str, float]:
    return {**dict.fromkeys(REGIONS, 0.0), **known}


def test_words():
    found = ledger(mouth=0.46, brows=0.31, eyes=0.11) | {OUTSIDE: 0.12}
    assert in_words("surprise", found, EVEN) == (
        "The answer surprise rests mainly on the mouth (46%) and the brows (31%), where surprise usually shows "
        "(jaw dropped, inner brow raised, outer brow raised). 12% of the map lies outside the face."
    )
    assert "not where disgust usually shows" in in_words("disgust", ledger(eyes=0.9), EVEN)
    assert "partly where happy usually shows" in in_words("happy", ledger(mouth=0.5, eyes=0.4), EVEN)
    assert in_words("fear", ledger(), EVEN) == "Nothing in this face favors fear: the map is empty."
    assert in_words("sad", found, EVEN, predicted=False).startswith("Sad is favored mainly by the mouth")
    assert expected_regions("surprise") == {
        "brows": ["inner brow raised", "outer brow raised"],
        "eyes": ["upper lid raised"],
        "mouth": ["jaw dropped"],
    }


def test_mainly_is_the_leading_part_and_more_than_an_even_map_has():
    chin = ledger(mouth=0.2, nose=0.1, **{"forehead and chin": 0.6}) | {OUTSIDE: 0.1}
    assert in_words("happy", chin, EVEN).startswith(
        "The answer happy rests mainly on the forehead and chin (60%), not where"
    )
    away = ledger(mouth=0.3) | {OUTSIDE: 0.7}
    assert in_words("happy", away, EVEN) == (
        "The answer happy rests mainly on what is outside the face (70%), not where happy usually shows "
        "(cheeks: cheeks raised, mouth: lip corners pulled up)."
    )
    assert "mainly" not in in_words("happy", EVEN, EVEN) and "rests on the whole picture" in in_words("sad", EVEN, EVEN)
    assert leading(ledger(mouth=1.6 * EVEN["mouth"], eyes=0.1), EVEN) == (["mouth"], True)
    half = dict.fromkeys(REGIONS, 0.05) | {"cheeks": 0.6}
    assert leading(ledger(cheeks=0.55), half) == (["cheeks"], False)  # more than half, less than an even map


def test_sizes_do_not_favor_a_class():
    found = ledger(mouth=0.6, eyes=0.4)
    assert in_words("happy", found, EVEN, marks="size").startswith(
        "The score for happy reacts mainly to changes at the mouth (60%) and the eyes (40%), partly"
    )
    assert "changes all over the picture, most of all at" in in_words("happy", EVEN, EVEN, marks="size")


def test_a_map_that_marks_nothing_costs_nothing_and_says_whether_it_is_blank(face):
    blank, against = np.zeros((44, 44), np.float32), np.full((44, 44), -1, np.float32)
    assert sentence(face, "sad", blank, "occlusion").endswith("the map is empty.")
    assert "counts against sad" in sentence(face, "sad", against, "occlusion")
    sad = NAMES.index("sad")
    maps = {("grad_cam", "fused"): blank[None], ("occlusion", None): against[None], ("gradient", None): against[None]}
    job = ExplanationJob(face, (sad,), maps)
    keys = list(maps)
    assert job.pending(keys, (keys[0], sad)) == job.pending(keys, (keys[1], sad)) == 0
    assert job.pending(keys, (keys[2], sad)) == 4  # sizes are marks too
    assert "faithfulness" not in assemble(job, keys, "fused").to_json()["methods"]["occlusion"]["sad"]


def test_explain_answers_in_one_record(recognizer, astronaut):
    prediction = recognizer.predict(astronaut, "hog")[0]
    shares_done = []
    explanation = fer.explain(
        recognizer, astronaut, prediction, ("grad_cam", "gradient"), ("happy", "sad"), progress=shares_done.append
    )
    assert explanation.prediction == prediction and shares_done[-1] == 1 and shares_done == sorted(shares_done)
    assert explanation.maps["grad_cam"].shape == (2, 44, 44) and explanation.maps["gradient"].dtype == np.float32
    document = json.loads(json.dumps(explanation.to_json()))
    happy = document["methods"]["grad_cam"]["happy"]
    assert happy["in_words"].startswith("The answer happy rests mainly on") and sum(happy["regions"].values()) > 0.99
    assert happy["faithfulness"]["deletion_area"] < document["random_baseline"]["happy"]["deletion_area"]
    assert happy["road"]["deletion_area"] < document["random_baseline_road"]["happy"]["deletion_area"]
    assert happy["judgment"] in ("pass", "unclear", "fail") and 0 < happy["sparseness"] < 1
    assert {"max_sensitivity", "similarity_after_randomization", "points_at_expected_region"} <= set(happy)
    by_box = fer.explain(recognizer, astronaut, prediction.box, ("gradient",), ("happy",), faithfulness=False)
    assert np.allclose(by_box.maps["gradient"][0], explanation.maps["gradient"][0], atol=1e-5)


def test_a_constant_picture_gives_finite_maps_and_a_sentence(recognizer):
    gray = np.full((60, 60, 3), 128, np.uint8)
    explanation = fer.explain(recognizer, gray, FaceBox(0, 0, 60, 60, detector="none"))
    for method, maps in explanation.maps.items():
        assert np.isfinite(maps).all(), method
        assert all("no facial content" in words for words in explanation.words[method].values())
    assert np.abs(explanation.maps["gradient"]).max() > 0  # nothing is special-cased to zero


def test_the_named_classes_are_measured_and_by_default_the_predicted_one(recognizer, astronaut):
    (face,) = recognizer.predict(astronaut, "hog")
    by_default = fer.explain(recognizer, astronaut, face, ("gradient",))
    assert by_default.classes == NAMES and set(by_default.measured["gradient"]) == {face.expression}
    named = fer.explain(recognizer, astronaut, face, ("gradient",), NAMES)
    assert set(named.measured["gradient"]) == set(NAMES)
    for nothing in ({"classes": ()}, {"methods": ()}):
        assert not fer.explain(recognizer, astronaut, face, **nothing).maps


def test_the_command_tells_all_seven_classes_from_none(tmp_path, sample, monkeypatch):
    asked = []

    def explained(recognizer, image_rgb, face, methods, classes, *rest, **more):
        asked.append(classes)
        return explain(recognizer, image_rgb, face, methods, ("happy",), *rest, faithfulness=False, **more)

    explain = fer.explain
    monkeypatch.setattr(fer, "explain", explained)
    command = ["explain", str(sample), "--out", str(tmp_path), "--model", "mini_xception", "--methods", "gradient"]
    assert main(command) == main([*command, "--classes", *NAMES]) == 0
    assert asked == [None, NAMES]


def test_bad_input_is_named(recognizer, astronaut, tmp_path):
    box = FaceBox(0, 0, astronaut.shape[1], astronaut.shape[0], detector="none")
    with pytest.raises(ExplainError, match="no class 'joy'"):
        fer.explain(recognizer, astronaut, box, ("gradient",), ("joy",))
    with pytest.raises(ExplainError, match="no layer 'block7'"):
        fer.explain(recognizer, astronaut, box, ("grad_cam",), layer="block7")
    copied = tmp_path / "own.safetensors"
    copied.write_bytes(recognizer.weights.read_bytes())
    copied.with_suffix(".json").write_bytes(recognizer.weights.with_suffix(".json").read_bytes())
    loaded = fer.load(copied, threads=1)
    copied.write_bytes(copied.read_bytes()[:1000])
    for work in (lambda: fer.load(copied), lambda: fer.explain(loaded, astronaut, box, ("gradient",))):
        with pytest.raises(WeightsError, match="sha256 differs"):
            work()


def test_other_preprocessing_is_followed(tmp_path, astronaut):
    """A run with 40 px faces of 44, standardized by the data set: the map has its size, its own scale."""
    from fer.models.card import Card
    from fer.models.checkpoints import save_checkpoint
    from fer.models.registry import build
    from fer.preprocessing import Preprocessing

    card = Card("mini_xception", Preprocessing(44, 40, "dataset"))
    save_checkpoint(tmp_path / "best.safetensors", build("mini_xception").eval().state_dict(), card)
    recognizer = fer.load(tmp_path, threads=1)
    box = FaceBox(0, 0, astronaut.shape[1], astronaut.shape[0], detector="none")
    explanation = fer.explain(recognizer, astronaut, box, ("grad_cam", "gradient", "occlusion"), ("happy",))
    assert explanation.maps["occlusion"].shape == (1, 40, 40) and explanation.layer == "fused"
    face = subject(recognizer, astronaut, box)
    logits = explainer_for(recognizer).logits(face.batch).numpy()
    assert np.allclose(logits, recognizer.logits(face.aligned_gray[None]), atol=1e-4)


def test_command_line(tmp_path, sample):
    """The command of docs/faithfulness.md."""
    command = [
        sys.executable,
        "-m",
        "fer",
        "explain",
        str(sample),
        "--out",
        str(tmp_path / "out"),
        "--methods",
        "grad_cam",
        "gradient",
        "--classes",
        "happy",
        "sad",
    ]
    (tmp_path / "out").mkdir()
    for name in ("occlusion-fear.png", "mine-happy.png"):  # an earlier run's map, and a file of one's own
        (tmp_path / "out" / name).write_bytes(b"")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "The answer happy rests" in done.stdout
    (tmp_path / "out" / "mine-happy.png").unlink()
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "maps.npz",
        "explanation.json",
        *(f"{method}-{name}.png" for method in ("grad_cam", "gradient") for name in ("happy", "sad")),
    }
    with np.load(tmp_path / "out" / "maps.npz", allow_pickle=False) as maps:
        assert set(maps) == {"grad_cam/happy", "grad_cam/sad", "gradient/happy", "gradient/sad"}
        assert all(maps[key].shape == (44, 44) and maps[key].dtype == np.float32 for key in maps)
    assert set(json.loads((tmp_path / "out" / "explanation.json").read_text())["methods"]) == {"grad_cam", "gradient"}


def test_command_line_errors_are_sentences(tmp_path, sample, capsys):
    plain = tmp_path / "plain.png"
    cv2.imwrite(str(plain), np.full((80, 80), 90, np.uint8))
    for arguments, words in (
        ([str(plain)], "No face was found"),
        ([str(sample), "--classes", "joy"], "no class 'joy'"),
        ([str(sample), "--methods", "magic"], "no method 'magic'"),
        ([str(sample), "--methods", "gradient", "--layer", "block9"], "no layer 'block9'"),
        ([str(sample), "--face", "9"], "no face 9"),
    ):
        assert main(["explain", *arguments, "--out", str(tmp_path / "o")]) == 1
        said = capsys.readouterr().err
        assert words in said and "Traceback" not in said
        assert "Explaining" not in said  # said before the work begins


def test_every_method_has_its_source_and_words():
    assert all(method.source and method.says.endswith(".") for method in METHODS.values()) and len(NAMES) == 7
