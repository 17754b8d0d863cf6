"""Explain by AppTest: what it opens on, what it says, what it is handed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.app.test_predict import words
from tests.conftest import ROOT


@pytest.fixture
def home(monkeypatch, offline):
    monkeypatch.chdir(ROOT)
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=180).run()


def opened(app):
    app.switch_page("pages/explain.py").run()
    for _ in range(3):  # the page runs itself again when the slow part is done
        if any("being measured" in text.value for text in app.markdown):
            app.run()
    return app


def test_opens_on_a_face_with_a_verdict_and_a_measured_answer(home):
    app = opened(home)
    assert not app.exception and not app.error
    said = words(app)
    assert "It reads happy mainly from" in said and "Removing the 10 % of the picture that this map marks costs" in said
    assert "**Deletion**: area" in said and "PublicTest faces" in said
    assert "the check: the map stays up to" in said
    methods = app.dataframe[-1].value["method"].tolist()
    assert len(methods) == 7 and methods[-1] == "at random"


def test_a_face_is_handed_over_from_predict(home):
    home.switch_page("pages/predict.py").run()
    home.button(key="sample_grace-hopper").click().run()
    next(button for button in home.button if button.label == "Explain this face").click().run()
    assert home.title[0].value == "Explain" and not home.exception


def test_the_address_reopens_class_method_and_layer(home):
    home.query_params["class"] = "surprise"
    home.query_params["method"] = "occlusion"
    home.query_params["layer"] = "stage2"
    app = opened(home)
    chosen = {box.label: box.value for box in app.main.selectbox}
    if chosen["Method"] != "occlusion":
        pytest.skip("AppTest drops the address on a page change; the browser test covers it")
    assert chosen["Class"] == "surprise" and chosen["Layer of Grad-CAM"] == "stage2"


def two_faces(tmp_path):
    from fer.app.predict.photo_reading import Photo
    from fer.vision.images import read_image

    portraits = [
        read_image(ROOT / "fer/app/samples" / name)[:512, :512] for name in ("astronaut.jpg", "grace-hopper.jpg")
    ]
    Image.fromarray(np.hstack(portraits)).save(tmp_path / "two.png")
    return Photo("two.png", (tmp_path / "two.png").read_bytes())


def test_a_face_stays_chosen_when_another_detector_numbers_them_anew(home, tmp_path):
    from fer.app import resources, session

    photo = two_faces(tmp_path)
    by = {name: resources.recognizer("mini_xception").predict(photos_pixels(photo), name) for name in ("hog", "haar")}
    right = {name: [face.box.x > 400 for face in faces].index(True) + 1 for name, faces in by.items()}
    home.session_state["explained_face"] = session.Explained(photo, by["haar"][right["haar"] - 1].box)
    app = home.switch_page("pages/explain.py").run()  # the box is Haar's, the page's detector HOG
    (pills,) = [group for group in app.get("button_group") if "faces" in group.label]
    assert pills.value == right["hog"] and not app.exception
    pills.set_value(3 - right["hog"]).run()  # the left one
    app.sidebar.selectbox(key="detector_widget").select("haar").run()
    (pills,) = [group for group in app.get("button_group") if "faces" in group.label]
    assert not by["haar"][pills.value - 1].box.x > 400


def photos_pixels(photo):
    from fer.vision.images import decode_image

    return decode_image(photo.data)


def test_the_same_photo_put_in_again_is_explained_again(home, sample):
    app = home.switch_page("pages/explain.py").run()
    put = [("mine.jpg", sample.read_bytes(), "image/jpeg")]
    uploader = [one for one in app.file_uploader if one.key == "explain_upload"][0]
    uploader.set_value(put).run()
    assert app.session_state["explained_face"].photo.name == "mine.jpg"
    app.button(key="explain_sample_grace-hopper").click().run()
    assert app.session_state["explained_face"].photo.name == "grace-hopper.jpg"
    uploader = [one for one in app.file_uploader if one.key == "explain_upload"][0]
    uploader.set_value(put).run()  # another file id
    assert app.session_state["explained_face"].photo.name == "mine.jpg" and not app.exception


def test_a_photo_without_a_face_is_said_and_a_constant_one_explained(home, tmp_path):
    from fer.app import session
    from fer.app.predict.photo_reading import Photo

    file = tmp_path / "plain.png"
    Image.fromarray(np.full((90, 90, 3), 120, np.uint8)).save(file)
    home.session_state["explained_face"] = session.Explained(Photo("plain.png", file.read_bytes()))
    app = home.switch_page("pages/explain.py").run()
    assert "No face found" in words(app)
    next(button for button in app.button if "whole picture" in button.label).click().run()
    said = words(app)
    assert not app.exception and "no facial content" in said and "## No facial content" in said
    assert not any(claim in said for claim in ("passes", "fails", "Removing", "costs", "Angry,", "Faithful"))


def put_weights(folder, classifier_bias: float) -> None:
    """Another checkpoint in a run's place, as training does it: best.safetensors and best.json replaced."""
    from dataclasses import replace

    import torch

    from fer.models.checkpoints import load_checkpoint, save_checkpoint
    from fer.models.weights import find_weights

    network, card = load_checkpoint(find_weights("mini_xception"))
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    weights["classifier.bias"][4] += classifier_bias
    assert torch.isfinite(weights["classifier.bias"]).all()
    save_checkpoint(folder / "best.safetensors", weights, replace(card, sha256=""))


def test_a_run_is_explained_and_so_are_its_next_weights(home, tmp_path, monkeypatch):
    """A run's model is its folder; a better epoch replaces the weights under the same name."""
    from fer.training.config import TrainConfig
    from fer.training.run_directory import RunDirectory

    monkeypatch.setenv("FER_RUNS", str(tmp_path))
    run = RunDirectory.create(tmp_path / "mine", TrainConfig(data="synthetic", epochs=1))
    put_weights(run.path, 0.0)
    home.session_state["chosen_model"] = str(run.path)
    app = opened(home)
    assert not app.exception and not app.error and "## Happy" in words(app)
    put_weights(run.path, 50.0)
    for _ in range(3):
        app.run()
    assert not app.exception and not app.error and "## Sad" in words(app)
    assert "t reads sad" in words(app)


def test_a_map_that_marks_nothing_gets_no_cost_and_no_verdict(home, monkeypatch):
    from fer.explanation.explain import Subject

    attribute = Subject.attribute

    def blank(self, method, directions, layer=None):
        return attribute(self, method, directions, layer) * (method != "grad_cam")

    monkeypatch.setattr(Subject, "attribute", blank)
    app = opened(home)
    said = words(app)
    assert not app.exception and not app.error
    assert "This map marks nothing, so there is nothing to remove." in said and "Here the map for happy marks" in said
    assert "the check: the map keeps" not in said and "**Deletion**" not in said
    assert np.isnan(app.dataframe[-1].value["marked 10 % costs"].iloc[0])


def test_a_damaged_photo_is_a_sentence(home):
    from fer.app import session
    from fer.app.predict.photo_reading import Photo

    home.session_state["explained_face"] = session.Explained(Photo("bad.png", b"no picture"))
    app = home.switch_page("pages/explain.py").run()
    assert not app.exception and "not a picture" in words(app)
