"""Predict's photos by AppTest: entered through streamlit_app.py, as a visitor does."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace

import numpy as np
from PIL import Image

import fer
from fer.app import resources, widgets
from fer.app.markdown import plain
from fer.app.model_choice import ShippedModel
from fer.app.predict import photo_reading, photos_tab
from fer.cli import main
from fer.limits import limits
from fer.models import DEFAULT_MODEL
from fer.vision.images import read_image
from fer.visualization import render
from tests.app.helpers import faces_shown, upload_here, upload_photos, words
from tests.conftest import ROOT


def test_a_sample_is_read(app):
    app.switch_page("pages/predict.py").run()
    assert not app.exception and not faces_shown(app)
    app.button(key="sample_astronaut").click().run()
    assert not app.exception and "Happy" in words(app)
    (row,) = faces_shown(app)
    assert row["face"] == "Face 1" and row["answer"] == "happy" and row["best guess"].startswith("happy 9")


def test_the_same_photo_uploaded_twice_is_shown_once(app, sample):
    portrait = sample.read_bytes()
    upload_photos(app, ("one.jpg", portrait), ("one.jpg", portrait), ("two.jpg", portrait))
    assert not app.exception and [row["face"] for row in faces_shown(app)] == ["one.jpg, face 1", "two.jpg, face 1"]


def test_many_photos_bad_ones_among_them(app, sample):
    portrait = sample.read_bytes()
    upload_photos(
        app,
        ("one.jpg", portrait),
        ("broken.jpg", portrait[:5000]),
        ("<b>*text*</b>.jpg", b"hello"),
        ("two.jpg", portrait),
    )
    assert not app.exception
    assert len(app.error) == 2 and "damaged" in app.error[0].value and "not a picture" in app.error[1].value
    assert [row["face"] for row in faces_shown(app)] == ["one.jpg, face 1", "two.jpg, face 1"]
    assert plain("<b>*text*</b>.jpg") in words(app)
    assert not app.progress  # gone when done


def test_how_many_photos_were_read_is_told_as_it_was(app, sample):
    portrait = sample.read_bytes()
    upload_photos(app, ("one.jpg", portrait), ("two.jpg", portrait + b"2"))
    assert "All 2 photos were read." in words(app)
    upload_here(app, ("bad.jpg", b"hello"))
    assert "2 of 3 photos were read; 1 could not be." in words(app) and "All 3" not in words(app)
    next(button for button in app.button if button.label == "Remove all").click().run()
    upload_here(app, ("bad.jpg", b"hello"), ("worse.jpg", b""))
    assert "None of the 2 photos could be read." in words(app)


def test_what_was_read_stays_when_the_rest_is_stopped(app, sample):
    portrait, files = sample.read_bytes(), [("one.jpg", b"first"), ("two.jpg", b"second"), ("three.jpg", b"third")]
    upload_photos(app, *((name, portrait + mark) for name, mark in files))
    read = [one for one in app.session_state["photo_results"].items() if one[1].photo.name != "three.jpg"]
    app.session_state["photo_results"] = OrderedDict(read)  # as if not read yet
    keys = {one.photo.name: key for key, one in app.session_state["photo_results"].items()}
    (example,) = {key[1:] for key in keys.values()}
    third = next(photo for photo in app.session_state["photos"] if photo.name == "three.jpg")
    app.session_state["stop_reading"] = frozenset({*keys.values(), (third.key, *example)})
    app.run()
    assert not app.exception and "Stopped after 2 of 3 photos" in words(app)
    assert [row["face"] for row in faces_shown(app)] == ["one.jpg, face 1", "two.jpg, face 1"]
    app.sidebar.selectbox(key="detector_widget").select("haar").run()  # asked for after Stop, so not stopped
    assert "All 3 photos were read." in words(app)
    app.sidebar.selectbox(key="detector_widget").select("auto").run()
    assert "Stopped after 2 of 3 photos" in words(app)
    next(button for button in app.button if button.label == "Continue").click().run()
    assert [row["face"] for row in faces_shown(app)] == ["one.jpg, face 1", "two.jpg, face 1", "three.jpg, face 1"]


def logged(monkeypatch, *functions: tuple[object, str]) -> list[str]:
    """The names of these functions in the order in which they are called from now on."""
    order = []
    for owner, name in functions:
        real = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *given, real=real, name=name, **more: order.append(name) or real(*given, **more)
        )
    return order


def test_the_answer_comes_before_what_takes_longer_and_nothing_is_done_twice(app, monkeypatch):
    order = logged(
        monkeypatch,
        (widgets, "verdict"),
        (widgets, "probability_chart"),
        (photo_reading, "stability"),
        (widgets, "stability_note"),
        (widgets, "steps_strip"),
        (photos_tab, "show_table"),
        (photo_reading, "decode"),
        (render, "jpeg"),
    )
    app.switch_page("pages/predict.py").run()
    app.button(key="sample_grace-hopper").click().run()
    assert not app.exception
    assert order == [
        "decode",
        "jpeg",
        "verdict",
        "probability_chart",
        "decode",
        *["jpeg"] * 4,
        "stability",
        "stability_note",
        "steps_strip",
        "show_table",
    ]
    order.clear()
    app.run()
    assert order == ["verdict", "probability_chart", "stability_note", "steps_strip", "show_table"]


def test_photos_appear_one_by_one_before_anything_else_is_made_of_them(app, monkeypatch, sample):
    order = logged(monkeypatch, (photo_reading, "_read"), (photos_tab, "show_answer"), (photo_reading, "stability"))
    upload_photos(app, *((f"{number}.jpg", sample.read_bytes() + bytes([number])) for number in range(3)))
    assert order == ["_read", "show_answer"] * 3 + ["stability"] * 3


def test_the_answer_stays_where_the_stability_cannot_be_measured(app, monkeypatch):
    def fail(*given):
        raise ZeroDivisionError

    monkeypatch.setattr(photo_reading, "stability", fail)
    app.switch_page("pages/predict.py").run()
    app.button(key="sample_astronaut").click().run()
    assert not app.exception and "Happy" in words(app) and "Something went wrong" in app.error[0].value
    assert len(faces_shown(app)) == 1


def test_one_photo_that_fails_unforeseen_does_not_stop_the_others(app, monkeypatch, sample):
    real = photo_reading.read_photo

    def read(photo, *given, **named):
        if photo.name == "b.jpg":
            raise ZeroDivisionError
        return real(photo, *given, **named)

    monkeypatch.setattr(photo_reading, "read_photo", read)
    upload_photos(app, *((name, sample.read_bytes()) for name in ("a.jpg", "b.jpg", "c.jpg")))
    assert len(app.error) == 1 and "Something went wrong" in app.error[0].value
    assert [row["face"] for row in faces_shown(app)] == ["a.jpg, face 1", "c.jpg, face 1"]


def test_as_many_photos_as_are_taken_are_read_once_and_kept_small(app, monkeypatch, tmp_path, sample):
    from PIL import Image

    recognizer, read = resources.recognizer(ShippedModel(DEFAULT_MODEL)), []
    predict = recognizer.predict
    monkeypatch.setattr(recognizer, "predict", lambda *arguments: read.append(1) or predict(*arguments))
    Image.fromarray(np.zeros((2000, 3000, 3), np.uint8)).save(tmp_path / "large.png")
    flat = np.zeros((32, 32, 3), np.uint8)
    files = [("face.jpg", sample.read_bytes()), ("large.png", (tmp_path / "large.png").read_bytes())]
    for number in range(limits().photos - 2):
        flat[0, 0] = number
        Image.fromarray(flat).save(tmp_path / "small.png")
        files.append((f"{number}.png", (tmp_path / "small.png").read_bytes()))
    upload_photos(app, *files)
    app.run()
    app.run()
    assert not app.exception and len(read) == limits().photos
    kept = app.session_state["photo_results"].values()
    bytes_kept = sum(
        len(reading.picture) + sum(len(picture) for strip in reading.strips.values() for picture in strip.values())
        for reading in kept
    )
    assert bytes_kept < 5e6 and not any(
        isinstance(value, np.ndarray) for reading in kept for value in vars(reading).values()
    )


def test_a_photo_without_a_face_offers_the_whole_picture(app, tmp_path):

    Image.new("RGB", (200, 150), "tan").save(tmp_path / "flat.png")
    upload_photos(app, ("flat.png", (tmp_path / "flat.png").read_bytes()))
    assert "No face found" in words(app) and not faces_shown(app)
    (offer,) = [button for button in app.button if button.label.startswith("Treat the whole")]
    offer.click().run()
    assert not app.exception and len(faces_shown(app)) == 1
    (back,) = [button for button in app.button if button.label.startswith("Look for faces")]
    back.click().run()
    assert "No face found" in words(app)


def test_not_sure_tells_the_set(app, monkeypatch, sample):
    recognizer = resources.recognizer(ShippedModel(DEFAULT_MODEL))
    monkeypatch.setattr(recognizer, "card", replace(recognizer.card, threshold=0.999))
    upload_photos(app, ("other.jpg", sample.read_bytes()))
    assert "Not sure" in words(app) and "**Happy.**" in words(app)  # a set of one


def test_page_command_line_and_library_answer_alike_and_say_how_a_photo_was_read(app, tmp_path, capsys):
    """Turned without EXIF, a JPEG that is a little short, a face of 48 pixels."""
    portrait = Image.open(ROOT / "fer" / "app" / "samples" / "astronaut.jpg")
    portrait.rotate(180).save(tmp_path / "a.png")
    portrait.crop((170, 60, 280, 190)).resize((48, 48)).save(tmp_path / "b.png")
    (tmp_path / "c.jpg").write_bytes((ROOT / "fer" / "app" / "samples" / "astronaut.jpg").read_bytes()[:-2])
    upload_photos(app, *((file.name, file.read_bytes()) for file in sorted(tmp_path.iterdir())))
    results = {reading.photo.name: reading for reading in app.session_state["photo_results"].values()}
    readings = [results[file.name] for file in sorted(tmp_path.iterdir())]
    assert main(["predict", str(tmp_path), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = " ".join(caption.value for caption in app.caption)
    for reading, row in zip(readings, rows, strict=True):
        shown = reading.to_json()
        assert {key: shown[key] for key in ("width", "height", "rotation", "notes", "error")} == {
            key: row[key] for key in ("width", "height", "rotation", "notes", "error")
        }
        for mine, theirs in zip(shown["faces"], row["faces"], strict=True):
            assert {**mine, "stability": 0} == {**theirs, "stability": 0}
        assert row["notes"][0][:20] in told
    assert [row["rotation"] for row in rows] == [180, 0, 0]
    faces = fer.load(DEFAULT_MODEL).predict(read_image(tmp_path / "a.png"))
    assert [face.to_json() for face in faces] == rows[0]["faces"]
