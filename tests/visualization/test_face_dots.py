"""Numbered dots that cover no face and no other dot, and the neighbors that arrow keys lead to."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest

from fer.records import FaceBox
from fer.vision.images import read_image
from fer.visualization.face_dots import RADIUS, SHRINKS, Dot, neighbors, place_dots


def face(x: float, y: float, width: float, height: float) -> FaceBox:
    return FaceBox(x, y, width, height, detector="yunet")


def covered(dot: Dot, box: FaceBox) -> float:
    """How far a dot reaches into a box, in pixels; below 0 where it is off it."""
    beyond_x = max(box.x - dot.x, dot.x - box.x - box.width, 0)
    beyond_y = max(box.y - dot.y, dot.y - box.y - box.height, 0)
    return dot.radius - float(np.hypot(beyond_x, beyond_y))


def assert_nothing_is_covered(boxes: list[FaceBox], width: int, height: int) -> list[Dot]:
    dots = place_dots(boxes, width, height)
    assert len(dots) == len(boxes)
    for dot, box in zip(dots, boxes, strict=True):
        assert dot.radius - 1e-6 <= dot.x <= width - dot.radius + 1e-6
        assert dot.radius - 1e-6 <= dot.y <= height - dot.radius + 1e-6
        assert all(covered(dot, other) <= 1e-6 for other in boxes)
        assert box.x <= dot.line_x <= box.x + box.width and box.y <= dot.line_y <= box.y + box.height
    for one, other in combinations(dots, 2):
        assert np.hypot(one.x - other.x, one.y - other.y) >= one.radius + other.radius - 1e-6
    return dots


def test_a_face_with_room_has_its_dot_above_its_middle():
    (dot,) = assert_nothing_is_covered([face(400, 300, 100, 120)], 1000, 800)
    assert dot.radius == 1000 * RADIUS and dot.x == pytest.approx(450)
    assert 300 - 3 * dot.radius < dot.y < 300 - dot.radius
    assert (dot.line_x, dot.line_y) == (dot.x, 300)


def test_a_face_at_the_top_has_its_dot_beside_or_below():
    (dot,) = assert_nothing_is_covered([face(400, 0, 100, 120)], 1000, 800)
    assert dot.x < 400 or dot.x > 500 or dot.y > 120


def test_a_dot_goes_to_the_side_where_no_other_face_is():
    left, right = assert_nothing_is_covered([face(300, 0, 100, 800), face(410, 0, 100, 800)], 1000, 800)
    assert left.x < 300 and right.x > 510


def test_a_slit_that_only_a_smaller_dot_fits_gets_a_smaller_dot():
    """Two faces fill the picture but for 40 pixels between them, where a dot of 52 does not fit."""
    dots = assert_nothing_is_covered([face(0, 0, 480, 800), face(520, 0, 480, 800)], 1000, 800)
    assert all(480 < dot.x < 520 and dot.radius == SHRINKS[-1] * 1000 * RADIUS for dot in dots)


def test_a_face_shut_in_by_others_has_its_dot_beyond_them():
    """Nine faces of 60 pixels, 4 apart, in the middle of a large picture."""
    boxes = [face(400 + 64 * column, 300 + 64 * row, 60, 60) for row in range(3) for column in range(3)]
    assert_nothing_is_covered(boxes, 1000, 800)


def test_where_a_face_fills_the_picture_its_dot_is_in_a_corner_inside_the_picture():
    (dot,) = place_dots([face(0, 0, 400, 400)], 400, 400)
    assert min(dot.x, 400 - dot.x) == pytest.approx(dot.radius) and min(dot.y, 400 - dot.y) == pytest.approx(dot.radius)
    one, other = place_dots([face(0, 0, 400, 400), face(-5, -5, 410, 410)], 400, 400)
    assert np.hypot(one.x - other.x, one.y - other.y) > one.radius  # of two such, not one upon the other
    assert place_dots([], 10, 10) == []


def crowd(rng: np.random.Generator, count: int, width: int, height: int) -> list[FaceBox]:
    """Faces of all sizes that hardly overlap, as densely as chance packs them, over a part of the picture."""
    boxes: list[FaceBox] = []
    side = 0.7 * np.sqrt(width * height / count)
    for _ in range(4000):
        wide = rng.uniform(0.4, 1) * side
        box = face(rng.uniform(0, width - wide), rng.uniform(0, height - 1.2 * wide), wide, 1.2 * wide)
        if all(
            box.x + box.width < one.x
            or one.x + one.width < box.x
            or box.y + box.height < one.y
            or one.y + one.height < box.y
            for one in boxes
        ):
            boxes.append(box)
        if len(boxes) == count:
            break
    return boxes


@pytest.mark.parametrize("seed", range(12))
def test_in_a_crowd_of_thirty_nothing_is_covered(seed):
    width, height = ((1024, 768), (682, 1024), (1600, 500))[seed % 3]
    boxes = crowd(np.random.default_rng(seed), 30, width, height)
    assert len(boxes) >= 25
    assert_nothing_is_covered(boxes, width, height)


def test_of_the_annotated_photos_nothing_is_covered_and_most_dots_are_beside_their_face(photos):
    """32 faces; a dot is beside its face where its center is within two radii of it."""
    near = []
    for name, told in json.loads((photos / "faces.json").read_text()).items():
        height, width = read_image(photos / name).shape[:2]
        dots = assert_nothing_is_covered([face(*box) for box in told["faces"]], width, height)
        near += [np.hypot(dot.x - dot.line_x, dot.y - dot.line_y) < 2 * dot.radius for dot in dots]
    assert len(near) == 32 and np.mean(near) > 0.8


def test_neighbors_by_hand():
    """Two rows of two, and one face far right:  0 1 / 2 3    4"""
    boxes = [face(x, y, 20, 20) for x, y in ((0, 0), (100, 10), (0, 80), (100, 90), (400, 60))]
    found = neighbors(boxes)
    assert found[0] == {"left": None, "right": 1, "up": None, "down": 2}
    assert found[3] == {"left": 2, "right": 4, "up": 1, "down": None}
    assert found[4]["left"] == 3 and found[4]["right"] is None and found[1]["right"] == 4
    assert neighbors([]) == [] and neighbors(boxes[:1]) == [dict.fromkeys(("left", "right", "up", "down"))]


@pytest.mark.parametrize("seed", range(20))
def test_arrow_keys_reach_every_face_from_every_other(seed):
    rng = np.random.default_rng(seed)
    found = neighbors([face(*rng.uniform(0, 900, 2), 40, 50) for _ in range(30)])
    for start in range(30):
        reached, edge = {start}, [start]
        while edge:
            steps = {step for step in found[edge.pop()].values() if step is not None} - reached
            reached |= steps
            edge += steps
        assert len(reached) == 30
