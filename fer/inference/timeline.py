"""Build a timeline: the people in it, and the expressions of each over time."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

from fer.records import FaceBox, FaceRecord
from fer.vision.tracking import GROWTH

AWAY_S = 5.0  # a face that returns nearby within this time is the same person
NEAR = 1.0  # the maximum distance of such a return, in box sides
BRIEF_S = 1.0  # a shorter track is a tracking error and may differ in size, as a half-hidden face does
BRIEF_GAP_S = 1.0  # maximum gap between such a track and its neighbor
BRIEF_GROWTH = 1.4  # maximum change of the side's logarithm to or from such a track
GAP_S = 1.0  # a longer absence leaves a gap in the person's row
HERE_S = 2.0  # a person seen this recently counts as present


@dataclass(frozen=True)
class Person:
    """One row of a timeline.

    numbers: as shown on the picture, earliest first; rows: by time, never empty; ends_s: for each row, until when it
    holds.
    """

    numbers: tuple[int, ...]
    rows: tuple[FaceRecord, ...]
    ends_s: tuple[float, ...]

    @property
    def number(self) -> int:
        return self.numbers[0]

    @property
    def label(self) -> str:
        """ "person 1", or "person 1, 4" if the tracker later gave the person a new number."""
        more = ", …" if len(self.numbers) > 3 else ""
        return f"person {', '.join(map(str, self.numbers[:3]))}{more}"

    @property
    def end_s(self) -> float:
        """The time of the last row."""
        return self.rows[-1].time_s

    @cached_property
    def visits(self) -> list[tuple[tuple[FaceRecord, ...], float]]:
        """(rows, end in seconds) of each time that the person was there, without a gap longer than GAP_S."""
        gaps = [at for at in range(1, len(self.rows)) if self.rows[at].time_s - self.ends_s[at - 1] > GAP_S]
        bounds = pairwise([0, *gaps, len(self.rows)])
        return [(self.rows[begin:end], self.ends_s[end - 1]) for begin, end in bounds]

    @cached_property
    def stretches(self) -> list[tuple[str, float, float]]:
        """(answer, start, end) of each part of a visit with one answer; times in seconds."""
        found: list[tuple[str, float, float]] = []
        for rows, end_s in self.visits:
            parts = [(name, next(part).time_s) for name, part in groupby(rows, lambda row: row.prediction.answer)]
            ends_s = [*(begin_s for _, begin_s in parts[1:]), end_s]
            found += [(name, begin_s, to_s) for (name, begin_s), to_s in zip(parts, ends_s, strict=True)]
        return found


def people(
    rows: Iterable[FaceRecord],
    now_s: float | None = None,
    cuts_s: Sequence[float] = (),
    readings_s: Sequence[float] = (),
) -> list[Person]:
    """All people in these rows, most frequently seen first.

    now_s: the time now, for a stream; people who are present then come first, followed by those who left last. cuts_s:
    when scenes began; nobody continues across a cut. readings_s: of a video, when each frame was read and when the last
    one ends; a row then holds until the next of these times or cuts, otherwise only at its own time.

    A track (the rows of one number) continues in a later track that begins where it ended: within AWAY_S and NEAR, at
    about the same size; or, if either lasts less than BRIEF_S, within BRIEF_GAP_S and BRIEF_GROWTH. If several fit, the
    nearest wins.
    """
    tracks: dict[int, list[FaceRecord]] = {}
    for row in sorted(rows, key=lambda row: row.time_s):
        tracks.setdefault(row.person, []).append(row)
    found: list[list[list[FaceRecord]]] = []  # a person's tracks, in order
    for track in tracks.values():  # by start time
        costs = [_cost(person[-1], track, cuts_s) for person in found]
        best = min(range(len(costs)), key=costs.__getitem__, default=-1)
        if best >= 0 and math.isfinite(costs[best]):
            found[best].append(track)
        else:
            found.append([track])
    changes_s = sorted({*readings_s, *cuts_s}) if readings_s else []
    persons = [_person(each, changes_s) for each in found]
    return sorted(persons, key=lambda person: _place(person, now_s))


def _person(tracks: list[list[FaceRecord]], changes_s: list[float]) -> Person:
    rows = [row for track in tracks for row in track]
    places = [bisect_right(changes_s, row.time_s) for row in rows]
    ends_s = [
        changes_s[place] if place < len(changes_s) else row.time_s for row, place in zip(rows, places, strict=True)
    ]
    return Person(tuple(track[0].person for track in tracks), tuple(rows), tuple(ends_s))


def _place(person: Person, now_s: float | None) -> tuple[float, ...]:
    often = (-len(person.rows), person.number)
    if now_s is None:
        return often
    here = now_s - person.end_s <= HERE_S
    return (0, *often) if here else (1, -person.end_s, *often)


def _cost(before: list[FaceRecord], after: list[FaceRecord], cuts_s: Sequence[float]) -> float:
    """The distance between two tracks, in box sides; infinite if they belong to different people."""
    left_s, came_s = before[-1].time_s, after[0].time_s
    if came_s <= left_s or any(left_s < cut_s <= came_s for cut_s in cuts_s):
        return math.inf
    one, other = before[-1].prediction.box, after[0].prediction.box
    brief = min(left_s - before[0].time_s, after[-1].time_s - came_s) < BRIEF_S and came_s - left_s <= BRIEF_GAP_S
    growth = abs(math.log(_side(other) / _side(one)))
    distance = math.dist(_center(one), _center(other)) / max(_side(one), _side(other))
    fits = (brief or came_s - left_s <= AWAY_S) and growth <= (BRIEF_GROWTH if brief else GROWTH) and distance <= NEAR
    return distance + growth if fits else math.inf


def _center(box: FaceBox) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def _side(box: FaceBox) -> float:
    return math.sqrt(max(box.area, 1e-6))
