"""What Predict remembers of a visitor, and what it lets go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer.app.predict import photo_input, state
from fer.limits import OPEN
from tests.app.helpers import control, faces_shown, open_view, photo_uploader, upload_here, upload_photos, words


def names(app) -> list[str]:
    return [photo.name for photo in app.session_state["photos"]]


def read(app) -> set[str]:
    return {reading.photo.name for reading in app.session_state["photo_results"].values()}


def press(app, label: str):
    next(button for button in app.button if button.label == label).click().run()
    return app


@pytest.fixture
def two(app, sample):
    """Two photos that were uploaded one after the other."""
    upload_photos(app, ("one.jpg", sample.read_bytes() + b"one"))
    return upload_here(app, ("two.jpg", sample.read_bytes() + b"two"))


def test_photos_and_what_was_read_of_them_stay_over_page_changes(app, unmeasured, two, monkeypatch):
    assert names(app) == ["two.jpg", "one.jpg"] and not photo_uploader(app).value
    before = faces_shown(app)
    monkeypatch.setattr("fer.app.predict.photo_reading._read", None)  # nothing is read anew
    for page in ("pages/explain.py", "streamlit_app.py", "pages/predict.py"):
        app.switch_page(page).run()
        assert not app.exception and not app.error
    assert names(app) == ["two.jpg", "one.jpg"] and faces_shown(app) == before


def test_a_photo_that_is_removed_leaves_nothing_behind(app, unmeasured, two):
    press(app, "Explain this face")
    assert app.session_state["explained_face"].photo.name == "two.jpg" and len(app.session_state["explain_jobs"]) == 1
    app.switch_page("pages/predict.py").run()
    next(button for button in app.button if "two" in button.label and "Remove" in button.label).click().run()
    assert names(app) == ["one.jpg"] and [row["face"] for row in faces_shown(app)] == ["Face 1"]
    assert "two.jpg" not in read(app)
    assert app.session_state["explained_face"] is None and not app.session_state["explain_jobs"]
    upload_here(app, ("three.jpg", b"no picture"))
    assert len(app.error) == 1
    press(app, "Remove all")
    assert not names(app) and not app.error and not faces_shown(app) and "one.jpg" not in read(app)


def test_the_same_face_is_explained_on_the_way_back(app, unmeasured, two):
    [*_, older] = [button for button in app.button if button.label == "Explain this face"]
    older.click().run()
    for page in ("pages/predict.py", "pages/explain.py"):
        app.switch_page(page).run()
        assert not app.exception and app.session_state["explained_face"].photo.name == "one.jpg"
    press(app, "Back to this photo in Predict")
    assert app.title[0].value == "Predict" and names(app) == ["one.jpg", "two.jpg"]
    assert app.session_state["explained_face"].photo.name == "one.jpg"


def test_explain_opens_on_what_was_put_in_last(app, unmeasured, two):
    app.switch_page("pages/explain.py").run()
    assert app.session_state["explain_jobs"] and not app.exception
    ((reading, _),) = app.session_state["explain_jobs"]
    assert app.session_state["photos"][0].key == reading[0]


def test_what_has_no_room_leaves_and_is_named(app, sample, monkeypatch):
    portrait = sample.read_bytes()
    few = replace(OPEN, session_bytes=int(2.5 * len(portrait)))
    monkeypatch.setattr(state, "limits", lambda: few)
    monkeypatch.setattr(photo_input, "limits", lambda: few)
    upload_photos(app, ("a.jpg", portrait), ("b.jpg", portrait))
    assert names(app) == ["a.jpg", "b.jpg"] and not app.warning
    upload_here(app, ("c.jpg", portrait))
    assert names(app) == ["c.jpg", "a.jpg"]
    assert len(app.warning) == 1 and "b\\.jpg" in app.warning[0].value and "a\\.jpg" not in app.warning[0].value
    assert read(app) == {"a.jpg", "c.jpg"}
    upload_here(app, ("a.jpg", portrait))  # it is there already
    assert names(app) == ["a.jpg", "c.jpg"] and not app.warning


def test_streamlit_does_not_hold_what_was_taken_over(app, sample, monkeypatch):
    freed = []
    monkeypatch.setattr("fer.app.server.setup.let_go", lambda upload: freed.append(upload.name))
    upload_photos(app, ("a.jpg", sample.read_bytes()), ("b.jpg", b"x"))
    assert freed == ["a.jpg", "b.jpg"]


def test_the_tab_that_was_open_opens_again(app):
    open_view(app, "camera")
    app.switch_page("streamlit_app.py").run()
    app.switch_page("pages/predict.py").run()
    assert app.session_state[state.TABS] == "Camera" and "when your browser asks" in words(app)


def test_the_snapshot_stays_until_it_is_removed(app, unmeasured, sample):
    open_view(app, "camera")
    app.get("camera_input")[0].set_value(("snapshot.jpg", sample.read_bytes(), "image/jpeg")).run()
    app.switch_page("streamlit_app.py").run()
    app.switch_page("pages/predict.py").run()
    assert "Happy" in words(app) and not app.exception
    press(app, "Explain this face")
    press(app, "Back to this photo in Predict")
    assert app.session_state[state.TABS] == "Camera" and not names(app)
    press(app, "Remove the snapshot")
    assert "Happy" not in words(app) and "snapshot.jpg" not in read(app)


def test_settings_of_the_live_view_stay(app, component):
    open_view(app, "live")
    control(app, "live_parts").set_value(["boxes"]).run()
    app.slider(key="live_smoothing").set_value(1.0).run()
    app.switch_page("streamlit_app.py").run()
    app.switch_page("pages/predict.py").run()
    assert control(app, "live_parts").value == ["boxes"] and app.slider(key="live_smoothing").value == 1.0


def test_a_sample_of_the_address_is_opened_once(app):
    app.switch_page("pages/predict.py").run()
    app.query_params["sample"] = "grace-hopper"
    app.run()
    assert names(app) == ["grace-hopper.jpg"] and app.query_params["sample"] == "grace-hopper"
    press(app, next(button.label for button in app.button if button.label.startswith("Remove ")))
    assert not names(app) and "sample" not in app.query_params
    app.query_params["sample"] = "nobody"
    app.run()
    assert not names(app) and not app.exception
