"""POST /explain: the maps of fer.explain, as numbers and pictures."""

from __future__ import annotations

import base64
import io
import sys

import numpy as np
import pytest
from PIL import Image

import fer
from fer.vision.images import read_image
from tests.service.conftest import picture

pytest.importorskip("torch", reason="the extra train is not installed")


def test_maps_are_those_of_the_library(client, sample):
    asked = {"class": ["happy", "fear"], "method": ["grad_cam", "gradient"], "layer": "block4", "detector": "hog"}
    answer = client.post("/explain", files={"file": ("me.jpg", sample.read_bytes())}, data=asked).json()
    recognizer = fer.load("mini_xception")
    image_rgb = read_image(sample)
    (face,) = recognizer.predict(image_rgb, "hog")
    ours = fer.explain(
        recognizer, image_rgb, face, ("grad_cam", "gradient"), ("happy", "fear"), "block4", faithfulness=False
    )
    assert answer["face"] == face.to_json() and (answer["path"], answer["layer"]) == ("me.jpg", "block4")
    assert [(each["method"], each["class"]) for each in answer["maps"]] == [
        (method, name) for method in ("grad_cam", "gradient") for name in ("happy", "fear")
    ]
    for each in answer["maps"]:
        expected = ours.maps[each["method"]][("happy", "fear").index(each["class"])]
        assert np.allclose(each["values"], expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())
        assert each["in_words"] == ours.words[each["method"]][each["class"]]
        assert Image.open(io.BytesIO(base64.b64decode(each["png"]))).size == (352, 352)


def test_without_a_choice_it_is_the_expression_by_grad_cam(client, sample):
    answer = client.post("/explain?detector=hog", files={"file": ("", sample.read_bytes())}).json()
    assert [(each["method"], each["class"]) for each in answer["maps"]] == [("grad_cam", answer["face"]["expression"])]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"class": "bored"}, "no class 'bored'"),
        ({"method": "magic"}, "no method 'magic'"),
        ({"layer": "block9"}, "no layer 'block9'"),
        ({"face": "2"}, "no face 2"),
        ({"face": "0"}, "no face 0"),
        ({"face": "one"}, "number from 1"),
        ({"colour": "red"}, "no field"),
    ],
)
def test_what_is_not_there_is_a_sentence(client, fields, says):
    answer = client.post("/explain", files={"file": ("", picture())}, data=fields)
    assert answer.status_code == 422 and says in answer.json()["detail"]


def test_a_picture_without_a_face_and_several_pictures(client):
    answer = client.post("/explain?detector=hog", files={"file": ("", picture())})
    assert answer.status_code == 422 and "No face" in answer.json()["detail"]
    answer = client.post("/explain", files=[("file", ("", picture()))] * 2)
    assert answer.status_code == 422 and "one picture" in answer.json()["detail"]


def test_without_torch_it_says_what_to_install(client, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("fer.explanation")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    answer = client.post("/explain", files={"file": ("", picture())})
    assert answer.status_code == 501 and "'.[train]'" in answer.json()["detail"]
