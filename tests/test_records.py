"""One record of a face: what JSON and CSV say of it, by hand."""

from __future__ import annotations

import csv
import io
import json

from fer import cli
from fer.expressions import NAMES
from fer.records import CSV_COLUMNS, FaceBox, FaceRecord, Prediction, Quality, faces_csv, set_words

BOX = FaceBox(10, 20.04, 30, 40, 0.9, detector="yunet")
TORN = (0.05, 0.0, 0.05, 0.45, 0.0, 0.05, 0.4)


def test_the_answer_is_the_best_guess_only_where_it_is_sure():
    sure, unsure = (Prediction(BOX, TORN, told) for told in (True, False))
    assert (sure.answer, sure.expression) == ("happy", "happy")
    assert (unsure.answer, unsure.expression, unsure.confidence) == ("not sure", "happy", 0.45)


def test_a_face_as_json():
    face = Prediction(BOX, TORN, False, Quality(False, ("blurred",)), ("happy", "neutral"), 0.0625)
    assert face.to_json() == {
        "box": [10, 20.0, 30, 40],
        "score": 0.9,
        "detector": "yunet",
        "quality": {"ok": False, "reasons": ["blurred"]},
        "answer": "not sure",
        "expression": "happy",
        "confidence": 0.45,
        "sure": False,
        "set": ["happy", "neutral"],
        "probabilities": dict(zip(NAMES, TORN)),
        "stability": 0.062,
    }
    assert "stability" not in Prediction(BOX, TORN, True).to_json()


def test_the_columns_of_every_csv():
    names = "input,time_s,person,x,y,width,height,answer,expression,confidence,sure,set,angry,disgust,fear,happy,sad,"
    assert ",".join(CSV_COLUMNS) == names + "surprise,neutral,quality,stability,detector,model"


def test_a_photos_and_a_videos_row():
    face = Prediction(BOX, TORN, False, prediction_set=("happy", "neutral"), stability=0.5)
    still, moving = FaceRecord(face, "a.jpg", model="compact"), FaceRecord(face, time_s=1.25, person=2)
    rows = list(csv.DictReader(io.StringIO(faces_csv([still, moving]))))
    told = {"answer": "not sure", "expression": "happy", "confidence": "0.4500", "sure": "False", "quality": "ok"}
    for row in rows:
        assert told.items() <= row.items() and row["set"] == "happy|neutral" and row["stability"] == "0.500"
        assert (row["x"], row["y"], row["neutral"], row["detector"]) == ("10.0", "20.0", "0.4000", "yunet")
    assert [rows[0][key] for key in ("input", "time_s", "person", "model")] == ["a.jpg", "", "", "compact"]
    assert [rows[1][key] for key in ("input", "time_s", "person", "model")] == ["", "1.250", "2", ""]
    assert moving.to_json() == {"time_s": 1.25, "person": 2, **face.to_json()}


def test_a_box_a_hair_outside_the_picture_is_at_0_and_never_at_minus_0():
    face = Prediction(FaceBox(-0.04, -0.0, 30, 40, detector="yunet"), TORN, True)
    assert json.dumps(face.to_json()["box"]) == "[0.0, 0.0, 30.0, 40.0]"
    row = dict(zip(CSV_COLUMNS, FaceRecord(face).to_row(), strict=True))
    assert [row[key] for key in ("x", "y", "width", "height")] == ["0.0", "0.0", "30.0", "40.0"]
    two = {"path": "a.jpg", "error": None, "rotation": 0, "faces": [face.to_json()] * 2}
    two["faces"][0] |= {"box": [-0.4, -0.3, 30, 40]}
    assert "face 1 at 0, 0: happy" in cli._sentence(two)


def test_a_set_in_words():
    words = [set_words(names) for names in ((), ("sad",), ("sad", "fear"), ("sad", "fear", "angry"))]
    assert words == ["", "sad", "sad or fear", "sad, fear or angry"]


def test_a_name_is_no_formula():
    assert FaceRecord(Prediction(BOX, TORN, True), "=2+3.jpg").to_row()[0] == "'=2+3.jpg"
