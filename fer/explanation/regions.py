"""Compare the parts of the face that a map marks with those that the expression is expected to move."""

from __future__ import annotations

from typing import Literal

import numpy as np

from fer.expressions import ACTION_UNIT_NAMES, ACTION_UNITS
from fer.records import FaceBox
from fer.vision.alignment import REFERENCE, Crop, face_crop
from fer.wording import percent

OUTSIDE = "outside the face"
REST = "forehead and chin"
REGIONS = ("brows", "eyes", "nose", "mouth", "cheeks", REST, OUTSIDE)
PARTS = REGIONS[:5]

MAINLY_SHARE, MAINLY_TIMES = 0.5, 1.5  # "mainly": this share of a map, or this many times an even map's share

# Right eye, left eye, nose tip, mouth corners in FER2013's 48 x 48, for detectors without landmarks:
# the medians of fer.vision.alignment, with nose and mouth width from common proportions.
TEMPLATE = ((15.2, 18.4), (32.2, 18.4), (23.7, 28.4), (17.2, 35.6), (30.2, 35.6))


def landmarks_in_input(box: FaceBox, face_size: int, input_size: int) -> np.ndarray:
    """The five landmarks in pixels of the network's input, (5, 2); the template's if there are none."""
    margin = (face_size - input_size) // 2
    if box.landmarks is None or box.whole:
        return np.array(TEMPLATE) * face_size / REFERENCE - margin
    crop: Crop = face_crop(box)
    cosine, sine = np.cos(crop.roll), np.sin(crop.roll)
    away = np.array(box.landmarks) - [crop.center_x, crop.center_y]
    upright = away @ np.array([[cosine, -sine], [sine, cosine]])
    return upright * face_size / crop.side + face_size / 2 - margin


def region_labels(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Each pixel's region, as an index into REGIONS: landmarks (5, 2) -> (S, S) int.

    Computed in the face's own frame: the origin is between the eyes, the unit is their distance.
    """
    eyes, nose, mouth = landmarks[:2].mean(0), landmarks[2], landmarks[3:].mean(0)
    axis = landmarks[1] - landmarks[0]
    unit = max(float(np.hypot(*axis)), 1.0)
    right, down = axis / unit, np.array([-axis[1], axis[0]]) / unit
    rows, columns = np.mgrid[:size, :size] + 0.5
    points = np.stack([columns, rows], -1) - eyes
    x, y = points @ right / unit, points @ down / unit
    mouth_x, mouth_y = (mouth - eyes) @ right / unit, (mouth - eyes) @ down / unit
    nose_y = (nose - eyes) @ down / unit
    half_mouth = np.hypot(*(landmarks[4] - landmarks[3])) / 2 / unit

    labels = np.full((size, size), REGIONS.index(OUTSIDE))
    inside = (x / 1.1) ** 2 + ((y - 0.4) / 1.45) ** 2 <= 1
    areas = {
        REST: inside,
        "cheeks": inside & (y > 0.2) & (y < mouth_y + 0.1),
        "nose": (abs(x) < 0.32) & (y > -0.15) & (y < nose_y + 0.2),
        "mouth": (abs(x - mouth_x) < half_mouth + 0.2) & (y > mouth_y - 0.22) & (y < mouth_y + 0.36),
        "eyes": (abs(abs(x) - 0.5) < 0.34) & (abs(y) <= 0.2),
        "brows": (abs(x) < 0.94) & (y > -0.62) & (y < -0.2),
    }
    for name, area in areas.items():
        labels[area] = REGIONS.index(name)
    return labels


def shares(evidence: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The share of a map's evidence (S, S), never negative, in each region; all 0 for a blank map."""
    mass = np.bincount(labels.ravel(), evidence.ravel().astype(np.float64), len(REGIONS))
    return dict(zip(REGIONS, (mass / max(mass.sum(), 1e-300)).tolist(), strict=True))


def areas(labels: np.ndarray) -> dict[str, float]:
    """The share of the picture that each region covers, which is an even map's share."""
    return shares(np.ones(labels.shape), labels)


def expected_regions(expression: str) -> dict[str, list[str]]:
    """Where an expression's action units show: region -> movements."""
    found: dict[str, list[str]] = {}
    for unit in ACTION_UNITS[expression]:
        moves, region = ACTION_UNIT_NAMES[unit]
        found.setdefault(region, []).append(moves)
    return found


def leading(found: dict[str, float], even: dict[str, float]) -> tuple[list[str], bool]:
    """The one or two regions with most of a map, and whether the map is mainly there.

    even: an even map's shares. "Mainly": more than an even map's share, and at least half of the map or 1.5 times that.
    """
    first, second = sorted(REGIONS, key=lambda region: -found[region])[:2]
    most = [first, second] if found[second] >= max(0.2, found[first] / 2) else [first]
    mass, area = sum(found[region] for region in most), sum(even[region] for region in most)
    return most, mass > area and (mass > MAINLY_SHARE or mass > MAINLY_TIMES * area)


def in_words(
    expression: str,
    found: dict[str, float],
    even: dict[str, float],
    predicted: bool = True,
    marks: Literal["value", "size"] = "value",
) -> str:
    """A sentence or two about where an expression's map lies, and whether that is expected.

    found, even: the shares of the map and of an even one, by region. marks: the method's evidence; a magnitude shows
    where the score is sensitive, not what favors it.
    """
    if not any(found.values()):
        return f"Nothing in this face favors {expression}: the map is empty."
    most, mainly = leading(found, even)
    if marks == "size":
        start = (
            f"The score for {expression} reacts mainly to changes at"
            if mainly
            else f"The score for {expression} reacts to changes all over the picture, most of all at"
        )
    elif predicted:
        start = (
            f"The answer {expression} rests mainly on"
            if mainly
            else f"The answer {expression} rests on the whole picture, most of all on"
        )
    else:
        start = (
            f"{expression.capitalize()} is favored mainly by"
            if mainly
            else f"{expression.capitalize()} is favored all over the picture, most of all by"
        )
    outside = "" if OUTSIDE in most else f" {percent(found[OUTSIDE])} of the map lies outside the face."
    return f"{start} {named(most, found)}{_judged(expression, most)}.{outside}"


def named(regions: list[str], found: dict[str, float]) -> str:
    """Regions with their shares, for a sentence."""
    return " and ".join(
        f"{'what is ' if region == OUTSIDE else 'the '}{region} ({percent(found[region])})" for region in regions
    )


def _judged(expression: str, most: list[str]) -> str:
    expected = expected_regions(expression)
    if not expected:
        return f"; {expression} moves no part of the face"
    hits = [region for region in most if region in expected]
    moves = ", ".join(move for region in hits for move in expected[region])
    if len(hits) == len(most):
        return f", where {expression} usually shows ({moves})"
    if hits:
        return f", partly where {expression} usually shows ({moves})"
    there = ", ".join(f"{region}: " + ", ".join(expected[region]) for region in expected)
    return f", not where {expression} usually shows ({there})"
