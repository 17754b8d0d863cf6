"""Which face Explain explains, by AppTest."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from PIL import Image

from fer.app import resources
from fer.app.explain.state import Explained
from fer.app.model_choice import ShippedModel
from fer.app.predict.photo_reading import Photo
from fer.vision.images import decode_image, read_image
from tests.app.helpers import control, upload_here, words
from tests.conftest import ROOT


def two_faces(tmp_path):

    portraits = [
        read_image(ROOT / "fer/app/samples" / name)[:512, :512] for name in ("astronaut.jpg", "grace-hopper.jpg")
    ]
    Image.fromarray(np.hstack(portraits)).save(tmp_path / "two.png")
    return Photo("two.png", (tmp_path / "two.png").read_bytes())


def test_a_face_stays_chosen_when_another_detector_numbers_them_anew(home, unmeasured, tmp_path):
    photo = two_faces(tmp_path)
    by = {
        name: resources.recognizer(ShippedModel("mini_xception")).predict(decode_image(photo.data), name)
        for name in ("hog", "haar")
    }
    right = {name: [face.box.x > 400 for face in faces].index(True) + 1 for name, faces in by.items()}
    home.session_state["explained_face"] = Explained(photo)
    home.session_state["selected_faces"] = OrderedDict({photo.key: by["haar"][right["haar"] - 1].box})
    app = home.switch_page("pages/explain.py").run()  # the box is Haar's, the page's detector HOG
    pills = control(app, f"face_{photo.key}_hog")
    assert pills.value == right["hog"] and not app.exception
    pills.set_value(3 - right["hog"]).run()  # the left one
    app.sidebar.selectbox(key="detector_widget").select("haar").run()
    pills = control(app, f"face_{photo.key}_haar")
    assert not by["haar"][pills.value - 1].box.x > 400


def test_a_label_is_the_one_that_was_handed_over_last(home, unmeasured, sample):
    photo = Photo("face.jpg", sample.read_bytes())
    home.session_state["explained_face"] = Explained(photo, truth="happy")
    app = home.switch_page("pages/explain.py").run()
    assert "Labeled **happy**" in words(app)
    app.session_state["explained_face"] = Explained(photo, truth="sad")  # the labels were mapped anew
    assert "Labeled **sad**" in words(app.run()) and "Labeled **happy**" not in words(app)


def test_the_same_photo_uploaded_again_is_explained_again(home, unmeasured, sample):
    app = home.switch_page("pages/explain.py").run()
    upload_here(app, ("mine.jpg", sample.read_bytes()))
    assert app.session_state["explained_face"].photo.name == "mine.jpg"
    app.button(key="explain_sample_grace-hopper").click().run()
    assert app.session_state["explained_face"].photo.name == "grace-hopper.jpg"
    upload_here(app, ("mine.jpg", sample.read_bytes()))
    assert app.session_state["explained_face"].photo.name == "mine.jpg" and not app.exception


def test_a_photo_without_a_face_is_said_and_a_constant_one_explained(home, tmp_path):
    file = tmp_path / "plain.png"
    Image.fromarray(np.full((90, 90, 3), 120, np.uint8)).save(file)
    home.session_state["explained_face"] = Explained(Photo("plain.png", file.read_bytes()))
    app = home.switch_page("pages/explain.py").run()
    assert "No face found" in words(app)
    next(button for button in app.button if "whole picture" in button.label).click().run()
    said = words(app)
    assert not app.exception and "no facial content" in said and "## No facial content" in said
    assert not any(claim in said for claim in ("passes", "fails", "Removing", "costs", "Angry,", "Faithful"))


def test_a_damaged_photo_is_a_sentence(home):
    home.session_state["explained_face"] = Explained(Photo("bad.png", b"no picture"))
    app = home.switch_page("pages/explain.py").run()
    assert not app.exception and "not a picture" in words(app)
