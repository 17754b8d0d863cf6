from __future__ import annotations

from datetime import datetime

from fer import wording


def test_a_percentage_has_no_space_and_no_signed_zero() -> None:
    assert wording.percent(0.685) == "68%"
    assert wording.percent(0.685, 1) == "68.5%"
    assert wording.percent(-0.0001) == "0%"


def test_two_percentages_that_differ_are_told_apart() -> None:
    assert wording.percents_apart(0.37, 0.5019) == ("37%", "50%")
    assert wording.percents_apart(0.498, 0.5019) == ("49.8%", "50.2%")  # both are 50%
    assert wording.percents_apart(0.50184, 0.5019) == ("50.18%", "50.19%")
    assert wording.percents_apart(0.5, 0.5) == ("50.000%", "50.000%")


def test_a_change_in_points_is_singular_plural_and_never_minus_zero() -> None:
    assert wording.points(-0.01) == "1 point"
    assert wording.points(0.12) == "12 points"
    assert wording.points(0.001) == "0 points"
    assert wording.signed(0.031) == "+3"
    assert wording.signed(-0.12) == "-12"
    assert wording.signed(-0.004) == "0"


def test_a_count_agrees_with_its_noun() -> None:
    assert wording.count_of(1, "photo") == "1 photo"
    assert wording.count_of(0, "photo") == "0 photos"
    assert wording.count_of(1200, "photo") == "1,200 photos"
    assert wording.count_of(2, "face in view", "faces in view") == "2 faces in view"


def test_a_file_size_has_a_fitting_unit() -> None:
    sizes = {0: "1 KB", 119_000: "116 KB", 1023 * 1024: "1.0 MB", 2_500_000: "2.4 MB"}
    assert {size: wording.file_size(size) for size in sizes} == sizes


def test_a_length_of_time_and_a_range_of_two() -> None:
    assert [wording.duration(seconds) for seconds in (0.2, 89, 100, 3600, 9000)] == [
        "1 s",
        "89 s",
        "2 min",
        "60 min",
        "2.5 h",
    ]
    assert wording.duration_range(40, 60) == "40 to 60 s"
    assert wording.duration_range(50, 130) == "50 s to 2 min"
    assert wording.duration_range(840, 845) == "14 min"


def test_a_date_names_another_year_alone() -> None:
    year = datetime.now().year
    assert wording.date_and_time(datetime(year, 11, 25, 13, 44)) == "Nov 25, 1:44 PM"
    assert wording.date_and_time(datetime(year, 11, 25, 13, 44, 5), seconds=True) == "Nov 25, 1:44:05 PM"
    assert wording.date_and_time(datetime(year, 3, 5, 0, 9)) == "Mar 5, 12:09 AM"
    assert wording.date_and_time(datetime(year - 2, 3, 5, 12, 0)) == f"Mar 5, {year - 2}, 12:00 PM"
