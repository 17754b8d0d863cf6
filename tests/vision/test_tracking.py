"""Numbers stay with people: through crossings, short losses and frames in any order of boxes."""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np
import pytest

from fer.records import FaceBox
from fer.vision.tracking import FaceTracker, cheapest_pairs


def box(x: float, y: float = 100.0, side: float = 60.0) -> FaceBox:
    return FaceBox(x - side / 2, y - side / 2, side, side, detector="yunet")


def test_the_cheapest_pairs_are_those_of_all_ways_tried():
    rng = np.random.default_rng(0)
    for rows, columns in itertools.product(range(1, 5), repeat=2):
        costs = rng.random((rows, columns))
        pairs = cheapest_pairs(costs)
        count = min(rows, columns)
        ways = (
            list(zip(chosen, places, strict=True))
            for chosen in itertools.combinations(range(rows), count)
            for places in itertools.permutations(range(columns), count)
        )
        assert len(pairs) == count and len({row for row, _ in pairs}) == count
        assert sum(costs[pair] for pair in pairs) == pytest.approx(min(sum(costs[p] for p in way) for way in ways))
    assert cheapest_pairs(np.array([[np.inf]])) == [] and cheapest_pairs(np.zeros((0, 2))) == []


def test_two_people_cross_and_keep_their_numbers():
    tracker, time_s = FaceTracker(), 0.0
    for step in range(61):
        left, right = box(100 + 5 * step, 100), box(400 - 5 * step, 112)
        boxes = [left, right] if step % 2 else [right, left]
        if abs(left.x - right.x) < 22:  # one hides the other: the detector gives one box
            boxes = boxes[:1]
        numbers = dict(zip(map(id, boxes), tracker.update(boxes, time_s), strict=True))
        if step in (0, 1):
            first = numbers[id(left)], numbers[id(right)]
        time_s += 1 / 30
    assert (numbers[id(left)], numbers[id(right)]) == first and set(first) == {1, 2}


def drawn_clip() -> list[np.ndarray]:
    """Forty frames of two drawn heads that pass each other, gray on light."""
    frames = []
    for step in range(40):
        frame = np.full((200, 480), 230, np.uint8)
        for x, y, gray in ((60 + 9 * step, 95, 60), (420 - 9 * step, 105, 140)):
            cv2.ellipse(frame, (x, y), (26, 34), 0, 0, 360, gray, -1)
        frames.append(frame)
    return frames


def found(frame: np.ndarray, gray: int) -> FaceBox | None:
    """A detector that is certain on drawn heads: where that gray is, unless most of it is hidden."""
    rows, columns = np.nonzero(frame == gray)
    if len(rows) < 1400:
        return None
    return FaceBox(
        float(columns.min()), float(rows.min()), float(np.ptp(columns)), float(np.ptp(rows)), detector="yunet"
    )


def test_a_drawn_clip_with_crossing_faces():
    tracker, seen = FaceTracker(), {60: set(), 140: set()}
    hidden = 0
    for index, frame in enumerate(drawn_clip()):
        boxes = {gray: place for gray in (60, 140) if (place := found(frame, gray))}
        hidden += len(boxes) < 2
        for gray, number in zip(boxes, tracker.update(list(boxes.values()), index / 25), strict=True):
            seen[gray].add(number)
    assert hidden and seen == {60: {1}, 140: {2}}


def test_a_short_loss_is_bridged_and_a_long_one_is_not():
    tracker = FaceTracker(patience_s=1.0)
    assert tracker.update([box(100)], 0.0) == [1]
    assert tracker.update([], 0.5) == [] and tracker.update([box(104)], 0.9) == [1]
    assert tracker.update([], 1.4) == tracker.update([], 1.9) == []
    assert tracker.update([box(104)], 2.0) == [2] and tracker.alive == {2}


@pytest.mark.parametrize("every_s", [0.04, 1.0, 2.0, 60.0])
def test_patience_scales_with_the_time_between_frames(every_s):
    tracker = FaceTracker(stall_s=math.inf)
    places = [100, 104, None, 108, 112, 109]  # out of sight in one frame
    seen = [tracker.update([] if x is None else [box(x)], index * every_s) for index, x in enumerate(places)]
    assert seen == [[1], [1], [], [1], [1], [1]]
    if every_s >= 1:
        for index in range(6, 8):
            tracker.update([], index * every_s)
        assert tracker.update([box(109)], 8 * every_s) == [2]


def test_a_face_may_move_farther_between_frames_that_are_far_apart():
    assert FaceTracker().update([box(100)], 0.0) == [1]
    for every_s, expected in ((0.1, [2]), (4.0, [1])):
        tracker = FaceTracker()
        tracker.update([box(100)], 0.0)
        assert tracker.update([box(220)], every_s) == expected


def test_a_live_stream_that_stood_still_has_lost_everyone():
    tracker = FaceTracker()
    assert tracker.update([box(100)], 0.0) == [1] and tracker.update([box(100)], 9.0) == [1]
    assert tracker.update([box(100)], 19.5) == [2]


def test_another_scene_begins_with_new_people():
    tracker = FaceTracker()
    tracker.update([box(100)], 0.0)
    tracker.restart()
    assert tracker.update([box(100)], 0.04) == [2]


def test_a_leap_and_another_size_are_someone_else():
    tracker = FaceTracker()
    assert tracker.update([box(100)], 0.0) == [1]
    assert tracker.update([box(400), box(100)], 0.1) == [2, 1]
    assert tracker.update([box(100, side=180)], 0.2) == [3]


def test_a_clock_that_goes_back_starts_anew():
    tracker = FaceTracker()
    tracker.update([box(100)], 5.0)
    assert tracker.update([box(100)], 1.0) == [2] and tracker.update([box(101)], 1.1) == [2]
