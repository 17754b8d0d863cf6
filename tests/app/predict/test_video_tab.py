"""Predict's videos by AppTest, made here."""

from __future__ import annotations

import threading

import pytest

from fer.app.predict import video_job
from tests.app.helpers import await_video, make_video, open_view, upload_video, words


def test_a_video_is_read_and_offered(app, tmp_path):
    upload_video(app, make_video(tmp_path), "<b>my</b> video.mp4")
    await_video(app)
    assert not app.exception and not app.error
    assert "12 frames" in words(app) and "no sound" in words(app) and "\\<b\\>my" in words(app)
    assert [one.value for one in app.header] == ["Who showed what when", "Strongest moments"]
    assert len(app.get("download_button")) == 3
    job = app.session_state["video_job"]
    app.sidebar.selectbox(key="model_widget").select(
        next(name for name in ("compact", "mini_xception") if name != job.model.name)
    ).run()
    assert app.session_state["video_job"] is job and "Now it would be read by" in words(app)
    app.button(key="video_again").click().run()
    await_video(app)
    assert app.session_state["video_job"].model != job.model
    assert "Now it would be read by" not in words(app)
    app.sidebar.selectbox(key="detector_widget").select("haar").run()
    app.button(key="video_again").click().run()
    await_video(app)
    assert app.session_state["video_job"].key[2] == "haar"


def test_a_video_in_progress_can_be_cancelled(app, tmp_path, monkeypatch):
    real, cancelled = video_job.read_video, threading.Event()
    monkeypatch.setattr(video_job, "read_video", lambda *given: cancelled.wait(30) and real(*given))
    upload_video(app, make_video(tmp_path, 60))
    assert app.button(key="video_cancel")
    app.button(key="video_cancel").click().run()
    cancelled.set()
    await_video(app)
    assert not app.exception and any("Cancelled" in one.value for one in app.info)
    app.run()
    assert app.session_state["video_job"].finished  # it does not begin again by itself
    monkeypatch.setattr(video_job, "read_video", real)
    app.button(key="video_again").click().run()
    await_video(app)
    assert "60 frames" in words(app)


def test_a_video_that_is_taken_out_is_forgotten(app, tmp_path):
    upload_video(app, make_video(tmp_path))
    await_video(app)
    app.file_uploader(key="video_upload").set_value([]).run()
    assert app.session_state["video_job"] is None and not app.get("download_button")


@pytest.mark.parametrize(("data", "said"), [(b"", "empty"), (b"not a video" * 50, "not a video")])
def test_a_bad_video_is_a_sentence(app, data, said):
    upload_video(app, data)
    await_video(app)
    assert not app.exception and said in app.error[0].value


def test_a_video_without_faces_says_so(app, tmp_path):
    upload_video(app, make_video(tmp_path, wall=True))
    await_video(app)
    assert not app.exception and any("No face was found" in one.value.replace("\\", "") for one in app.info)


def test_an_unforeseen_failure_is_a_sentence(app, tmp_path, monkeypatch):
    monkeypatch.setattr(video_job, "read_video", lambda *given: 1 / 0)
    upload_video(app, make_video(tmp_path))
    await_video(app)
    assert "Something went wrong" in app.error[0].value and not app.exception


def test_the_sample_video_is_in_reach(app):
    open_view(app, "video")
    app.button(key="take_sample_video").click().run()
    await_video(app)
    assert not app.exception and "90 frames" in words(app)


def test_a_video_whose_file_is_gone_keeps_its_result(app, tmp_path):
    upload_video(app, make_video(tmp_path))
    await_video(app)
    job = app.session_state["video_job"]
    app.switch_page("pages/evaluate.py").run()
    app.sidebar.selectbox(key="model_widget").select(
        next(name for name in ("compact", "mini_xception") if name != job.model.name)
    ).run()
    open_view(app, "video")
    assert not app.exception and app.session_state["video_job"] is job and len(app.get("download_button")) == 3
    assert "put the video in once more" in words(app) and not [one for one in app.button if one.key == "video_again"]
