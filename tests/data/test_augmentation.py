"""Random views of faces, with the answers computed by hand where nothing is random."""

from __future__ import annotations

import numpy as np
import torch

from fer.data.augmentation import Augmentation

STILL = Augmentation(flip=0, rotation=0, scale=0, shift=0, brightness=0, contrast=0)


def faces(count: int = 2) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48), dtype=np.uint8)


def test_augmentation_switched_off_is_the_center_crop():
    batch = torch.from_numpy(faces())
    views = STILL(batch, 44, np.random.default_rng(0))
    assert torch.allclose(views[:, 0], batch[:, 2:46, 2:46] / 255, atol=1e-5)


def test_a_mirror_image_and_a_shift_by_hand():
    batch = torch.from_numpy(faces())
    mirrored = Augmentation(flip=1, rotation=0, scale=0, shift=0, brightness=0, contrast=0)
    views = mirrored(batch, 44, np.random.default_rng(0))
    assert torch.allclose(views[:, 0], batch[:, 2:46, 2:46].flip(-1) / 255, atol=1e-5)


def test_augmentation_comes_from_its_generator_alone():
    batch, augment = torch.from_numpy(faces(8)), Augmentation(erasing=0.5)
    one, two = (augment(batch, 44, np.random.default_rng(3)) for _ in range(2))
    other = augment(batch, 44, np.random.default_rng(4))
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert one.min() >= 0 and one.max() <= 1
