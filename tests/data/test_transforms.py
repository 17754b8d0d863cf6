"""One preprocessing for all, with the answers computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fer.data.transforms import Augmentation, Preprocessing
from fer.errors import WeightsError

STILL = Augmentation(flip=0, rotation=0, scale=0, shift=0, brightness=0, contrast=0)


def faces(count: int = 2) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48), dtype=np.uint8)


def test_per_picture_standardisation_by_hand():
    picture = np.zeros((1, 8, 8), np.uint8)
    picture[:, :, 4:] = 255                                     # half 0, half 1: mean 0.5, deviation 0.5
    batch = Preprocessing(face_size=8, input_size=8)(picture)
    assert batch.shape == (1, 1, 8, 8)
    assert batch[0, 0, 0, 0] == -1 and batch[0, 0, 0, 7] == 1


def test_data_set_standardisation_by_hand():
    picture = np.full((1, 8, 8), 51, np.uint8)                  # 0.2
    batch = Preprocessing(face_size=8, input_size=8, standardise="dataset", mean=0.1, deviation=0.5)(picture)
    assert torch.allclose(batch, torch.tensor(0.2), atol=1e-6)


def test_a_constant_picture_stays_finite():
    assert (Preprocessing()(np.full((1, 48, 48), 90, np.uint8)) == 0).all()


def test_the_views_of_test_time_augmentation():
    description, batch = Preprocessing(), faces(1)
    plain, mirrored = description.views(batch, "flip")
    assert torch.equal(plain, description(batch)) and torch.equal(mirrored, plain.flip(-1))
    ten = description.views(batch, "tencrop")
    assert len(ten) == 10 and all(view.shape == (1, 1, 44, 44) for view in ten)
    assert torch.equal(ten[4], plain) and torch.equal(ten[9], mirrored)
    corner = torch.from_numpy(batch[:, None, :44, :44]).float() / 255
    assert torch.allclose(ten[0], description.normalise(corner))
    with pytest.raises(ValueError, match="tta"):
        description.views(batch, "five")


def test_faces_of_another_size_than_the_cards_are_resized():
    large = Preprocessing(face_size=96, input_size=88)
    assert large.views(faces(), "tencrop")[9].shape == (2, 1, 88, 88)
    seen = torch.nn.functional.interpolate(large(faces()), size=(44, 44), mode="area")     # the same part of the face
    assert torch.corrcoef(torch.stack([seen.flatten(), Preprocessing()(faces()).flatten()]))[0, 1] > 0.8


def test_augmentation_switched_off_is_the_centre_crop():
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


def test_the_description_survives_json_and_refuses_nonsense():
    description = Preprocessing(standardise="dataset", mean=0.4)
    assert Preprocessing.from_json(description.to_json()) == description
    for nonsense in ({"input_size": 60}, {"standardise": "other"}, {"unknown": 1}, {"deviation": 0}, "text"):
        with pytest.raises(WeightsError):
            Preprocessing.from_json(nonsense)
