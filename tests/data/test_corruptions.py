"""What a photograph does to faces: nothing at strength 0 where that is meant, seeded, within the gray range."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fer.data.augmentation import Augmentation
from fer.data.corruptions import DAMAGES, resolution, side_light

FACE = np.random.default_rng(0).integers(40, 200, (44, 44)).astype(np.float32)
STILL = {"flip": 0, "rotation": 0, "scale": 0, "shift": 0, "brightness": 0, "contrast": 0}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_fault_changes_the_face_and_repeats_by_its_seed(name):
    first, again = (DAMAGES[name](FACE.copy(), 0.8, np.random.default_rng(3)) for _ in range(2))
    assert first.shape == FACE.shape and (first == again).all() and np.abs(first - FACE).mean() > 1


def test_faults_by_hand():
    assert np.allclose(side_light(FACE, 0, np.random.default_rng(0)), FACE)
    even = np.full((44, 44), 100, np.float32)
    assert np.allclose(resolution(even, 1, None), 100)
    lit = side_light(even, 1, np.random.default_rng(1))
    assert lit.max() > 150 and lit.min() < 50 and abs(lit.mean() - 100) < 5  # one side up, the other down


def test_the_chosen_share_of_faces_is_damaged_and_no_other():
    faces = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (400, 48, 48), dtype=np.uint8))
    clean = Augmentation(**STILL)(faces, 44, np.random.default_rng(0))
    damaged = Augmentation(**STILL, damage=0.3)(faces, 44, np.random.default_rng(0))
    changed = (damaged != clean).flatten(1).any(1).float().mean()
    assert 0.2 < float(changed) < 0.4 and float(damaged.min()) >= 0 and float(damaged.max()) <= 1
