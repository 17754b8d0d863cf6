"""Who is who from frame to frame: boxes get numbers that stay with the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer.records import FaceBox

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATIENCE_S = 1.0  # a face out of sight for longer, and in more than one frame, is a new person
STALL_S = 10.0  # a live stream that stood still for longer has lost everyone
REACH = 1.2  # how far, in sides of the box, a face may be from where it was expected; farther after PATIENCE_S
FARTHEST = 3.0  # times REACH, for who was long out of sight
GROWTH = 0.7  # of the logarithm of the side: a face twice as large is another one
ALONE = 1e3  # the cost of a box without a person: above every sum of pairs
STOPPED = 0.2  # what it costs, in sides of the box, to have stayed rather than moved on
MEMORY_S = 0.25  # time constant of the velocity's moving average


@dataclass
class Track:
    """One person on the way: center and side in pixels, velocity in pixels a second, when last seen."""

    number: int
    center: NDArray[np.float64]
    side: float
    velocity: NDArray[np.float64]
    time_s: float
    missed: int = 0  # frames since

    def expected(self, time_s: float) -> NDArray[np.float64]:
        return self.center + self.velocity * min(time_s - self.time_s, PATIENCE_S)

    def move(self, center: NDArray[np.float64], side: float, time_s: float) -> None:
        passed = time_s - self.time_s
        if passed > 0:
            share = 1 - np.exp(-passed / MEMORY_S)
            self.velocity = self.velocity + share * ((center - self.center) / passed - self.velocity)
        self.center, self.side, self.time_s, self.missed = center, side, time_s, 0


class FaceTracker:
    """Follows faces by where they are expected at constant velocity, so that they keep their numbers when they cross.

    One per stream; not for several threads at once. A face may be out of sight for patience_s seconds or one frame,
    whichever is longer: where frames are seconds apart, so is the patience. After stall_s seconds without a frame
    everyone is new; in a video, whose frames are shown until the next, that is never (math.inf).
    """

    def __init__(self, patience_s: float = PATIENCE_S, stall_s: float = STALL_S) -> None:
        self.patience_s, self.stall_s = patience_s, stall_s
        self._tracks: list[Track] = []
        self._time_s = 0.0
        self._numbers = 0

    def update(self, boxes: list[FaceBox], time_s: float) -> list[int]:
        """The person's number, from 1, of each box of a frame. Where time_s goes back, all start anew."""
        if not 0 <= time_s - self._time_s <= self.stall_s:
            self.restart()
        self._time_s = time_s
        self._tracks = [
            track for track in self._tracks if track.missed <= 1 or time_s - track.time_s <= self.patience_s
        ]
        centers = [np.array([box.x + box.width / 2, box.y + box.height / 2]) for box in boxes]
        sides = [float(np.sqrt(max(box.area, 1e-6))) for box in boxes]
        costs = np.array(
            [
                [self._cost(track, center, side, time_s) for track in self._tracks]
                for center, side in zip(centers, sides, strict=True)
            ]
        ).reshape(len(boxes), len(self._tracks))
        for track in self._tracks:
            track.missed += 1
        numbers = [0] * len(boxes)
        for row, column in cheapest_pairs(costs):
            self._tracks[column].move(centers[row], sides[row], time_s)
            numbers[row] = self._tracks[column].number
        for row, number in enumerate(numbers):
            if not number:
                self._numbers += 1
                numbers[row] = self._numbers
                self._tracks.append(Track(self._numbers, centers[row], sides[row], np.zeros(2), time_s))
        return numbers

    def restart(self) -> None:
        """Whoever comes now is someone else: another scene begins."""
        self._tracks = []

    @property
    def alive(self) -> set[int]:
        """The numbers of those who were seen within the patience."""
        return {track.number for track in self._tracks}

    @staticmethod
    def _cost(track: Track, center: NDArray[np.float64], side: float, time_s: float) -> float:
        """How unlikely it is that this is that person; infinite where it cannot be."""
        size = max(track.side, side)
        still = float(np.linalg.norm(center - track.center)) / size
        moved = float(np.linalg.norm(center - track.expected(time_s))) / size
        growth = abs(float(np.log(side / track.side)))
        # Who stopped while out of sight is where they were, not where they were heading.
        distance = min(moved, still + STOPPED)
        reach = REACH * float(np.clip(np.sqrt((time_s - track.time_s) / PATIENCE_S), 1, FARTHEST))
        return distance + growth if distance <= reach and growth <= GROWTH else np.inf


def cheapest_pairs(costs: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Costs (R, C) -> pairs (row, column), each used once, as many as are finite, with the least sum.

    By augmenting paths (Bellman-Ford): a few faces a frame, so simple beats fast. Each row may also stay alone, at a
    cost that no pair reaches.
    """
    rows, real = costs.shape
    costs = np.hstack([costs, np.full((rows, rows), ALONE)])
    columns = range(real + rows)
    match = [-1] * len(columns)  # the row of each column
    for start in range(rows):
        distance, came = list(costs[start]), [-1] * len(columns)  # the cheapest path from start that ends in a column
        shorter = True
        while shorter:
            shorter = False
            for middle in columns:
                row = match[middle]
                if row < 0 or not np.isfinite(distance[middle]):
                    continue
                lengths = distance[middle] - costs[row, middle] + costs[row]
                for end in np.flatnonzero(lengths < np.array(distance) - 1e-9):
                    distance[end], came[end], shorter = lengths[end], middle, True
        column = min((column for column in columns if match[column] < 0), key=lambda end: distance[end])
        while column >= 0:
            before = came[column]
            match[column] = start if before < 0 else match[before]
            column = before
    return sorted((row, column) for column, row in enumerate(match[:real]) if row >= 0)
