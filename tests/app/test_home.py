"""Home by AppTest: the playground, where a photo is read in place, and choices that every page shares."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import pytest

from fer.app import layout, resources, sample_strip, session
from fer.app.markdown import plain
from fer.app.model_choice import ShippedModel
from fer.app.predict import dropped_photos, photo_input, state
from fer.limits import MB
from fer.models import DEFAULT_MODEL
from fer.wording import percent
from tests.app.helpers import faces_shown, upload_here, words


def test_home_shows_a_read_face_and_an_honest_accuracy(home):
    assert not home.exception
    assert "Happy" in words(home) and DEFAULT_MODEL in words(home)
    accuracy = resources.card(ShippedModel(DEFAULT_MODEL)).metrics["accuracy"]
    assert f"{percent(accuracy, 1)} accuracy on FER2013" in words(home)
    assert "it learned these labels' habits" in words(home)
    assert "we cannot say for whom they work worse" in words(home)
    assert "Using HOG" in words(home)  # auto's fallback says so


def test_choices_survive_a_page_change(home):
    home.sidebar.selectbox(key="detector_widget").select("haar").run()
    home.sidebar.selectbox(key="model_widget").select("mini_xception").run()
    home.switch_page("pages/predict.py").run()
    assert home.sidebar.selectbox(key="detector_widget").value == "haar"
    assert home.sidebar.selectbox(key="model_widget").value == "mini_xception"
    home.button(key="sample_grace-hopper").click().run()
    assert not home.exception and len(faces_shown(home)) == 1
    home.switch_page("streamlit_app.py").run()
    assert home.sidebar.selectbox(key="detector_widget").value == "haar" and not home.exception


def test_a_photo_is_read_in_place_and_is_there_on_predict_and_explain(home, unmeasured, sample):
    upload_here(home, ("own.jpg", sample.read_bytes() + b"own"))
    assert not home.exception and home.title[0].value == "FER Studio" and "Happy" in words(home)
    next(button for button in home.button if button.label == "Explain this face").click().run()
    assert home.title[0].value == "Explain" and home.session_state["explained_face"].photo.name == "own.jpg"
    home.switch_page("pages/predict.py").run()
    assert plain("own.jpg") in words(home) and len(faces_shown(home)) == 1
    home.switch_page("streamlit_app.py").run()
    next(button for button in home.button if button.label == "Remove this photo").click().run()
    assert not home.session_state["photos"] and "Happy" in words(home)  # the sample's


def test_a_bad_photo_is_named_and_can_be_removed(home):
    upload_here(home, ("bad.jpg", b"no picture"))
    assert not home.exception and len(home.error) == 1 and "bad" in words(home)
    next(button for button in home.button if button.label == "Remove this photo").click().run()
    assert not home.error and "Happy" in words(home)


def test_several_photos_open_predict(home, sample):
    upload_here(home, *((name, sample.read_bytes() + name.encode()) for name in ("a.jpg", "b.jpg")))
    assert home.title[0].value == "Predict" and not home.exception
    assert [row["face"] for row in faces_shown(home)] == ["a.jpg, face 1", "b.jpg, face 1"]
    home.switch_page("streamlit_app.py").run()
    assert home.title[0].value == "FER Studio"  # and it stays there


@pytest.mark.parametrize(
    ("agent", "invites"),
    [
        ("Mozilla/5.0 (iPhone) Version/17.0 Mobile/15E148 Safari/604.1", "Choose photos"),
        ("X11", "drop or paste photos"),
    ],
)
def test_a_phone_is_not_asked_to_drop_photos(monkeypatch, agent, invites):
    monkeypatch.setattr(session.st, "context", SimpleNamespace(headers={"User-Agent": agent}))
    asked = []
    monkeypatch.setattr(photo_input.st, "file_uploader", lambda label, **more: asked.append(label + more["help"]))
    monkeypatch.setattr(photo_input.state.inputs, "get", int)
    photo_input.drop_zone()
    assert invites in asked[0] and "up to 30 MB" in asked[0] and ("drop" in asked[0]) == ("drop" in invites)


def test_use_camera_opens_it(home):
    next(button for button in home.button if button.label == "Use camera").click().run()
    assert home.title[0].value == "Predict" and home.session_state["predict_tabs"] == "Live"


def test_the_notice_of_the_demo_is_on_each_page_once(home, monkeypatch):
    monkeypatch.setenv("FER_HOSTED", "1")
    for page in ("streamlit_app.py", "pages/predict.py", "pages/training.py"):
        home.switch_page(page).run()
        assert not home.exception and words(home).count(layout.HOSTED_NOTICE) == 1


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def said(monkeypatch):
    """What the browser would have said."""

    def say(value: object) -> None:
        monkeypatch.setattr(dropped_photos.session, "widget", lambda key, kind: {"photos": value, "pick": value})

    return say


def test_what_is_pasted_is_taken_by_its_bytes(said):
    said(
        [
            {"name": "image.png", "size": 3, "data": encoded(b"abc")},
            {"name": "a.jpg", "size": 2, "data": encoded(b"de")},
        ]
    )
    assert dropped_photos.received() == ([("pasted.png", b"abc"), ("a.jpg", b"de")], [])


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([{"name": "a.jpg", "size": 31 * MB, "data": ""}], "a.jpg is 31.0 MB; the limit is 30 MB"),
        ([{"name": "a.jpg", "size": 1, "data": "A" * (41 * MB)}], "the limit is 30 MB"),  # a size that is not true
        ([{"name": "a.jpg", "size": 5, "data": ""}], "did not arrive completely"),
        ([{"name": "a.jpg", "size": 5, "data": "%%%"}], "did not arrive completely"),
        ([{"name": 5, "size": "x", "data": None}], ""),
        (["x"], ""),
        ("x", ""),
        (None, ""),
    ],
)
def test_what_cannot_be_taken_of_a_paste_is_said_or_ignored(said, value, says):
    said(value)
    taken, sentences = dropped_photos.received()
    assert not taken and len(sentences) == bool(says) and says in " ".join(sentences)


def test_dropped_photos_beyond_the_limit_are_named(said, monkeypatch):
    monkeypatch.setenv("FER_HOSTED", "1")
    monkeypatch.setattr(state.session.st, "session_state", {})
    said([{"name": f"{number}.jpg", "size": 1, "data": encoded(bytes([number]))} for number in range(25)])
    photo_input._take_dropped(photo_input.nothing_more)
    assert [photo.name for photo in state.photos()] == [f"{number}.jpg" for number in range(20)]
    assert state.crowded_out.get() == [f"{number}.jpg" for number in range(20, 25)]


def test_of_many_photos_that_cannot_be_taken_a_few_are_named_and_the_others_counted(home):
    home.session_state["refused_photos"] = [f"{number}.jpg is 31 MB." for number in range(25)]
    home.run()
    assert [error.value.replace("\\", "") for error in home.error] == [
        *(f"{number}.jpg is 31 MB." for number in range(5)),
        "20 more photos could not be taken, either.",
    ]


def test_a_thumbnail_is_small_and_only_a_sample_can_be_picked(said, monkeypatch):
    drawn = {}
    monkeypatch.setattr(sample_strip, "_component", lambda **given: drawn.update(given))
    picked = []
    sample_strip.choose_sample("astronaut", picked.append)
    assert [one["chosen"] for one in drawn["data"]["samples"]] == [True, False, False, False, False]
    assert all(len(one["src"]) < 20_000 for one in drawn["data"]["samples"])
    for value in ("joe-biden", "../../etc/passwd", None):
        said(value)
        drawn["on_pick_change"]()
    assert picked == ["joe-biden"]
