"""Predict's snapshot by AppTest."""

from __future__ import annotations

from tests.app.helpers import open_view, words


def test_a_snapshot_is_read_like_a_photo(app, sample):
    open_view(app, "camera")
    assert not app.exception and "your browser asks" in words(app)
    (camera,) = app.get("camera_input")
    assert camera is not None


def test_streamlit_lets_a_snapshot_go_when_another_takes_its_place_or_it_is_removed(app, sample, monkeypatch):
    freed = []
    monkeypatch.setattr("fer.app.server.setup.let_go", lambda upload: freed.append(upload.name))
    for name in ("one.jpg", "two.jpg"):
        open_view(app, "camera").get("camera_input")[0].set_value((name, sample.read_bytes(), "image/jpeg")).run()
        app.switch_page("pages/evaluate.py").run()
    assert freed == ["one.jpg"]
    open_view(app, "camera")
    next(button for button in app.button if button.label == "Remove the snapshot").click().run()
    assert not app.exception and freed == ["one.jpg", "two.jpg"]


def test_explain_opens_on_a_new_snapshot(app, sample):
    app.session_state["explained_face"] = "a photo of before"
    open_view(app, "camera")
    app.get("camera_input")[0].set_value(("snapshot.jpg", sample.read_bytes(), "image/jpeg")).run()
    assert app.session_state["explained_face"] is None
