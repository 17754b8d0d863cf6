"""One preprocessing in two implementations, with answers computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fer.errors import WeightsError
from fer.models.weights import find_weights, read_card, shipped_names
from fer.preprocessing import TTA, Preprocessing, center_crop
from fer.training.preprocessing import normalize, prepare

CARDS = {
    "default": Preprocessing(),
    "dataset": Preprocessing(standardise="dataset", mean=0.4, deviation=0.3),
    "small": Preprocessing(44, 40, "dataset"),
    "large": Preprocessing(face_size=96, input_size=88),
}


def faces(count: int = 2, size: int = 48) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size), dtype=np.uint8)


def torch_views(description: Preprocessing, batch: torch.Tensor, tta: str) -> list[torch.Tensor]:
    """The views of test-time augmentation, written plainly with PyTorch's own resize."""
    unit, size = batch.unsqueeze(1).double() / 255, description.face_size
    if unit.shape[-1] != size:
        unit = torch.nn.functional.interpolate(
            unit, size=(size, size), mode="bilinear", antialias=True, align_corners=False
        )
    far = size - description.input_size
    middle = (far // 2, far // 2)
    corners = [(0, 0), (0, far), (far, 0), (far, far), middle] if tta == "tencrop" else [middle]
    side = description.input_size
    crops = [unit[..., top : top + side, left : left + side] for top, left in corners]
    if tta != "none":
        crops += [crop.flip(-1) for crop in crops]
    return [normalize(description, crop) for crop in crops]


def test_per_picture_standardization_by_hand():
    picture = np.zeros((1, 8, 8), np.uint8)
    picture[:, :, 4:] = 255  # half 0, half 1: mean 0.5, deviation 0.5
    batch = Preprocessing(face_size=8, input_size=8)(picture)
    assert batch.shape == (1, 1, 8, 8) and batch.dtype == np.float32
    assert batch[0, 0, 0, 0] == -1 and batch[0, 0, 0, 7] == 1


def test_data_set_standardization_by_hand():
    picture = np.full((1, 8, 8), 51, np.uint8)  # 0.2
    batch = Preprocessing(face_size=8, input_size=8, standardise="dataset", mean=0.1, deviation=0.5)(picture)
    assert np.allclose(batch, 0.2, atol=1e-6)


def test_a_constant_picture_stays_finite():
    assert np.abs(Preprocessing()(np.full((1, 48, 48), 90, np.uint8))).max() < 1e-9


def test_the_views_of_test_time_augmentation():
    description, batch = Preprocessing(), faces(1)
    plain, mirrored = description.views(batch, "flip")
    assert np.array_equal(plain, description(batch)) and np.array_equal(mirrored, plain[..., ::-1])
    ten = description.views(batch, "tencrop")
    assert len(ten) == 10 and all(view.shape == (1, 1, 44, 44) for view in ten)
    assert np.array_equal(ten[4], plain) and np.array_equal(ten[9], mirrored)
    assert np.allclose(ten[0], description.normalize(batch[:, None, :44, :44] / 255))
    with pytest.raises(ValueError, match="tta"):
        description.views(batch, "five")


@pytest.mark.parametrize("tta", TTA)
@pytest.mark.parametrize("size", [48, 47, 31, 97, 200])
@pytest.mark.parametrize("card", [*CARDS, *shipped_names()])
def test_numpy_and_torch_agree_within_a_millionth(card, size, tta):
    description = CARDS[card] if card in CARDS else read_card(find_weights(card)).preprocessing
    batch = faces(3, size)
    batch[2] = 90 + batch[2] // 128  # a face that is nearly one gray: standardizing magnifies what rounding does
    pairs = zip(description.views(batch, tta), torch_views(description, torch.from_numpy(batch), tta), strict=True)
    for ours, theirs in pairs:
        assert ours.dtype == np.float32 and ours.flags.c_contiguous
        assert np.abs(ours - theirs.numpy()).max() < 1e-6
    assert np.abs(description(batch) - prepare(description, torch.from_numpy(batch)).numpy()).max() < 1e-6


def test_arrays_with_negative_strides_are_read_as_they_look():
    batch = faces(3)
    turned = batch[::-1, ::-1, ::-1]
    assert np.array_equal(Preprocessing()(turned), Preprocessing()(np.ascontiguousarray(turned)))


def test_no_faces_give_an_empty_batch():
    assert Preprocessing()(faces(0)).shape == (0, 1, 44, 44)


def test_faces_of_another_size_than_the_cards_are_resized():
    large = Preprocessing(face_size=96, input_size=88)
    assert large.views(faces(), "tencrop")[9].shape == (2, 1, 88, 88)
    seen = large(faces()).reshape(2, 44, 2, 44, 2).mean((2, 4))  # the same part of the face
    assert np.corrcoef(seen.ravel(), Preprocessing()(faces()).ravel())[0, 1] > 0.8


def test_center_crop_of_an_odd_rest_leans_to_the_top_left():
    assert center_crop(np.arange(25).reshape(5, 5), 2).tolist() == [[6, 7], [11, 12]]


def test_the_description_survives_json_and_refuses_nonsense():
    description = Preprocessing(standardise="dataset", mean=0.4)
    assert Preprocessing.from_json(description.to_json()) == description
    for nonsense in ({"input_size": 60}, {"standardise": "other"}, {"unknown": 1}, {"deviation": 0}, "text"):
        with pytest.raises(WeightsError):
            Preprocessing.from_json(nonsense)
