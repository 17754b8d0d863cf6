"""Track people from frame to frame: each box gets its person's number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer.records import FaceBox

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATIENCE_S = 1.0  # a face missing for longer, and in more than one frame, returns as a new person
STALL_S = 10.0  # after a longer pause in a live stream, everyone is new
REACH = 1.2  # maximum distance from the expected position, in box sides; grows after PATIENCE_S
FARTHEST = 3.0  # times REACH, the limit of that growth
GROWTH = 0.7  # maximum change of the logarithm of the side: a face twice as large is someone else
ALONE = 1e3  # cost of a box without a person: above every sum of pairs
STOPPED = 0.2  # cost, in box sides, of having stopped instead of moving on
MEMORY_S = 0.25  # time constant of the velocity's moving average


@dataclass
class Track:
    """One person's track: center and side in pixels, velocity in pixels per second, and time last seen."""

    number: int
    center: NDArray[np.float64]
    side: float
    velocity: NDArray[np.float64]
    time_s: float
    missed: int = 0  # frames since then

    def expected(self, time_s: float) -> NDArray[np.float64]:
        return self.center + self.velocity * min(time_s - self.time_s, PATIENCE_S)

    def move(self, center: NDArray[np.float64], side: float, time_s: float) -> None:
        passed = time_s - self.time_s
        if passed > 0:
            share = 1 - np.exp(-passed / MEMORY_S)
            self.velocity = self.velocity + share * ((center - self.center) / passed - self.velocity)
        self.center, self.side, self.time_s, self.missed = center, side, time_s, 0


class FaceTracker:
    """Tracks faces by predicting their positions at constant velocity, so that people who cross keep their numbers.

    One per stream; not thread-safe. A face may be missing for patience_s seconds or one frame, whichever is longer, so
    that tracking works even with frames seconds apart. After stall_s seconds without a frame everyone is new; pass
    math.inf for videos, in which each frame lasts until the next.
    """

    def __init__(self, patience_s: float = PATIENCE_S, stall_s: float = STALL_S) -> None:
        self.patience_s, self.stall_s = patience_s, stall_s
        self._tracks: list[Track] = []
        self._time_s = 0.0
        self._numbers = 0

    def update(self, boxes: list[FaceBox], time_s: float) -> list[int]:
        """The number, from 1, of each box's person in a frame. If time_s goes back, everyone is new."""
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
        """Forget everyone, because a new scene begins."""
        self._tracks = []

    @property
    def alive(self) -> set[int]:
        """The numbers of the people who are still tracked."""
        return {track.number for track in self._tracks}

    @staticmethod
    def _cost(track: Track, center: NDArray[np.float64], side: float, time_s: float) -> float:
        """How unlikely it is that the box belongs to the track's person; infinite if it cannot."""
        size = max(track.side, side)
        still = float(np.linalg.norm(center - track.center)) / size
        moved = float(np.linalg.norm(center - track.expected(time_s))) / size
        growth = abs(float(np.log(side / track.side)))
        # A person who stopped while out of sight is at the old position, not the expected one.
        distance = min(moved, still + STOPPED)
        reach = REACH * float(np.clip(np.sqrt((time_s - track.time_s) / PATIENCE_S), 1, FARTHEST))
        return distance + growth if distance <= reach and growth <= GROWTH else np.inf


def cheapest_pairs(costs: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Costs (R, C) -> as many (row, column) pairs as possible with finite costs and the least sum, each used once.

    Uses augmenting paths (Bellman-Ford): a frame has few faces, so simple beats fast. A row may also stay unpaired, at
    a cost above that of any pairs.
    """
    rows, real = costs.shape
    costs = np.hstack([costs, np.full((rows, rows), ALONE)])
    columns = range(real + rows)
    match = [-1] * len(columns)  # the row of each column
    for start in range(rows):
        distance, came = list(costs[start]), [-1] * len(columns)  # the cheapest path from start to each column
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
