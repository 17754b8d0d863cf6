"""Errors of a page end in a sentence, never in a traceback."""

from __future__ import annotations

from fer.app import resources
from fer.app.predict import photo_reading
from fer.errors import WeightsError
from tests.app.helpers import words


def test_damaged_weights_are_a_sentence(home, monkeypatch):
    def damaged(name):
        raise WeightsError("mini_xception.safetensors is not a whole safetensors file.")

    monkeypatch.setattr(resources, "recognizer", damaged)
    assert "not a whole safetensors file" in home.run().error[0].value.replace("\\", "")  # on Home
    home.switch_page("pages/predict.py").run()
    home.button(key="sample_astronaut").click().run()
    assert not home.exception and "not a whole safetensors file" in home.error[0].value.replace("\\", "")


def test_an_unforeseen_error_shows_no_traceback(home, monkeypatch):
    def fail(photo):
        raise ZeroDivisionError("/secret/path")

    monkeypatch.setattr(photo_reading, "read_photo", fail)
    home.switch_page("pages/predict.py").run()
    home.button(key="sample_astronaut").click().run()
    assert not home.exception and "Something went wrong" in home.error[0].value and "secret" not in words(home)
