"""Who is whose row in a timeline: joined where it is the same person, never two who are there at once."""

from __future__ import annotations

from fer.expressions import NAMES
from fer.inference.timeline import AWAY_S, people
from fer.records import FaceBox, FaceRecord, Prediction


def row(time_s: float, person: int, x: float = 100, side: float = 60, told: str = "happy", sure: bool = True):
    box = FaceBox(x - side / 2, 100 - side / 2, side, side, detector="yunet")
    probabilities = tuple(0.4 if name == told else 0.1 for name in NAMES)
    return FaceRecord(Prediction(box, probabilities, sure), time_s=time_s, person=person)


def track(person: int, begin: float, end: float, **where) -> list[FaceRecord]:
    """A reading each fifth of a second."""
    return [row(begin + step / 5, person, **where) for step in range(round(5 * (end - begin)) + 1)]


def numbers(rows, **options) -> list[tuple[int, ...]]:
    return [person.numbers for person in people(rows, **options)]


def test_who_left_for_a_moment_and_comes_back_close_by_is_the_same():
    left = track(1, 0, 4)
    assert numbers([*left, *track(2, 7, 9, x=130)]) == [(1, 2)]
    assert numbers([*left, *track(2, 7, 9, x=170)]) == [(1,), (2,)]  # more than a side away
    assert numbers([*left, *track(2, 7, 9, side=140)]) == [(1,), (2,)]  # another size
    assert numbers([*left, *track(2, 4.2 + AWAY_S, 12)]) == [(1,), (2,)]  # too late
    assert numbers([*left, *track(2, 6, 9), *track(3, 10, 11)]) == [(1, 2, 3)]


def test_a_track_of_under_a_second_belongs_to_the_one_before_or_after_it():
    half_hidden = {"side": 24.0}  # the tracker took a face half hidden for another one
    assert numbers([*track(1, 0, 4), *track(2, 4.4, 4.8, **half_hidden)]) == [(1, 2)]
    assert numbers([*track(1, 0, 0.4, **half_hidden), *track(2, 0.8, 4)]) == [(1, 2)]
    assert numbers([*track(1, 0, 4), *track(2, 4.4, 4.8, **half_hidden), *track(3, 5.2, 9)]) == [(1, 2, 3)]
    assert numbers([*track(1, 0, 4), *track(2, 5.4, 5.8, **half_hidden)]) == [(1,), (2,)]  # more than a second later
    assert numbers([*track(1, 0, 4), *track(2, 4.4, 6, **half_hidden)]) == [(1,), (2,)]  # not brief


def test_two_who_are_there_at_the_same_time_are_never_one():
    assert numbers([*track(1, 0, 4), *track(2, 4, 8)]) == [(1,), (2,)]  # in one and the same frame
    assert numbers([*track(1, 0, 4), *track(2, 3.8, 4.2, x=110)]) == [(1,), (2,)]
    both = [*track(1, 0, 4), *track(2, 5, 9, x=90), *track(3, 6, 8, x=105)]
    assert numbers(both) == [(1, 2), (3,)]  # one of the two who came is whoever left
    for person in people(both):
        times = [one.time_s for one in person.rows]
        assert times == sorted(set(times))


def test_of_two_who_left_the_nearest_comes_back():
    rows = [*track(1, 0, 4, x=100), *track(2, 0, 4.2, x=150), *track(3, 6, 8, x=142)]
    assert numbers(rows) == [(2, 3), (1,)]


def test_nobody_is_the_same_on_both_sides_of_a_cut():
    rows = [*track(1, 0, 4), *track(2, 4.2, 8)]
    assert numbers(rows) == [(1, 2)] and numbers(rows, cuts_s=[4.2]) == [(1,), (2,)]
    assert numbers(rows, cuts_s=[2.0, 6.0]) == [(1, 2)]


def test_who_is_there_now_comes_first_and_nobody_is_left_out():
    """Twelve people far apart, each there for three seconds, the first for six, and a second after the one before."""
    rows = [one for at in range(12) for one in track(at + 1, at, at + (6 if at == 0 else 3), x=300 * at)]
    assert [each[0] for each in numbers(rows)] == list(range(1, 13))  # the most often first
    now = [each[0] for each in numbers(rows, now_s=14.5)]
    assert now == [11, 12, 10, 9, 8, 7, 6, 5, 1, 4, 3, 2]  # 1 and 4 left at 6 s, 1 was seen more often


def test_stretches_end_with_another_answer_and_with_an_absence():
    rows = [*track(1, 0, 1), *track(1, 1.2, 2, told="sad"), row(2.2, 1, sure=False), *track(1, 5, 6)]
    (person,) = people(rows)
    told = [(name, round(begin, 1), round(end, 1)) for name, begin, end in person.stretches]
    assert told == [("happy", 0.0, 1.2), ("sad", 1.2, 2.2), ("not sure", 2.2, 2.2), ("happy", 5.0, 6.0)]
    assert person.label == "person 1" and person.end_s == 6.0


def test_a_video_s_reading_holds_until_the_next_one():
    """A slide each 5 s, the last one for 3 s; the person is on slides 1, 2 and 4."""
    (person,) = people([row(0.0, 1), row(5.0, 1), row(15.0, 1, told="sad")], readings_s=[0.0, 5.0, 10.0, 15.0, 18.0])
    assert person.ends_s == (5.0, 10.0, 18.0) and person.end_s == 15.0
    assert person.stretches == [("happy", 0.0, 10.0), ("sad", 15.0, 18.0)]
    told = [row(0.0, 1), row(5.0, 1, told="sad"), row(10.0, 1, told="sad"), row(15.0, 1)]
    (person,) = people(told, readings_s=[0.0, 5.0, 10.0, 15.0, 20.0])
    assert person.stretches == [("happy", 0.0, 5.0), ("sad", 5.0, 15.0), ("happy", 15.0, 20.0)]


def test_a_video_s_reading_ends_at_a_cut():
    rows = [row(0.0, 1), row(1.0, 1), row(2.0, 2)]
    found = people(rows, cuts_s=[1.5], readings_s=[0.0, 1.0, 2.0, 3.0])
    assert [person.stretches for person in found] == [[("happy", 0.0, 1.5)], [("happy", 2.0, 3.0)]]


def test_a_short_absence_in_a_video_is_no_gap():
    """Read ten times a second; away for 0.5 s, then for 1.5 s."""
    times = [index / 10 for index in range(100)]
    rows = [row(at, 1) for at in times if not (2 <= at < 2.5 or 5 <= at < 6.5)]
    (person,) = people(rows, readings_s=[*times, 10.0])
    assert person.stretches == [("happy", 0.0, 5.0), ("happy", 6.5, 10.0)]
    assert [(visit[0].time_s, visit[-1].time_s, end_s) for visit, end_s in person.visits] == [
        (0.0, 4.9, 5.0),
        (6.5, 9.9, 10.0),
    ]
