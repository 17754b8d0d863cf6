"""Lines over time: drawn where somebody was there, broken where not, and thinned without holes."""

from __future__ import annotations

from fer.inference.timeline import people
from fer.visualization.timeline_figures import MOST_POINTS, probability_lines
from tests.inference.test_timeline import row


def happy_line(rows, **options) -> list[tuple[float | None, float | None]]:
    (person,) = people(rows, **options)
    (line,) = [each for each in probability_lines(person, 0, 600).data if each.name == "happy"]
    return list(zip(line.x, line.y, strict=True))


def test_a_slideshow_s_lines_run_from_picture_to_picture_and_to_the_end():
    rows = [row(0.0, 1), row(5.0, 1, told="sad"), row(10.0, 1)]
    line = happy_line(rows, readings_s=[0.0, 5.0, 10.0, 15.0])
    assert line == [(0, 40), (5, 10), (10, 40), (15, 40)]


def test_lines_break_where_the_person_was_away():
    rows = [row(0.0, 1), row(10.0, 1, told="sad")]
    line = happy_line(rows, readings_s=[0.0, 5.0, 10.0, 15.0])
    assert line == [(0, 40), (5, 40), (None, None), (10, 10), (15, 10)]


def test_a_long_video_with_a_face_in_each_reading_is_one_line():
    """Ten minutes at 29.97 frames a second, read about ten times a second."""
    times = [index * 3.003 / 30 for index in range(5994)]
    line = happy_line([row(at, 1) for at in times], readings_s=[*times, 600.0])
    assert MOST_POINTS / 2 < len(line) <= MOST_POINTS + 1 and (None, None) not in line
    assert line[0] == (0, 40) and line[-1] == (600, 40)
