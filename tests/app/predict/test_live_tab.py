"""Predict's live view by AppTest, the stream's component patched."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer.app.predict import live_tab, state, webcam
from fer.errors import FerError
from tests.app.helpers import feed, open_view, stream_of, words
from tests.conftest import ROOT
from tests.inference.test_video import portrait
from tests.waiting import wait_for


def test_live_starts_shows_people_records_and_stops(app, component):
    open_view(app, "live")
    assert not app.exception and component.calls[-1]["desired_playing_state"] is False
    app.button(key="live_start").click().run()
    options = component.calls[-1]
    assert options["desired_playing_state"] is True and options["async_processing"] is True
    assert options["media_stream_constraints"]["audio"] is False
    assert options["media_stream_constraints"]["video"]["width"] == {"ideal": 640}
    assert "Waiting for the camera" in app.info[0].value
    feed(app, portrait("astronaut.jpg"))
    app.run()
    assert not app.exception and "Happy" in words(app) and "frames per second" in words(app)
    app.button(key="record_start").click().run()
    feed(app, portrait("astronaut.jpg"), 1)
    assert "(1 reading)" in app.run().button(key="record_stop").label
    feed(app, portrait("astronaut.jpg"), 4)
    assert "(5 readings)" in app.run().button(key="record_stop").label
    app.button(key="record_stop").click().run()
    app.run()
    assert not app.exception and any(one.value == "Your recording" for one in app.header)
    app.button(key="live_stop").click().run()
    assert component.calls[-1]["desired_playing_state"] is False
    assert any(one.value == "Your recording" for one in app.header)


def test_a_camera_wanted_while_its_component_loads_starts_when_that_has_loaded(app, component):
    component.loaded = False
    open_view(app, "live")
    app.button(key="live_start").click().run()
    assert component.calls[-1]["desired_playing_state"] is False and app.button(key="live_stop")
    component.loaded = True
    app.run()
    app.run()
    assert not app.exception and component.calls[-1]["desired_playing_state"] is True


@pytest.mark.parametrize("opened", [False, True])
def test_a_camera_that_is_not_yet_open_loses_its_component_at_stop(app, component, opened):
    """A prompt that is answered later opens no camera; one that is open is closed by the component itself."""
    open_view(app, "live")
    app.button(key="live_start").click().run()
    asking = component.calls[-1]["key"]
    component.signalling = opened
    app.run()
    assert component.calls[-1]["key"] == asking
    app.button(key="live_stop").click().run()
    assert component.calls[-1]["desired_playing_state"] is False
    assert (component.calls[-1]["key"] == asking) == opened


def test_choices_reach_the_running_stream(app):
    open_view(app, "live")
    app.button(key="live_start").click().run()
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
    app.button(key="live_start").click().run()
    assert not stream_of(app).drawer.has_heat
    frame = portrait("astronaut.jpg")
    feed(app, frame)
    (parts,) = [group for group in app.get("button_group") if group.key == "live_parts"]
    parts.set_value(["heat"]).run()
    assert not app.exception and stream_of(app).drawer.has_heat
    app.run()
    boxed = stream_of(app).analyzer(frame)
    wait_for(lambda: not np.array_equal(stream_of(app).analyzer(frame), boxed))  # its first map has come
    assert stream_of(app).analyzer.state().failures == 0


def test_leaving_the_tab_stops_the_camera_and_its_recording_is_not_lost(app, component):
    open_view(app, "live")
    app.button(key="live_start").click().run()
    feed(app, portrait("astronaut.jpg"))
    app.run()
    app.button(key="record_start").click().run()
    feed(app, portrait("astronaut.jpg"), 5)
    app.session_state[state.TABS] = state.VIEWS["photos"]
    app.run()
    assert not app.exception and component.calls[-1]["desired_playing_state"] is False
    open_view(app, "live")
    assert any(one.value == "Your recording" for one in app.header)


def test_frames_that_fail_and_parts_that_cannot_be_drawn_are_told(app, component, monkeypatch):
    open_view(app, "live")
    app.button(key="live_start").click().run()
    feed(app, portrait("astronaut.jpg"))
    real = stream_of(app).analyzer._draw
    monkeypatch.setattr(stream_of(app).analyzer, "_draw", lambda *given: 1 / 0)
    feed(app, portrait("astronaut.jpg"), 2)
    app.run()
    assert any("2 frames could not be read (ZeroDivisionError)" in one.value for one in app.warning)
    monkeypatch.setattr(stream_of(app).analyzer, "_draw", real)
    app.sidebar.selectbox(key="detector_widget").select("hog").run()
    app.button_group(key="live_parts").set_value(["boxes", "landmarks"]).run()
    assert not app.exception and any("the YuNet detector" in one.value for one in app.caption)


def test_leaving_the_page_ends_the_stream_and_keeps_the_recording(app, component):
    open_view(app, "live")
    app.button(key="live_start").click().run()
    stream = stream_of(app)
    feed(app, portrait("astronaut.jpg"))
    app.run()
    app.button(key="record_start").click().run()
    feed(app, portrait("astronaut.jpg"), 5)
    elsewhere = AppTest.from_file(str(ROOT / "pages" / "evaluate.py"), default_timeout=60)
    elsewhere.session_state["live_stream"] = stream
    elsewhere.run()
    assert not stream.wanted and len(elsewhere.session_state["live_recording"]) == 5


def test_a_detector_that_cannot_be_had_leaves_the_stream_as_it_was(app, component, monkeypatch):
    open_view(app, "live")
    app.button(key="live_start").click().run()
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
    app.button(key="live_start").click().run()
    monkeypatch.setattr(webcam, "webrtc_streamer", lambda *given, **named: 1 / 0)
    app.run()
    assert not app.exception and not stream_of(app).wanted and app.warning


@pytest.mark.parametrize(("signalling", "said"), [(False, "The camera sent no picture"), (True, "could not connect")])
def test_a_stream_that_does_not_start_leads_to_the_snapshot(app, component, monkeypatch, signalling, said):
    open_view(app, "live")
    app.button(key="live_start").click().run()
    component.signalling = signalling
    app.run()
    stream_of(app).since_s -= webcam.START_WITHIN_S + 1
    app.run()
    app.run()
    assert not app.exception and not stream_of(app).wanted
    assert said in app.warning[0].value.replace("\\", "")
    app.button(key="live_again").click().run()
    assert not app.warning and app.button(key="live_start")


def test_without_https_live_says_so_at_once(app, component, monkeypatch):
    open_view(app, "live")
    monkeypatch.setattr(webcam, "secure", lambda: False)
    app.button(key="live_start").click().run()
    app.run()
    assert not stream_of(app).wanted and "HTTPS" in app.warning[0].value


def test_the_second_click_of_two_loses_no_recording(monkeypatch):
    recorded, rows = [], [1, 2]
    analyzer = SimpleNamespace(
        state=lambda: SimpleNamespace(recording=bool(rows)),
        stop_recording=lambda: [rows.pop() for _ in range(len(rows))],
    )
    monkeypatch.setattr(live_tab.state.live, "get", lambda: SimpleNamespace(analyzer=analyzer, wanted=True))
    monkeypatch.setattr(live_tab.state.recording, "set", recorded.append)
    monkeypatch.setattr(live_tab.session.page_rerun, "set", lambda value: None)
    live_tab._stop_recording()
    live_tab._stop_recording()
    assert recorded == [[2, 1]]
    monkeypatch.setattr(live_tab.webcam, "busy", lambda: 1 / 0)
    live_tab._start()  # it runs already: nothing is asked or changed
