"""The analyzer under everything a stream does: drops, failures, swaps, recordings, odd frames."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from fer.inference.live import HISTORY_S, LiveAnalyzer, LiveSettings
from fer.limits import OWNER
from fer.records import FaceBox, Quality
from fer.visualization.overlay import draw_faces
from tests.inference.test_tracked_reader import HAPPY, SAD, Scene

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
    made.people = [(FaceBox(10, 40, 40, 40, detector="yunet"), HAPPY, Quality())]
    return made


def plain(frame, faces, parts, recognizer):
    return draw_faces(frame, faces, parts)


def analyzer_of(scene, clock, **settings):
    return LiveAnalyzer(scene, scene, plain, LiveSettings(**settings), clock)


def run(analyzer, clock, seconds: float, rate: float = 10) -> None:
    for _ in range(round(seconds * rate)):
        clock.now += 1 / rate
        analyzer(FRAME)


def test_a_frame_comes_back_drawn_and_its_result_waits(scene, clock):
    analyzer = analyzer_of(scene, clock)
    drawn = analyzer(FRAME)
    assert drawn.shape == FRAME.shape and drawn.any() and not FRAME.any()
    state = analyzer.state()
    assert [face.prediction.answer for face in state.faces] == ["happy"] and (state.width, state.height) == (160, 120)
    assert not analyzer_of(scene, clock, drawn=frozenset())(FRAME).any()


def test_frames_a_second_and_latency_by_hand(scene, clock):
    analyzer = analyzer_of(scene, clock)
    run(analyzer, clock, 10, rate=20)
    assert analyzer.state().frames_per_s == pytest.approx(20, rel=0.05) and analyzer.state().frames == 200
    late = LiveAnalyzer(
        scene, scene, lambda *given: setattr(clock, "now", clock.now + 0.03) or FRAME, LiveSettings(), clock
    )
    for index in range(5):
        clock.now += 0.1
        late(FRAME, clock.now - (0.02 if index else 0.0))  # all but the first waited 20 ms before they came
    assert late.state().latency_ms == pytest.approx(50)


def test_another_connection_brings_its_own_clock_and_forgets_old_failures(scene, clock):
    analyzer = analyzer_of(scene, clock)
    for index in range(5):
        clock.now += 0.1
        analyzer(FRAME, index * 0.1)
    read, scene.read = scene.read, lambda *given: 1 / 0
    analyzer(FRAME)
    scene.read = read
    assert analyzer.state().failure
    clock.now += 60
    analyzer.restarted()
    for index in range(5):
        clock.now += 0.1
        analyzer(FRAME, index * 0.1)  # from zero again
    assert analyzer.state().latency_ms == pytest.approx(0, abs=0.01)
    assert analyzer.state().failures == 0 and not analyzer.state().failure


def test_a_failure_is_told_for_ten_seconds(scene, clock):
    analyzer = analyzer_of(scene, clock)
    read, scene.read = scene.read, lambda *given: 1 / 0
    analyzer(FRAME)
    scene.read = read
    run(analyzer, clock, 9)
    assert analyzer.state().failure == "ZeroDivisionError"
    run(analyzer, clock, 2)
    assert not analyzer.state().failure and analyzer.state().failures == 1


def test_a_full_recording_says_so(scene, clock):
    analyzer = LiveAnalyzer(scene, scene, plain, LiveSettings(), clock, replace(OWNER, recorded_rows=5))
    analyzer.start_recording()
    run(analyzer, clock, 0.4)
    assert not analyzer.state().recording_full
    run(analyzer, clock, 0.4)
    assert analyzer.state().recording_full and len(analyzer.stop_recording()) == 5


def test_a_minute_is_kept_and_no_more(scene, clock):
    analyzer = analyzer_of(scene, clock)
    run(analyzer, clock, 2.5 * HISTORY_S, rate=4)
    rows, now_s = analyzer.history()
    assert now_s - rows[0].time_s <= HISTORY_S and len(rows) == pytest.approx(4 * HISTORY_S, abs=2)


def test_a_failing_frame_goes_back_as_it_came_and_the_stream_goes_on(scene, clock, caplog):
    analyzer = analyzer_of(scene, clock, mirror=False)
    read, scene.read = scene.read, lambda *given: 1 / 0
    assert (analyzer(FRAME) == FRAME).all() and (analyzer(FRAME) == FRAME).all()
    assert analyzer.state().failures == 2 and analyzer.state().failure == "ZeroDivisionError"
    assert len(caplog.records) == 1  # not thirty a second
    scene.read = read
    analyzer(FRAME)
    assert analyzer.state().faces and analyzer.state().failures == 2


def test_model_settings_and_mirror_change_in_mid_stream(scene, clock):
    analyzer = analyzer_of(scene, clock)
    run(analyzer, clock, 1)
    other = Scene()
    other.people = [(FaceBox(10, 40, 40, 40, detector="yunet"), SAD, Quality())]
    analyzer.use(other, other, replace(analyzer.settings, smoothing_s=0.0, mirror=False, long_side=640))
    run(analyzer, clock, 0.2)
    (face,) = analyzer.state().faces
    assert face.prediction.answer == "sad" and face.person == 1 and other.asked[-1] == 640
    picture = FRAME.copy()
    picture[:, :10] = 200
    assert analyzer(picture)[110, 5, 0] == 200
    analyzer.use(other, other, replace(analyzer.settings, mirror=True))
    assert analyzer(picture)[110, -5, 0] == 200


def test_a_recording_is_what_was_seen_between_start_and_stop(scene, clock):
    analyzer = analyzer_of(scene, clock)
    run(analyzer, clock, 3)
    assert analyzer.state().recorded == 0 and analyzer.stop_recording() == []
    analyzer.start_recording()
    run(analyzer, clock, 2)
    assert analyzer.state().recording and analyzer.state().recorded == 20
    rows = analyzer.stop_recording()
    assert len(rows) == 20 and rows[0].time_s == pytest.approx(0.1) and rows[-1].time_s == pytest.approx(2.0)
    assert not analyzer.state().recording and analyzer.stop_recording() == []


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((37, 201, 3), np.uint8),
        np.full((480, 640, 3), 127, np.uint8),
        np.zeros((1080, 1920, 3), np.uint8),
    ],
    ids=["one pixel", "odd", "gray", "large"],
)
def test_odd_frames_from_a_real_camera(frame, clock):
    import fer
    from fer.vision.detection import load_detector

    analyzer = LiveAnalyzer(fer.load("mini_xception"), load_detector("hog"), plain, LiveSettings(), clock)
    assert analyzer(frame).shape == frame.shape
    assert not analyzer.state().faces


def test_who_left_is_not_current(scene, clock):
    analyzer = analyzer_of(scene, clock)
    analyzer(FRAME)
    clock.now += 5
    assert analyzer.state().faces == () and analyzer.state().silent_s == pytest.approx(5)


def test_readers_and_the_stream_at_once(scene, clock):
    analyzer, wrong = analyzer_of(scene, clock), []

    def ask() -> None:
        try:
            for _ in range(300):
                analyzer.state(), analyzer.history()
                analyzer.use(scene, scene, analyzer.settings)
                analyzer.start_recording(), analyzer.stop_recording()
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    [thread.start() for thread in threads]
    run(analyzer, clock, 20)
    [thread.join() for thread in threads]
    assert not wrong and analyzer.state().failures == 0


def test_a_connection_that_comes_back_by_itself_brings_its_own_clock(scene, clock):
    analyzer = analyzer_of(scene, clock)
    for index in range(100):
        clock.now += 0.1
        analyzer(FRAME, index * 0.1)
    clock.now += 2
    for index in range(5):
        clock.now += 0.1
        analyzer(FRAME, index * 0.1)  # nobody pressed Start
    assert analyzer.state().latency_ms == pytest.approx(0, abs=0.01)


def test_frames_a_second_are_counted_from_the_first_frame(scene, clock):
    analyzer = analyzer_of(scene, clock)
    clock.now += 30  # the tab was open for long
    run(analyzer, clock, 1, rate=20)
    assert analyzer.state().frames_per_s == pytest.approx(20, rel=0.06)
    clock.now += 60
    analyzer.restarted()
    assert analyzer.state().frames_per_s == 0
    run(analyzer, clock, 1, rate=20)
    assert analyzer.state().frames_per_s == pytest.approx(20, rel=0.06)


def test_a_frame_from_before_the_recording_is_not_in_it(scene, clock):
    def draw(frame, *_):
        analyzer.start_recording()  # pressed while this frame is being read
        clock.now += 0.05
        return frame

    analyzer = LiveAnalyzer(scene, scene, draw, LiveSettings(), clock)
    clock.now += 1
    read = scene.read
    scene.read = lambda *given: (setattr(clock, "now", clock.now + 0.04), read(*given))[1]
    analyzer(FRAME)
    analyzer._draw = plain
    clock.now += 0.1
    analyzer(FRAME)
    rows = analyzer.stop_recording()
    assert len(rows) == 1 and rows[0].time_s > 0
