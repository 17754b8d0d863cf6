"""Home by AppTest: a face that is read at once, and choices that every page shares."""

from __future__ import annotations

from fer.models import DEFAULT_MODEL
from tests.app.helpers import upload_photos, words


def test_home_shows_a_read_face_and_an_honest_accuracy(home):
    assert not home.exception
    assert "Happy" in words(home) and DEFAULT_MODEL in words(home)
    assert "right on FER2013's PublicTest" in words(home)
    assert "Using HOG" in words(home)  # auto's fallback says so


def test_choices_survive_a_page_change(home):
    home.sidebar.selectbox(key="detector_widget").select("haar").run()
    home.switch_page("pages/predict.py").run()
    assert home.sidebar.selectbox(key="detector_widget").value == "haar"
    home.button(key="sample_grace-hopper").click().run()
    assert not home.exception and len(home.dataframe[0].value) == 1
    home.switch_page("streamlit_app.py").run()
    assert home.sidebar.selectbox(key="detector_widget").value == "haar" and not home.exception


def test_home_is_not_the_photo_read_last(home, sample):
    upload_photos(home, ("own.jpg", sample.read_bytes() + b"own"))
    home.switch_page("streamlit_app.py").run()
    assert list(home.session_state["photo_results"].values())[-1].photo.name == "own.jpg"
