"""From grey faces to what a network sees: one description, used by training, prediction and explanation."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F

from fer.data.damage import DAMAGES
from fer.errors import WeightsError

TTA = ("none", "flip", "tencrop")
# A constant picture has no deviation; the floor is one grey level, so that noise is not blown up either.
DEVIATION_FLOOR = 1 / 255
MOST_DAMAGE = 0.8  # of the stress report's strongest


@dataclass(frozen=True)
class Preprocessing:
    """How a grey face becomes a network's input; saved on the card of every checkpoint.

    mean and deviation are those of FER2013's Training part in 0..1, used where standardise is "dataset".
    """

    face_size: int = 48                                  # side of the aligned face in pixels
    input_size: int = 44                                 # side of the crop that the network sees
    standardise: Literal["picture", "dataset"] = "picture"
    mean: float = 0.5077
    deviation: float = 0.2550

    def __post_init__(self) -> None:
        if not 8 <= self.input_size <= self.face_size <= 512:
            raise ValueError(f"input_size must be 8 to face_size, got {self.input_size} of {self.face_size}")
        if self.standardise not in ("picture", "dataset"):
            raise ValueError(f"standardise must be picture or dataset, got {self.standardise!r}")
        if not (math.isfinite(self.deviation) and self.deviation > 0):
            raise ValueError(f"deviation must be above 0, got {self.deviation}")
        if not math.isfinite(self.mean):
            raise ValueError(f"mean must be a number, got {self.mean}")

    def __call__(self, faces: np.ndarray | torch.Tensor) -> torch.Tensor:
        """Grey faces (N, S, S) uint8, resized to face_size if need be -> (N, 1, input_size, input_size) float32."""
        return self.normalise(centre_crop(self._sized(faces), self.input_size))

    def views(self, faces: np.ndarray | torch.Tensor, tta: str = "none") -> list[torch.Tensor]:
        """The batches whose probabilities test-time augmentation averages: 1, 2 (flip) or 10 of them."""
        unit = self._sized(faces)
        if tta == "none":
            crops = [centre_crop(unit, self.input_size)]
        elif tta == "flip":
            crops = [centre_crop(unit, self.input_size)]
            crops.append(crops[0].flip(-1))
        elif tta == "tencrop":
            far, size = self.face_size - self.input_size, self.input_size
            corners = [(0, 0), (0, far), (far, 0), (far, far), (far // 2, far // 2)]
            crops = [unit[..., top:top + size, left:left + size] for top, left in corners]
            crops += [crop.flip(-1) for crop in crops]
        else:
            raise ValueError(f"tta must be one of {', '.join(TTA)}, got {tta!r}")
        return [self.normalise(crop) for crop in crops]

    def _sized(self, faces: np.ndarray | torch.Tensor) -> torch.Tensor:
        """(N, S, S) uint8 -> (N, 1, face_size, face_size) in 0..1; a data set's faces are 48 x 48 for every card."""
        unit, size = to_unit(faces), (self.face_size, self.face_size)
        if unit.shape[-2:] == size or not len(unit):
            return unit
        return F.interpolate(unit, size=size, mode="bilinear", antialias=True, align_corners=False)

    def normalise(self, unit: torch.Tensor) -> torch.Tensor:
        """Standardise a batch (N, 1, S, S) in 0..1: each picture by itself, or all by the data set's numbers."""
        if self.standardise == "dataset":
            return (unit - self.mean) / self.deviation
        deviation, mean = torch.std_mean(unit, dim=(1, 2, 3), keepdim=True, correction=0)
        return (unit - mean) / deviation.clamp_min(DEVIATION_FLOOR)

    def to_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict) -> Preprocessing:
        """Raises WeightsError where a value is missing its meaning; unknown keys are refused too."""
        names = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or set(values) - names:
            raise WeightsError(f"The card's preprocessing is not understood. Expected only {', '.join(sorted(names))}.")
        kinds = {"face_size": int, "input_size": int, "standardise": str, "mean": int | float, "deviation": int | float}
        for name, value in values.items():
            if not isinstance(value, kinds[name]) or isinstance(value, bool):
                raise WeightsError(f"The card's preprocessing cannot be used: {name} is {str(value)[:40]!r}.")
        try:
            return cls(**values)
        except (OverflowError, ValueError) as error:
            raise WeightsError(f"The card's preprocessing cannot be used: {error}.") from None


def to_unit(faces: np.ndarray | torch.Tensor) -> torch.Tensor:
    """(N, S, S) uint8 -> (N, 1, S, S) float32 in 0..1."""
    return torch.as_tensor(faces).unsqueeze(1).float() / 255


def centre_crop(batch: torch.Tensor, size: int) -> torch.Tensor:
    top = (batch.shape[-2] - size) // 2
    left = (batch.shape[-1] - size) // 2
    return batch[..., top:top + size, left:left + size]


@dataclass(frozen=True)
class Augmentation:
    """Random views of a training face; every strength 0 switches its part off."""

    flip: float = 0.5           # share of faces mirrored
    rotation: float = 8.0       # degrees to either side
    scale: float = 0.08         # share larger or smaller
    shift: float = 2.0          # pixels in each direction
    brightness: float = 0.2     # of the full range, to either side
    contrast: float = 0.2       # share stronger or weaker
    erasing: float = 0.0        # share of faces with a block greyed out
    damage: float = 0.0         # share of faces with one of fer.data.damage's faults

    def __call__(self, faces: torch.Tensor, size: int, rng: np.random.Generator) -> torch.Tensor:
        """Faces (N, H, H) uint8 -> (N, 1, size, size) float32 in 0..1, drawn from `rng` alone."""
        count, full = faces.shape[0], faces.shape[-1]

        def spread(strength: float) -> np.ndarray:
            return rng.uniform(-strength, strength, count)

        angle = np.deg2rad(spread(self.rotation))
        zoom = (1 + spread(self.scale)) * size / full
        mirror = np.where(rng.random(count) < self.flip, -1.0, 1.0)
        shift = np.stack([spread(self.shift), spread(self.shift)], 1) * 2 / full
        theta = np.empty((count, 2, 3), np.float32)  # maps the view's coordinates to the face's
        theta[:, 0, 0], theta[:, 0, 1] = zoom * np.cos(angle) * mirror, -zoom * np.sin(angle)
        theta[:, 1, 0], theta[:, 1, 1] = zoom * np.sin(angle) * mirror, zoom * np.cos(angle)
        theta[:, :, 2] = shift
        light = rng.uniform(1 - self.contrast, 1 + self.contrast, count), spread(self.brightness)
        contrast, brightness = (torch.from_numpy(x.astype(np.float32)).view(-1, 1, 1, 1) for x in light)

        unit = to_unit(faces)
        grid = F.affine_grid(torch.from_numpy(theta), [count, 1, size, size], align_corners=False).to(unit.device)
        views = F.grid_sample(unit, grid, padding_mode="border", align_corners=False)
        views = ((views - 0.5) * contrast.to(unit.device) + 0.5 + brightness.to(unit.device)).clamp(0, 1)
        if self.erasing > 0:
            views = self._erase(views, rng)
        return self._damage(views, rng) if self.damage > 0 else views

    def _damage(self, views: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """One fault of a photograph, of any strength up to MOST_DAMAGE, on some faces."""
        rows = np.flatnonzero(rng.random(len(views)) < self.damage)
        if not len(rows):
            return views
        names = rng.choice(list(DAMAGES), len(rows))
        greys = (views[rows, 0] * 255).cpu().numpy()
        faces = [np.clip(DAMAGES[name](grey, rng.uniform(0, MOST_DAMAGE), rng), 0, 255)
                 for name, grey in zip(names, greys, strict=True)]
        views[rows, 0] = torch.from_numpy(np.stack(faces).astype(np.float32) / 255).to(views.device)
        return views

    def _erase(self, views: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Grey out a block of 4 to 20 % of some faces (Zhong et al. 2020)."""
        size = views.shape[-1]
        for index in np.flatnonzero(rng.random(len(views)) < self.erasing):
            share, ratio = rng.uniform(0.04, 0.2), np.exp(rng.uniform(np.log(0.5), np.log(2)))
            height = min(int(size * np.sqrt(share * ratio)) + 1, size)
            width = min(int(size * np.sqrt(share / ratio)) + 1, size)
            top, left = rng.integers(0, size - height + 1), rng.integers(0, size - width + 1)
            views[index, :, top:top + height, left:left + width] = float(rng.random())
        return views
