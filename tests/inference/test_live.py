"""The analyser under everything a stream does: drops, failures, swaps, recordings, odd frames."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from fer.inference import live
from fer.inference.live import HISTORY_S, LiveAnalyser, LiveSettings
from fer.records import FaceBox, Quality
from fer.visualization.overlay import draw_faces
from tests.inference.test_tracked import HAPPY, SAD, Scene

FRAME = np.zeros((120, 160, 3), np.uint8)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scene():
    made = Scene()
    made.people = [(FaceBox(10, 40, 40, 40), HAPPY, Quality())]
    return made


def plain(frame, faces, parts, recognizer, detector):
    return draw_faces(frame, faces, parts)


def analyser_of(scene, clock, **settings):
    return LiveAnalyser(scene, scene, plain, LiveSettings(**settings), clock)


def run(analyser, clock, seconds: float, rate: float = 10) -> None:
    for _ in range(round(seconds * rate)):
        clock.now += 1 / rate
        analyser(FRAME)


def test_a_frame_comes_back_drawn_and_its_result_waits(scene, clock):
    analyser = analyser_of(scene, clock)
    drawn = analyser(FRAME)
    assert drawn.shape == FRAME.shape and drawn.any() and not FRAME.any()
    state = analyser.state()
    assert [face.expression for face in state.faces] == ["happy"] and (state.width, state.height) == (160, 120)
    assert not analyser_of(scene, clock, drawn=frozenset())(FRAME).any()


def test_frames_a_second_and_latency_by_hand(scene, clock):
    analyser = analyser_of(scene, clock)
    run(analyser, clock, 10, rate=20)
    assert analyser.state().frames_per_s == pytest.approx(20, rel=0.05) and analyser.state().frames == 200
    late = LiveAnalyser(
        scene, scene, lambda *given: setattr(clock, "now", clock.now + 0.03) or FRAME, LiveSettings(), clock
    )
    for index in range(5):
        clock.now += 0.1
        late(FRAME, clock.now - (0.02 if index else 0.0))  # all but the first waited 20 ms before they came
    assert late.state().latency_ms == pytest.approx(50)


def test_another_connection_brings_its_own_clock_and_forgets_old_failures(scene, clock):
    analyser = analyser_of(scene, clock)
    for index in range(5):
        clock.now += 0.1
        analyser(FRAME, index * 0.1)
    read, scene.read = scene.read, lambda *given: 1 / 0
    analyser(FRAME)
    scene.read = read
    assert analyser.state().failure
    clock.now += 60
    analyser.restarted()
    for index in range(5):
        clock.now += 0.1
        analyser(FRAME, index * 0.1)  # from zero again
    assert analyser.state().latency_ms == pytest.approx(0, abs=0.01)
    assert analyser.state().failures == 0 and not analyser.state().failure


def test_a_failure_is_told_for_ten_seconds(scene, clock):
    analyser = analyser_of(scene, clock)
    read, scene.read = scene.read, lambda *given: 1 / 0
    analyser(FRAME)
    scene.read = read
    run(analyser, clock, 9)
    assert analyser.state().failure == "ZeroDivisionError"
    run(analyser, clock, 2)
    assert not analyser.state().failure and analyser.state().failures == 1


def test_a_full_recording_says_so(scene, clock, monkeypatch):
    monkeypatch.setattr(live, "RECORDED_ROWS", 5)
    analyser = analyser_of(scene, clock)
    analyser.start_recording()
    run(analyser, clock, 0.4)
    assert not analyser.state().recording_full
    run(analyser, clock, 0.4)
    assert analyser.state().recording_full and len(analyser.stop_recording()) == 5


def test_a_minute_is_kept_and_no_more(scene, clock):
    analyser = analyser_of(scene, clock)
    run(analyser, clock, 2.5 * HISTORY_S, rate=4)
    rows, now_s = analyser.history()
    assert now_s - rows[0].time_s <= HISTORY_S and len(rows) == pytest.approx(4 * HISTORY_S, abs=2)


def test_a_failing_frame_goes_back_as_it_came_and_the_stream_goes_on(scene, clock, caplog):
    analyser = analyser_of(scene, clock, mirror=False)
    read, scene.read = scene.read, lambda *given: 1 / 0
    assert (analyser(FRAME) == FRAME).all() and (analyser(FRAME) == FRAME).all()
    assert analyser.state().failures == 2 and analyser.state().failure == "ZeroDivisionError"
    assert len(caplog.records) == 1  # not thirty a second
    scene.read = read
    analyser(FRAME)
    assert analyser.state().faces and analyser.state().failures == 2


def test_model_settings_and_mirror_change_in_mid_stream(scene, clock):
    analyser = analyser_of(scene, clock)
    run(analyser, clock, 1)
    other = Scene()
    other.people = [(FaceBox(10, 40, 40, 40), SAD, Quality())]
    analyser.use(other, other, replace(analyser.settings, smoothing_s=0.0, mirror=False, long_side=640))
    run(analyser, clock, 0.2)
    (face,) = analyser.state().faces
    assert face.expression == "sad" and face.person == 1 and other.asked[-1] == 640
    picture = FRAME.copy()
    picture[:, :10] = 200
    assert analyser(picture)[110, 5, 0] == 200
    analyser.use(other, other, replace(analyser.settings, mirror=True))
    assert analyser(picture)[110, -5, 0] == 200


def test_a_recording_is_what_was_seen_between_start_and_stop(scene, clock):
    analyser = analyser_of(scene, clock)
    run(analyser, clock, 3)
    assert analyser.state().recorded == 0 and analyser.stop_recording() == []
    analyser.start_recording()
    run(analyser, clock, 2)
    assert analyser.state().recording and analyser.state().recorded == 20
    rows = analyser.stop_recording()
    assert len(rows) == 20 and rows[0].time_s == pytest.approx(0.1) and rows[-1].time_s == pytest.approx(2.0)
    assert not analyser.state().recording and analyser.stop_recording() == []


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((37, 201, 3), np.uint8),
        np.full((480, 640, 3), 127, np.uint8),
        np.zeros((1080, 1920, 3), np.uint8),
    ],
    ids=["one pixel", "odd", "grey", "large"],
)
def test_odd_frames_from_a_real_camera(frame, clock):
    import fer
    from fer.vision.detection import load_detector

    analyser = LiveAnalyser(fer.load("mini_xception"), load_detector("hog"), plain, LiveSettings(), clock)
    assert analyser(frame).shape == frame.shape
    assert not analyser.state().faces


def test_who_left_is_not_current(scene, clock):
    analyser = analyser_of(scene, clock)
    analyser(FRAME)
    clock.now += 5
    assert analyser.state().faces == () and analyser.state().silent_s == pytest.approx(5)


def test_readers_and_the_stream_at_once(scene, clock):
    analyser, wrong = analyser_of(scene, clock), []

    def ask() -> None:
        try:
            for _ in range(300):
                analyser.state(), analyser.history()
                analyser.use(scene, scene, analyser.settings)
                analyser.start_recording(), analyser.stop_recording()
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    [thread.start() for thread in threads]
    run(analyser, clock, 20)
    [thread.join() for thread in threads]
    assert not wrong and analyser.state().failures == 0


def test_a_connection_that_comes_back_by_itself_brings_its_own_clock(scene, clock):
    analyser = analyser_of(scene, clock)
    for index in range(100):
        clock.now += 0.1
        analyser(FRAME, index * 0.1)
    clock.now += 2
    for index in range(5):
        clock.now += 0.1
        analyser(FRAME, index * 0.1)  # nobody pressed Start
    assert analyser.state().latency_ms == pytest.approx(0, abs=0.01)


def test_frames_a_second_are_counted_from_the_first_frame(scene, clock):
    analyser = analyser_of(scene, clock)
    clock.now += 30  # the tab was open for long
    run(analyser, clock, 1, rate=20)
    assert analyser.state().frames_per_s == pytest.approx(20, rel=0.06)
    clock.now += 60
    analyser.restarted()
    assert analyser.state().frames_per_s == 0
    run(analyser, clock, 1, rate=20)
    assert analyser.state().frames_per_s == pytest.approx(20, rel=0.06)


def test_a_frame_from_before_the_recording_is_not_in_it(scene, clock):
    def draw(frame, *_):
        analyser.start_recording()  # pressed while this frame is being read
        clock.now += 0.05
        return frame

    analyser = LiveAnalyser(scene, scene, draw, LiveSettings(), clock)
    clock.now += 1
    read = scene.read
    scene.read = lambda *given: (setattr(clock, "now", clock.now + 0.04), read(*given))[1]
    analyser(FRAME)
    analyser._draw = plain
    clock.now += 0.1
    analyser(FRAME)
    rows = analyser.stop_recording()
    assert len(rows) == 1 and rows[0].time_s > 0
