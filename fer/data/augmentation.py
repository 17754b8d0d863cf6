"""Random views of training faces, computed in batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

from fer.data.corruptions import DAMAGES

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_DAMAGE = 0.8  # as a share of the stress report's strongest


@dataclass(frozen=True)
class Augmentation:
    """Random views of a training face; a strength of 0 turns that part off."""

    flip: float = 0.5  # share of faces mirrored
    rotation: float = 8.0  # degrees, either way
    scale: float = 0.08  # relative change of size, either way
    shift: float = 2.0  # pixels in each direction
    brightness: float = 0.2  # share of the full range, either way
    contrast: float = 0.2  # relative change, either way
    erasing: float = 0.0  # share of faces with a block grayed out
    damage: float = 0.0  # share of faces with a corruption of fer.data.corruptions

    def __call__(self, faces: torch.Tensor, size: int, rng: np.random.Generator) -> torch.Tensor:
        """Faces (N, H, H) uint8 -> (N, 1, size, size) float32 in 0..1, drawn from `rng` alone."""
        count, full = faces.shape[0], faces.shape[-1]

        def spread(strength: float) -> NDArray[np.float64]:
            return rng.uniform(-strength, strength, count)

        angle = np.deg2rad(spread(self.rotation))
        zoom = (1 + spread(self.scale)) * size / full
        mirror = np.where(rng.random(count) < self.flip, -1.0, 1.0)
        shift = np.stack([spread(self.shift), spread(self.shift)], 1) * 2 / full
        theta = np.empty((count, 2, 3), np.float32)  # maps view coordinates to face coordinates
        theta[:, 0, 0], theta[:, 0, 1] = zoom * np.cos(angle) * mirror, -zoom * np.sin(angle)
        theta[:, 1, 0], theta[:, 1, 1] = zoom * np.sin(angle) * mirror, zoom * np.cos(angle)
        theta[:, :, 2] = shift
        light = rng.uniform(1 - self.contrast, 1 + self.contrast, count), spread(self.brightness)
        contrast, brightness = (torch.from_numpy(x.astype(np.float32)).view(-1, 1, 1, 1) for x in light)

        unit = faces.unsqueeze(1).float() / 255
        grid = F.affine_grid(torch.from_numpy(theta), [count, 1, size, size], align_corners=False).to(unit.device)
        views = F.grid_sample(unit, grid, padding_mode="border", align_corners=False)
        views = ((views - 0.5) * contrast.to(unit.device) + 0.5 + brightness.to(unit.device)).clamp(0, 1)
        if self.erasing > 0:
            views = self._erase(views, rng)
        return self._damage(views, rng) if self.damage > 0 else views

    def _damage(self, views: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Apply one corruption, at a random strength up to MOST_DAMAGE, to some faces."""
        rows = np.flatnonzero(rng.random(len(views)) < self.damage)
        if not len(rows):
            return views
        names = rng.choice(list(DAMAGES), len(rows))
        grays = (views[rows, 0] * 255).cpu().numpy()
        faces = [
            np.clip(DAMAGES[name](gray, rng.uniform(0, MOST_DAMAGE), rng), 0, 255)
            for name, gray in zip(names, grays, strict=True)
        ]
        views[rows, 0] = torch.from_numpy(np.stack(faces).astype(np.float32) / 255).to(views.device)
        return views

    def _erase(self, views: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Gray out a block of 4 to 20% of some faces (Zhong et al. 2020)."""
        size = views.shape[-1]
        for index in np.flatnonzero(rng.random(len(views)) < self.erasing):
            share, ratio = rng.uniform(0.04, 0.2), np.exp(rng.uniform(np.log(0.5), np.log(2)))
            height = min(int(size * np.sqrt(share * ratio)) + 1, size)
            width = min(int(size * np.sqrt(share / ratio)) + 1, size)
            top, left = rng.integers(0, size - height + 1), rng.integers(0, size - width + 1)
            views[index, :, top : top + height, left : left + width] = float(rng.random())
        return views
