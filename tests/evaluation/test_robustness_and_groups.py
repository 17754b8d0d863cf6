"""Stress is seeded, grows with its strength and leaves clean faces alone; slices group what the table says."""

from __future__ import annotations

import numpy as np
import pytest

from fer.conformal import LEVELS, PredictionSets
from fer.errors import DatasetError
from fer.evaluation.groups import read_metadata, slices_of, wilson
from fer.evaluation.robustness import (
    CONDITIONS,
    STRENGTHS,
    StressPoint,
    sample_strips,
    stress_report,
    stress_sentence,
    stressed,
    worst_first,
)
from fer.expressions import NAMES as EXPRESSIONS

YY, XX = np.mgrid[:48, :48]
FACE = (120 + 60 * np.sin(XX / 5) * np.cos(YY / 7)).astype(np.uint8)
FACES = np.stack([FACE, FACE.T, FACE[::-1]])


@pytest.mark.parametrize("condition", CONDITIONS)
def test_each_condition_is_seeded_and_grows(condition):
    before = FACES.copy()
    weak, strong = stressed(FACES, condition, 1), stressed(FACES, condition, 5)
    assert weak.shape == FACES.shape and weak.dtype == np.uint8
    assert np.array_equal(strong, stressed(FACES, condition, 5)) and np.array_equal(FACES, before)
    assert not np.array_equal(strong, stressed(FACES, condition, 5, seed=1)) or condition in (
        "contrast",
        "Gaussian blur",
        "JPEG quality",
        "resolution",
    )  # these draw nothing at random
    change = [np.abs(faces.astype(int) - FACES).mean() for faces in (weak, strong)]
    assert 0 < change[0] < change[1]


def test_the_report_is_relative_to_the_clean_pictures():
    labels = np.array([0, 0, 1])

    def predict(faces):  # right on clean faces, then always 0, by a half
        named = labels if np.array_equal(faces, FACES) else np.zeros(3, int)
        return np.eye(7)[named] / 2

    sets = PredictionSets("lac", {"none": {name: (0.5,) * len(LEVELS) for name in EXPRESSIONS}})
    points = list(stress_report(predict, FACES, labels, ("noise",), sets=sets))
    assert points[0].coverage == pytest.approx(2 / 3) and points[0].mean_size == 1
    assert next(stress_report(predict, FACES, labels, ("noise",))).coverage is None
    assert [point.strength for point in points] == list(STRENGTHS)
    assert points[0].change == pytest.approx(-1 / 3) and points[0].accuracy == pytest.approx(2 / 3)
    assert points[0].low < -1 / 3 < points[0].high


def test_each_condition_has_its_own_strip_that_starts_with_the_clean_face():
    strips = sample_strips(FACE)
    assert list(strips) == list(CONDITIONS)
    for strip in strips.values():
        assert strip.shape == (48, 48 * 6) and np.array_equal(strip[:, :48], FACE)


def points(**changes: tuple[float, ...]) -> list[StressPoint]:
    """Of each condition one point a strength, with these changes of accuracy."""
    return [
        StressPoint(name, strength, 0.7 + change, change, change - 0.01, change + 0.01)
        for name, each in changes.items()
        for strength, change in enumerate(each, 1)
    ]


def test_the_worst_condition_comes_first_and_opens_the_summary():
    found = points(scale=(0.0, -0.01), noise=(-0.02, -0.31), shift=(-0.12, -0.05))
    worst = worst_first(found)
    assert list(worst) == ["noise", "shift", "scale"] and worst["shift"].strength == 1
    words = "Loses most under noise: 31 points at strength 2. Least under scale: 1 point."
    assert stress_sentence(found) == words
    assert stress_sentence(points(noise=(-0.02,), scale=(0.01,))).endswith("Least under scale: nothing.")
    assert stress_sentence(points(noise=(-0.004, 0.0))) == "Loses no accuracy under 1 condition."
    assert stress_sentence(points(noise=(-0.05,))) == "Loses most under noise: 5 points at strength 1."


NAMES = [f"test/happy/{index}.png" for index in range(120)]


def table(rows) -> bytes:
    return ("file,age,note\n" + "\n".join(rows)).encode()


def test_groups_by_name_with_the_largest_gap_first():
    rows = [f"{index}.png,{'young' if index < 60 else 'old'},{index}" for index in range(100)]
    metadata = read_metadata(table(rows), NAMES)
    assert metadata.matched == 100 and metadata.skipped == ("note",)
    labels = np.full(120, 3)
    old, young = slices_of(metadata, np.where(np.arange(120) < 60, 3, 0), labels)
    assert (young.macro_f1, old.macro_f1, young.gap) == (1, 0, 0)  # old is too few to make a gap
    assert (old.value, old.faces, old.accuracy, old.few) == ("old", 40, 0, True)
    assert (young.value, young.faces, young.accuracy, young.few) == ("young", 60, 1, False)
    assert young.low < 0.95 and young.high == pytest.approx(1)
    members = np.zeros((120, 7), bool)
    members[:90, 3] = members[:, 6] = True
    old, young = slices_of(metadata, np.where(np.arange(120) < 60, 3, 0), labels, members)
    assert (old.coverage, old.mean_size, young.coverage, young.mean_size) == (0.75, 1.75, 1, 2)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xfe\x00", "UTF-8"),
        (b"", "no column"),
        (b"age\n3\n", "no column"),
        (b"file,age\nother.png,3\n", "None of"),
    ],
)
def test_tables_that_do_not_fit(data, says):
    with pytest.raises(DatasetError, match=says):
        read_metadata(data, NAMES)


def test_wilson_by_hand():
    low, high = wilson(np.array([1, 1, 0, 0], bool))
    assert low == pytest.approx(0.15, abs=0.001) and high == pytest.approx(0.85, abs=0.001)


def test_a_table_as_a_spreadsheet_writes_it():
    """The column `file` names the pictures, whatever else is called so; blank rows and titles that come again."""
    rows = [f"Person {index},{index}.png,{index % 30 + 1},{'a' if index else 'b'}" for index in range(60)]
    text = "\n".join(["name,file,age,age", *rows, ",,,", ",,,"])
    found = read_metadata(text.encode(), [f"{index}.png" for index in range(61)])  # the last one is not in the table
    assert (found.matched, found.unused, found.repeated) == (60, 0, 0)
    assert list(found.columns) == ["age", "age 2"] and found.skipped == ("name",)
    assert found.columns["age 2"].tolist() == ["b", *["a"] * 59, ""]


def test_names_match_only_where_they_are_one_picture():
    names = ["happy/1.png", "sad/1.png", "sad/2.png"]
    found = read_metadata(b"file;age\nhappy\\1.png;a\n1.png;b\n2.png;c\nno.png;d\n2.png;e\n", names)
    assert found.columns["age"].tolist() == ["a", "", "e"]
    assert (found.matched, found.unused, found.repeated) == (2, 2, 1)
