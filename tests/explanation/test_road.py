"""Noisy linear imputation: by hand, and against the same system solved densely."""

from __future__ import annotations

import numpy as np
import pytest

from fer.explanation.faithfulness import FRACTIONS, curves, gray
from fer.explanation.road import DIAGONAL, NOISE, STRAIGHT, imputed


@pytest.fixture
def face():
    return np.random.default_rng(0).normal(size=(1, 1, 8, 8)).astype(np.float32)


def test_a_lone_pixel_is_the_weighted_mean_of_its_neighbors(face):
    mask = np.zeros((1, 8, 8), bool)
    mask[0, 3, 4] = True
    pixels = face[0, 0]
    straight = pixels[2, 4] + pixels[4, 4] + pixels[3, 3] + pixels[3, 5]
    diagonal = pixels[2, 3] + pixels[2, 5] + pixels[4, 3] + pixels[4, 5]
    found = imputed(face, mask)
    assert found[0, 0, 3, 4] == pytest.approx(straight / 6 + diagonal / 12, abs=5 * NOISE)
    assert np.array_equal(found[0, 0][~mask[0]], pixels[~mask[0]])


def test_a_corner_is_the_mean_of_the_three_that_are_there(face):
    mask = np.zeros((1, 8, 8), bool)
    mask[0, 0, 0] = True
    pixels = face[0, 0]
    expected = (STRAIGHT * (pixels[0, 1] + pixels[1, 0]) + DIAGONAL * pixels[1, 1]) / (2 * STRAIGHT + DIAGONAL)
    assert imputed(face, mask)[0, 0, 0, 0] == pytest.approx(expected, abs=5 * NOISE)


def test_a_patch_solves_the_system_of_its_pixels(face):
    mask = np.zeros((8, 8), bool)
    mask[2:6, 0:4] = True
    found = imputed(face, mask[None])[0, 0].astype(float)
    found[mask] -= np.random.default_rng(0).normal(0, NOISE * float(face.std()), 64).reshape(8, 8)[mask]
    for row, column in zip(*np.nonzero(mask), strict=True):
        total = weight_sum = 0.0
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                if (down or right) and 0 <= row + down < 8 and 0 <= column + right < 8:
                    weight = DIAGONAL if down and right else STRAIGHT
                    total, weight_sum = total + weight * found[row + down, column + right], weight_sum + weight
        assert found[row, column] == pytest.approx(total / weight_sum, abs=1e-4)


def test_a_smooth_face_comes_back_and_gray_leaves_a_hole():
    slope = np.tile(np.linspace(-1, 1, 12, dtype=np.float32), (12, 1))[None, None]
    mask = np.zeros((1, 12, 12), bool)
    mask[0, 4:8, 1:5] = True
    assert np.abs(imputed(slope, mask) - slope).max() < 0.1 < np.abs(gray(slope, mask) - slope).max()


def test_where_nothing_stays_there_is_gray_and_where_nothing_goes_the_face(face):
    everything, nothing = np.ones((1, 8, 8), bool), np.zeros((1, 8, 8), bool)
    assert np.abs(imputed(face, everything) - face.mean()).max() < 5 * NOISE * face.std()
    assert np.array_equal(imputed(face, nothing), face)
    assert np.array_equal(imputed(face, everything), imputed(face, everything))


def test_curves_take_the_fill(face):
    def brightness(batch):
        return np.stack([batch.mean((1, 2, 3))] * 2, 1)

    found = curves(brightness, face, face[0, 0] - face.min(), 0, imputed)
    assert len(found.deletion) == len(FRACTIONS)
    assert found.deletion[0] == pytest.approx(float(face.mean()), abs=1e-6) == found.insertion[-1]
