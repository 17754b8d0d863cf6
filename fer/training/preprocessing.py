"""fer.preprocessing in PyTorch, on the training device."""

from __future__ import annotations

import torch

from fer.preprocessing import DEVIATION_FLOOR, Preprocessing, resize_weights


def prepare(preprocessing: Preprocessing, faces: torch.Tensor) -> torch.Tensor:
    """Gray faces (N, S, S) uint8 -> (N, 1, input_size, input_size) float32, like `Preprocessing.__call__`."""
    unit = faces.unsqueeze(1).double() / 255
    size = preprocessing.face_size
    if unit.shape[-2:] != (size, size) and len(unit):
        across, down = (torch.tensor(resize_weights(length, size), device=unit.device) for length in unit.shape[-2:])
        unit = across @ unit @ down.T
    return normalize(preprocessing, _center_crop(unit, preprocessing.input_size))


def normalize(preprocessing: Preprocessing, unit: torch.Tensor) -> torch.Tensor:
    """Standardize a batch (N, 1, S, S) in 0..1, like `Preprocessing.normalize`. Returns float32."""
    wide = unit.double()
    if preprocessing.standardise == "dataset":
        return ((wide - preprocessing.mean) / preprocessing.deviation).float()
    deviation, mean = torch.std_mean(wide, dim=(1, 2, 3), keepdim=True, correction=0)
    return ((wide - mean) / deviation.clamp_min(DEVIATION_FLOOR)).float()


def _center_crop(batch: torch.Tensor, size: int) -> torch.Tensor:
    """(..., H, W) -> (..., size, size)."""
    top, left = (batch.shape[-2] - size) // 2, (batch.shape[-1] - size) // 2
    return batch[..., top : top + size, left : left + size]
