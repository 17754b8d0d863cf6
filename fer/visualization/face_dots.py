"""Place a numbered dot beside each face in a photo without covering faces, and find each face's neighbors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer.records import FaceBox

RADIUS = 0.026  # share of the picture's width: a diameter of 17 pixels on a phone
SHRINKS = (1.0, 0.85, 0.7)  # minimum size of a dot in a crowd
GAP = 0.15  # distance, in radii, from a dot to a face or another dot
RINGS, PLACES = 7, 32  # distances from the face, and places at each, to try first
RING_STEP = 0.7  # radii
# Penalties of a place, in radii of distance to the face.
LINE_OVER_A_FACE, BESIDE_OR_BELOW = 4.0, 0.4
OWN_SHARE, NEAR_ANOTHER = 0.6, 1.5  # applied if its own face is farther than this share of the distance to the next
LINE_SAMPLES = np.linspace(0, 1, 7)[None, :, None]
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


@dataclass(frozen=True)
class Dot:
    """A dot's center and radius, and where its line meets the face's box, in picture pixels."""

    x: float
    y: float
    radius: float
    line_x: float
    line_y: float


def place_dots(boxes: Sequence[FaceBox], width: int, height: int) -> list[Dot]:
    """A dot for each box, in the same order: inside the picture, clear of all boxes and other dots.

    Near its own box if there is room, smaller if there is little. If no place is free, as in a close-up, at the place
    that covers least. width, height: of the picture, in pixels.
    """
    if not boxes:
        return []
    edges = np.array([(box.x, box.y, box.x + box.width, box.y + box.height) for box in boxes])  # (N, 4)
    radius = min(RADIUS * width, height / 4)
    near = [_around(edge, radius) for edge in edges]
    room = [int((_free(places, radius, edges, width, height)).sum()) for places in near]
    anywhere = _everywhere(radius, width, height)
    dots = np.zeros((0, 3))  # x, y, radius of placed dots
    found: dict[int, Dot] = {}
    for index in np.argsort(room, kind="stable"):  # faces with the least room choose first
        x, y, size = _place(int(index), near[index], anywhere, radius, edges, dots, width, height)
        dots = np.vstack([dots, (x, y, size)])
        left, top, right, bottom = edges[index]
        found[int(index)] = Dot(x, y, size, float(np.clip(x, left, right)), float(np.clip(y, top, bottom)))
    return [found[index] for index in range(len(boxes))]


def _place(
    index: int,
    near: np.ndarray,
    anywhere: np.ndarray,
    radius: float,
    edges: np.ndarray,
    dots: np.ndarray,
    width: int,
    height: int,
) -> tuple[float, float, float]:
    """The best place for one dot, and its radius. near, anywhere: places (P, 2) to try."""
    for places, shrinks in ((near, SHRINKS), (anywhere, SHRINKS[-1:])):
        for shrink in shrinks:
            size = shrink * radius
            free = places[_free(places, size, edges, width, height) & (_clearance(places, dots) >= (1 + GAP) * size)]
            if len(free):
                x, y = free[np.argmin(_cost(free, index, edges, radius))]
                return float(x), float(y), size
    size = SHRINKS[-1] * radius
    inside = anywhere[_within(anywhere, size, width, height)]
    if not len(inside):
        inside = np.array([[width / 2, height / 2]])
    covered = np.clip(size - _distances(inside, edges), 0, None).sum(1)
    covered += 2 * np.clip(size - _distances_to_dots(inside, dots), 0, None).sum(1)
    x, y = inside[np.argmin(covered + 1e-3 * _distances(inside, edges[index : index + 1])[:, 0])]
    return float(x), float(y), size


def _around(edge: np.ndarray, radius: float) -> np.ndarray:
    """Places (P, 2) on increasingly large frames around a box."""
    turns = np.arange(PLACES) * 2 * np.pi / PLACES
    units = np.stack([np.cos(turns), np.sin(turns)], 1)
    units /= np.abs(units).max(1, keepdims=True)  # on a square's edge
    middle, half = (edge[:2] + edge[2:]) / 2, (edge[2:] - edge[:2]) / 2
    reach = radius * (1 + GAP + RING_STEP * np.arange(RINGS))
    small = radius * SHRINKS[-1] * (1 + GAP)
    return np.concatenate([middle + units * (half + by) for by in (small, *reach)])


def _everywhere(radius: float, width: int, height: int) -> np.ndarray:
    """A grid of places (P, 2) over the whole picture, including its edges."""
    smallest = SHRINKS[-1] * radius
    columns = np.linspace(smallest, width - smallest, max(int(width / radius) + 1, 2))
    rows = np.linspace(smallest, height - smallest, max(int(height / radius) + 1, 2))
    return np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)


def _within(places: np.ndarray, size: float, width: int, height: int) -> np.ndarray:
    return np.all((places >= size - 1e-6) & (places <= np.array([width, height]) - size + 1e-6), 1)


def _free(places: np.ndarray, size: float, edges: np.ndarray, width: int, height: int) -> np.ndarray:
    """Which places (P, 2) a dot of this radius may take: inside the picture and clear of all boxes."""
    off = _distances(places, edges).min(1) >= size
    return _within(places, size, width, height) & off


def _distances(places: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Distances (P, N) from places (P, 2) to boxes (N, 4); negative inside a box."""
    beyond = np.maximum(edges[None, :, :2] - places[:, None], places[:, None] - edges[None, :, 2:])  # (P, N, 2)
    return np.hypot(*np.moveaxis(np.maximum(beyond, 0), 2, 0)) + np.minimum(beyond.max(2), 0)


def _distances_to_dots(places: np.ndarray, dots: np.ndarray) -> np.ndarray:
    """Distances (P, N) from places (P, 2) to the edges of dots (N, 3)."""
    return np.hypot(*np.moveaxis(places[:, None] - dots[None, :, :2], 2, 0)) - dots[None, :, 2]


def _clearance(places: np.ndarray, dots: np.ndarray) -> np.ndarray:
    """Distances (P,) from places (P, 2) to the edge of the nearest dot."""
    return _distances_to_dots(places, dots).min(1) if len(dots) else np.full(len(places), np.inf)


def _cost(places: np.ndarray, index: int, edges: np.ndarray, radius: float) -> np.ndarray:
    """The penalty of places (P, 2) for box `index`, in radii: the distance, plus more if they seem to be another's."""
    distances = _distances(places, edges)
    own, others = distances[:, index], np.delete(distances, index, 1)
    cost = own / radius
    if others.size:
        cost = cost + NEAR_ANOTHER * np.clip(own / OWN_SHARE - others.min(1), 0, None) / radius
        ends = np.clip(places, edges[index, :2], edges[index, 2:])
        line = places[:, None] + LINE_SAMPLES * (ends - places)[:, None]  # (P, samples, 2)
        over = _distances(line.reshape(-1, 2), np.delete(edges, index, 0)) < 0
        cost = cost + LINE_OVER_A_FACE * over.any(1).reshape(len(places), -1).mean(1)
    middle, above = (edges[index, 0] + edges[index, 2]) / 2, places[:, 1] < edges[index, 1]
    return cost + BESIDE_OR_BELOW * (~above) + 0.1 * np.abs(places[:, 0] - middle) / radius


def neighbors(boxes: Sequence[FaceBox]) -> list[dict[str, int | None]]:
    """For each box, the index of its neighbor in each of DIRECTIONS; None if there is none.

    The nearest box, by the sum of both distances, among those farther along the direction than across it: a step toward
    a face always brings it nearer, and every face can be reached. If there is none, the nearest on that side.
    """
    centers = np.array([(box.x + box.width / 2, box.y + box.height / 2) for box in boxes]).reshape(-1, 2)
    found = []
    for center in centers:
        offsets = centers - center
        sides: dict[str, int | None] = {}
        for name, direction in DIRECTIONS.items():
            along = offsets @ np.array(direction)
            across = np.abs(offsets @ np.array(direction[::-1]))
            for distance, fits in (
                (along + across, (along > 0) & (across <= along)),
                (along + 3 * across, along > 0),
            ):
                sides[name] = int(np.argmin(np.where(fits, distance, np.inf))) if fits.any() else None
                if fits.any():
                    break
        found.append(sides)
    return found
