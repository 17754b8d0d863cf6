"""Predict's snapshot by AppTest."""

from __future__ import annotations

from tests.app.helpers import open_view, words


def test_a_snapshot_is_read_like_a_photo(app, sample):
    open_view(app, "camera")
    assert not app.exception and "your browser asks" in words(app)
    (camera,) = app.get("camera_input")
    assert camera is not None


def test_explain_opens_on_a_new_snapshot(app, sample):
    app.session_state["explained_face"] = "a photo of before"
    open_view(app, "camera")
    app.get("camera_input")[0].set_value(("snapshot.jpg", sample.read_bytes(), "image/jpeg")).run()
    assert app.session_state["explained_face"] is None
