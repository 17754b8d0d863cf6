"""Occlusion: one pass over all windows for every class, instead of Captum's one pass per class."""

from __future__ import annotations

import torch
from torch import nn

ROWS_AT_ONCE = 128


def occlusion(
    model: nn.Module, batch: torch.Tensor, directions: torch.Tensor, side: int | None = None, stride: int | None = None
) -> torch.Tensor:
    """How far each score falls when a square of the face's mean gray covers a part (Zeiler and Fergus 2014).

    batch: (N, 1, S, S), or (1, 1, S, S) under N directions (N, 7). side, stride: of the square, in pixels; by
    default a fifth of S and a quarter of that. Returns (N, 1, S, S): a pixel's mean over the windows on it.
    """
    size = batch.shape[-1]
    side = side or max(size // 5, 1)
    stride = stride or max(side // 4, 1)
    windows = _windows(size, side, stride)  # (W, S, S) of 0 and 1
    falls = torch.stack([_falls(model, face, windows) for face in batch])  # (N or 1, W, 7)
    falls = torch.einsum("nwk,nk->nw", falls.expand(len(directions), -1, -1), directions)
    maps = torch.einsum("nw,wij->nij", falls, windows) / windows.sum(0).clamp_min(1)
    return maps.unsqueeze(1)


@torch.no_grad()
def _falls(model: nn.Module, face: torch.Tensor, windows: torch.Tensor) -> torch.Tensor:
    """(1, S, S), (W, S, S) -> (W, 7): the logits minus those with the window covered."""
    whole = model(face[None])
    gray = face.mean()
    covered = [model(torch.lerp(face, gray, part[:, None])) for part in windows.split(ROWS_AT_ONCE)]
    return whole - torch.cat(covered)


def _windows(size: int, side: int, stride: int) -> torch.Tensor:
    """All positions of the square; the last one ends at the border."""
    starts = sorted({*range(0, size - side + 1, stride), size - side})
    places = torch.zeros(len(starts) ** 2, size, size)
    for index, place in enumerate(places):
        top, left = starts[index // len(starts)], starts[index % len(starts)]
        place[top : top + side, left : left + side] = 1
    return places
