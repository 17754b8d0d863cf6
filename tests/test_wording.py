from __future__ import annotations

from fer import wording


def test_a_percentage_has_no_space_and_no_signed_zero() -> None:
    assert wording.percent(0.685) == "68%"
    assert wording.percent(0.685, 1) == "68.5%"
    assert wording.percent(-0.0001) == "0%"


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
