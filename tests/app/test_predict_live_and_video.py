"""Predict's other views by AppTest: the stream's component patched, videos made here."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import fer
from fer.app.predict import live_tab, video_job, webcam
from fer.app.predict.browser import component as browser_component
from fer.app.predict.browser import state
from fer.app.server import visitors
from fer.app.session import PREDICT_TABS, PREDICT_VIEWS
from fer.errors import FerError, WeightsError
from fer.inference.recording import Row
from fer.vision.detection import load_detector
from fer.vision.video import VideoWriter
from tests.app.test_predict import words
from tests.conftest import ROOT
from tests.inference.test_video import portrait


@pytest.fixture
def component(monkeypatch):
    """In the component's place: what it was asked, and what the browser would have said."""
    said = SimpleNamespace(calls=[], signalling=False, playing=False)

    def streamer(key, mode, **options):
        said.calls.append(options)
        return SimpleNamespace(state=SimpleNamespace(signalling=said.signalling, playing=said.playing))

    monkeypatch.setattr(webcam, "webrtc_streamer", streamer)
    return said


@pytest.fixture
def app(monkeypatch, offline, component):
    monkeypatch.chdir(ROOT)
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()


def open_view(app, name: str):
    app.session_state["wanted_predict_view"] = name
    return app.switch_page("pages/predict.py").run()


def button(app, key: str):
    return app.button(key=key)


def stream_of(app):
    return app.session_state["live_stream"]


def feed(app, frame: np.ndarray, count: int = 3) -> None:
    for _ in range(count):
        stream_of(app).analyzer(frame)


def test_live_starts_shows_people_records_and_stops(app, component):
    open_view(app, "live")
    assert not app.exception and component.calls[-1]["desired_playing_state"] is False
    button(app, "live_start").click().run()
    options = component.calls[-1]
    assert options["desired_playing_state"] is True and options["async_processing"] is True
    assert options["media_stream_constraints"]["audio"] is False
    assert options["media_stream_constraints"]["video"]["width"] == {"ideal": 640}
    assert "Waiting for the camera" in app.info[0].value
    feed(app, portrait("astronaut.jpg"))
    app.run()
    assert not app.exception and "Happy" in words(app) and "frames a second" in words(app)
    button(app, "record_start").click().run()
    feed(app, portrait("astronaut.jpg"), 5)
    app.run()
    button(app, "record_stop").click().run()
    app.run()
    assert not app.exception and any(one.value == "Your recording" for one in app.header)
    button(app, "live_stop").click().run()
    assert component.calls[-1]["desired_playing_state"] is False
    assert any(one.value == "Your recording" for one in app.header)


def test_the_callback_is_a_thin_adapter(app):
    import av

    open_view(app, "live")
    frame = av.VideoFrame.from_ndarray(portrait("astronaut.jpg"), format="rgb24").reformat(format="yuv420p")
    answer = webcam.callback_of(stream_of(app).analyzer)(frame)
    assert (answer.width, answer.height) == (320, 240) and stream_of(app).analyzer.state().frames == 1
    large = av.VideoFrame.from_ndarray(np.zeros((200, 2560, 3), np.uint8), format="rgb24")
    answer = webcam.callback_of(stream_of(app).analyzer)(large)
    assert (answer.width, answer.height) == (1280, 100)
    gray = av.VideoFrame.from_ndarray(np.zeros((101, 203), np.uint8), format="gray")
    assert webcam.callback_of(stream_of(app).analyzer)(gray).width == 202  # H.264 needs even sides
    assert webcam.callback_of(stream_of(app).analyzer, wanted=lambda: False)(large) is large  # no Start, no reading
    broken = SimpleNamespace(width=0, height=0)
    assert webcam.callback_of(stream_of(app).analyzer)(broken) is broken
    assert stream_of(app).analyzer.state().failures == 1


def test_choices_reach_the_running_stream(app):
    open_view(app, "live")
    button(app, "live_start").click().run()
    feed(app, portrait("astronaut.jpg"))
    analyzer = stream_of(app).analyzer
    before = analyzer._follower.recognizer
    app.slider(key="live_smoothing").set_value(1.5)
    app.checkbox(key="live_mirror").uncheck()
    app.sidebar.selectbox(key="model_widget").select(
        next(name for name in ("compact", "mini_xception") if name != before.name)
    ).run()
    app.run()
    assert not app.exception and stream_of(app).analyzer is analyzer  # the stream went on
    assert analyzer.settings.smoothing_s == 1.5 and not analyzer.settings.mirror
    assert analyzer._follower.recognizer.name != before.name


def test_the_evidence_overlay_is_loaded_when_it_is_switched_on(app):
    open_view(app, "live")
    button(app, "live_start").click().run()
    assert not stream_of(app).drawer.has_heat
    frame = portrait("astronaut.jpg")
    feed(app, frame)
    plain = stream_of(app).analyzer(frame)
    (parts,) = [group for group in app.get("button_group") if group.key == "live_parts"]
    parts.set_value(["heat"]).run()
    assert not app.exception and stream_of(app).drawer.has_heat
    app.run()
    feed(app, frame)
    assert stream_of(app).analyzer.state().failures == 0
    assert not np.array_equal(stream_of(app).analyzer(frame), plain)


def test_leaving_the_tab_stops_the_camera_and_its_recording_is_not_lost(app, component):
    open_view(app, "live")
    button(app, "live_start").click().run()
    feed(app, portrait("astronaut.jpg"))
    app.run()
    button(app, "record_start").click().run()
    feed(app, portrait("astronaut.jpg"), 5)
    app.session_state[PREDICT_TABS] = PREDICT_VIEWS["photos"]
    app.run()
    assert not app.exception and component.calls[-1]["desired_playing_state"] is False
    open_view(app, "live")
    assert any(one.value == "Your recording" for one in app.header)


def test_frames_that_fail_and_parts_that_cannot_be_drawn_are_told(app, component, monkeypatch):
    open_view(app, "live")
    button(app, "live_start").click().run()
    feed(app, portrait("astronaut.jpg"))
    real = stream_of(app).analyzer._draw
    monkeypatch.setattr(stream_of(app).analyzer, "_draw", lambda *given: 1 / 0)
    feed(app, portrait("astronaut.jpg"), 2)
    app.run()
    assert any("2 frames could not be read (ZeroDivisionError)" in one.value for one in app.warning)
    monkeypatch.setattr(stream_of(app).analyzer, "_draw", real)
    app.sidebar.selectbox(key="detector_widget").select("hog").run()
    app.button_group(key="live_parts").set_value(["boxes", "landmarks"]).run()
    assert not app.exception and any("YuNet alone" in one.value for one in app.caption)


@pytest.fixture
def placed(monkeypatch):
    """In the component's place: what it was given, and what the browser would say in a handler."""
    given = SimpleNamespace(calls=[], says={})

    def place(model, settings, wanted, **handlers):
        given.calls.append(SimpleNamespace(model=model, settings=settings, wanted=wanted, handlers=handlers))

    monkeypatch.setattr(browser_component, "place", place)
    monkeypatch.setattr(browser_component, "said", given.says.get)
    monkeypatch.setattr(browser_component, "why_not", lambda: "")
    return given


def test_on_ones_own_machine_the_server_reads_until_the_visitor_chooses(app, placed):
    open_view(app, "live")
    assert not app.exception and not placed.calls and button(app, "live_start")
    app.button_group(key="live_place_widget").set_value("browser").run()
    assert not app.exception and placed.calls[-1].wanted and placed.calls[-1].model["name"] == "compact"
    assert placed.calls[-1].settings.mirror and not any(one.key == "live_start" for one in app.button)
    app.slider(key="live_smoothing").set_value(1.0).run()
    assert placed.calls[-1].settings.smoothing_s == 1.0
    app.session_state["wanted_predict_view"] = "photos"
    app.run()
    count = len(placed.calls)
    open_view(app, "live")
    assert len(placed.calls) > count  # the choice is kept


def test_on_a_shared_demo_the_browser_reads_and_a_broken_model_changes_nothing(app, placed, monkeypatch):
    monkeypatch.setenv("FER_HOSTED", "1")
    open_view(app, "live")
    assert not app.exception and placed.calls[-1].model["name"] == "compact"
    monkeypatch.setattr(
        browser_component, "model", lambda name, label: (_ for _ in ()).throw(WeightsError("It is damaged."))
    )
    app.run()
    assert "damaged" in app.error[0].value and placed.calls[-1].model["name"] == "compact"


def test_a_browser_that_cannot_read_is_told_why_and_the_server_takes_over(app, placed, monkeypatch):
    monkeypatch.setenv("FER_HOSTED", "1")
    app.session_state["browser_unfit"], app.session_state["live_place"] = "wasm", "server"
    open_view(app, "live")
    assert not placed.calls and "no WebAssembly" in app.warning[0].value and button(app, "live_start")
    assert "Frames go to this server" in words(app)


def test_without_it_the_page_says_so_and_the_server_reads(app):
    open_view(app, "live")
    assert any("not offered" in one.value for one in app.caption) and button(app, "live_start")


def test_a_recording_goes_on_being_drawn_after_its_tab_was_left(app, placed):
    open_view(app, "live")
    app.session_state["browser_recording"] = state.BrowserRecording("a")
    app.session_state["wanted_predict_view"] = "photos"
    app.run()
    assert not app.exception and placed.calls and not placed.calls[-1].wanted
    app.session_state["browser_recording"].rows.append(
        Row(0.5, 1, "happy", True, (0, 0, 0, 1, 0, 0, 0), (1, 2, 30, 40))
    )
    app.switch_page("pages/evaluate.py").run()
    assert len(app.session_state["live_recording"]) == 1


def test_leaving_the_page_ends_the_stream_and_keeps_the_recording(app, component):
    open_view(app, "live")
    button(app, "live_start").click().run()
    stream = stream_of(app)
    feed(app, portrait("astronaut.jpg"))
    app.run()
    button(app, "record_start").click().run()
    feed(app, portrait("astronaut.jpg"), 5)
    elsewhere = AppTest.from_file(str(ROOT / "pages" / "evaluate.py"), default_timeout=60)
    elsewhere.session_state["live_stream"] = stream
    elsewhere.run()
    assert not stream.wanted and len(elsewhere.session_state["live_recording"]) == 5


def test_a_detector_that_cannot_be_had_leaves_the_stream_as_it_was(app, component, monkeypatch):
    open_view(app, "live")
    button(app, "live_start").click().run()
    feed(app, portrait("astronaut.jpg"))
    placed = len(component.calls)

    real = live_tab.resources.detector

    def detector(name):
        if name == "yunet":
            raise FerError("YuNet's file is not here.")
        return real(name)

    monkeypatch.setattr(live_tab.resources, "detector", detector)
    app.sidebar.selectbox(key="detector_widget").select("yunet").run()
    assert "YuNet" in app.error[0].value and len(component.calls) > placed and stream_of(app).wanted
    assert component.calls[-1]["desired_playing_state"] is True


def test_a_component_that_fails_leads_to_the_snapshot(app, component, monkeypatch):
    open_view(app, "live")
    button(app, "live_start").click().run()
    monkeypatch.setattr(webcam, "webrtc_streamer", lambda *given, **named: 1 / 0)
    app.run()
    assert not app.exception and not stream_of(app).wanted and app.warning


@pytest.mark.parametrize(("signalling", "said"), [(False, "No picture came from the camera"), (True, "no way from")])
def test_a_stream_that_does_not_start_leads_to_the_snapshot(app, component, monkeypatch, signalling, said):
    open_view(app, "live")
    button(app, "live_start").click().run()
    component.signalling = signalling
    app.run()
    stream_of(app).since_s -= webcam.START_WITHIN_S + 1
    app.run()
    app.run()
    assert not app.exception and not stream_of(app).wanted
    assert said in app.warning[0].value.replace("\\", "")
    button(app, "live_again").click().run()
    assert not app.warning and button(app, "live_start")


def test_without_https_live_says_so_at_once(app, component, monkeypatch):
    open_view(app, "live")
    monkeypatch.setattr(webcam, "secure", lambda: False)
    button(app, "live_start").click().run()
    app.run()
    assert not stream_of(app).wanted and "https" in app.warning[0].value


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://fer.example.org/predict", True),
        ("http://localhost:8501/", True),
        ("http://[::1]:8501/", True),
        ("http://127.0.0.1:8501/predict", True),
        ("http://192.168.0.7:8501/", False),
        ("http://localhost.evil.org/", False),
    ],
)
def test_where_browsers_give_a_camera(monkeypatch, address, safe):
    monkeypatch.setattr(webcam.st, "context", SimpleNamespace(url=address))
    assert webcam.secure() is safe


def test_a_snapshot_is_read_like_a_photo(app, sample):
    open_view(app, "camera")
    assert not app.exception and "Your browser asks" in words(app)
    (camera,) = app.get("camera_input")
    assert camera is not None


def test_explain_opens_on_a_new_snapshot(app, sample):
    app.session_state["explained_face"] = "a photo of before"
    open_view(app, "camera")
    app.get("camera_input")[0].set_value(("snapshot.jpg", sample.read_bytes(), "image/jpeg")).run()
    assert app.session_state["explained_face"] is None


def video(tmp_path, frames: int = 12, wall: bool = False) -> bytes:
    with VideoWriter(tmp_path / "video.mp4", 320, 240, 10) as writer:
        for index in range(frames):
            writer.write(np.full((240, 320, 3), 90, np.uint8) if wall else portrait("astronaut.jpg"), index / 10)
    return (tmp_path / "video.mp4").read_bytes()


def put_in(app, data: bytes, name: str = "video.mp4"):
    open_view(app, "video")
    app.file_uploader(key="video_upload").set_value([(name, data, "video/mp4")]).run()
    return app


def wait(app):
    for _ in range(300):
        if app.session_state["video_job"].finished:
            return app.run()
        time.sleep(0.1)
    raise AssertionError("the video was not read in 30 s")


def test_a_video_is_read_and_offered(app, tmp_path):
    put_in(app, video(tmp_path), "<b>my</b> video.mp4")
    wait(app)
    assert not app.exception and not app.error
    assert "12 frames" in words(app) and "\\<b\\>my" in words(app)
    assert [one.value for one in app.header] == ["Who showed what when", "Strongest moments"]
    assert len(app.get("download_button")) == 3
    job = app.session_state["video_job"]
    app.sidebar.selectbox(key="model_widget").select(
        next(name for name in ("compact", "mini_xception") if name != job.model)
    ).run()
    assert app.session_state["video_job"] is job and "Now it would be read by" in words(app)
    button(app, "video_again").click().run()
    wait(app)
    assert app.session_state["video_job"].model != job.model
    assert "Now it would be read by" not in words(app)
    app.sidebar.selectbox(key="detector_widget").select("haar").run()
    button(app, "video_again").click().run()
    wait(app)
    assert app.session_state["video_job"].key[2] == "haar"


def test_a_video_in_progress_can_be_cancelled(app, tmp_path, monkeypatch):
    real = video_job.read_video
    monkeypatch.setattr(video_job, "read_video", lambda *given: time.sleep(0.5) or real(*given))
    put_in(app, video(tmp_path, 60))
    assert app.button(key="video_cancel")
    app.button(key="video_cancel").click().run()
    wait(app)
    assert not app.exception and any("Cancelled" in one.value for one in app.info)
    app.run()
    assert app.session_state["video_job"].finished  # it does not begin again by itself
    monkeypatch.setattr(video_job, "read_video", real)
    button(app, "video_again").click().run()
    wait(app)
    assert "60 frames" in words(app)


def test_a_video_that_is_taken_out_is_forgotten(app, tmp_path):
    put_in(app, video(tmp_path))
    wait(app)
    app.file_uploader(key="video_upload").set_value([]).run()
    assert app.session_state["video_job"] is None and not app.get("download_button")


def test_a_video_of_a_visitor_who_left_ends(tmp_path):
    job = video_job.VideoJob(("key",), "video.mp4", "compact")
    job.start(video(tmp_path), fer.load(), load_detector("hog"), 10, wanted=lambda: False)
    assert job._finished.wait(20) and (job.result is None or job.result.cancelled)


@pytest.mark.parametrize(("data", "said"), [(b"", "empty"), (b"not a video" * 50, "not a video")])
def test_a_bad_video_is_a_sentence(app, data, said):
    put_in(app, data)
    wait(app)
    assert not app.exception and said in app.error[0].value


def test_a_video_without_faces_says_so(app, tmp_path):
    put_in(app, video(tmp_path, wall=True))
    wait(app)
    assert not app.exception and any("No face was found" in one.value.replace("\\", "") for one in app.info)


def test_an_unforeseen_failure_is_a_sentence(app, tmp_path, monkeypatch):
    monkeypatch.setattr(video_job, "read_video", lambda *given: 1 / 0)
    put_in(app, video(tmp_path))
    wait(app)
    assert "Something went wrong" in app.error[0].value and not app.exception


def test_the_sample_video_is_in_reach(app):
    open_view(app, "video")
    button(app, "take_sample_video").click().run()
    wait(app)
    assert not app.exception and "90 frames" in words(app)


def test_the_second_click_of_two_loses_no_recording(monkeypatch):
    kept, rows = [], [1, 2]
    analyzer = SimpleNamespace(
        state=lambda: SimpleNamespace(recording=bool(rows)),
        stop_recording=lambda: [rows.pop() for _ in range(len(rows))],
    )
    monkeypatch.setattr(live_tab.session, "live", lambda: SimpleNamespace(analyzer=analyzer, wanted=True))
    monkeypatch.setattr(live_tab.session, "keep_recording", kept.append)
    monkeypatch.setattr(live_tab.session, "ask_for_rerun", lambda: None)
    live_tab._stop_recording()
    live_tab._stop_recording()
    assert kept == [[2, 1]]
    monkeypatch.setattr(live_tab.webcam, "busy", lambda: 1 / 0)
    live_tab._start()  # it runs already: nothing is asked or changed


def test_a_video_whose_file_is_gone_keeps_its_result(app, tmp_path):
    put_in(app, video(tmp_path))
    wait(app)
    job = app.session_state["video_job"]
    app.switch_page("pages/evaluate.py").run()
    app.sidebar.selectbox(key="model_widget").select(
        next(name for name in ("compact", "mini_xception") if name != job.model)
    ).run()
    open_view(app, "video")
    assert not app.exception and app.session_state["video_job"] is job and len(app.get("download_button")) == 3
    assert "put the video in once more" in words(app) and not [one for one in app.button if one.key == "video_again"]


def test_a_broken_connection_ends_no_video_at_once(monkeypatch):
    now = [100.0]
    instance = SimpleNamespace(is_active_session=lambda session: session in active)
    active = {"one"}
    monkeypatch.setattr(visitors, "get_script_run_ctx", lambda: SimpleNamespace(session_id="one"))
    monkeypatch.setattr(visitors.runtime, "exists", lambda: True)
    monkeypatch.setattr(visitors.runtime, "get_instance", lambda: instance)
    monkeypatch.setattr(visitors.time, "monotonic", lambda: now[0])
    patient, strict = visitors.still_there(60), visitors.still_there()
    active.clear()
    assert patient() and not strict()
    now[0] += 59
    assert patient()
    active.add("one")
    assert patient()  # back again
    active.clear()
    now[0] += 59
    assert patient()
    now[0] += 2
    assert not patient()
