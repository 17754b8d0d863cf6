"""Replace removed pixels from their surroundings: the noisy linear imputation of ROAD (Rong et al. 2022).

The network never saw faces with uniform gray patches, and their outlines reveal where something was removed. Here each
removed pixel becomes the weighted mean of its eight neighbors, including removed ones: one sparse linear system per
mask. A little noise keeps the result from being recognizably smooth.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import spsolve

NOISE = 0.01  # of the face's standard deviation, as in the authors' code
STRAIGHT, DIAGONAL = 1 / 6, 1 / 12  # weights of neighbors that share an edge, and of those that share a corner


def imputed(batch: np.ndarray, masks: np.ndarray, seed: int = 0) -> np.ndarray:
    """The face with the masks' pixels imputed: (1, 1, S, S) float32, (M, S, S) bool -> (M, 1, S, S) float32.

    If everything is removed, the result is the face's mean gray with noise. The noise is the same for the same seed.
    """
    pixels = batch.reshape(-1).astype(np.float64)
    noise = np.random.default_rng(seed).normal(0, NOISE * max(float(pixels.std()), 1e-6), pixels.shape)
    faces = np.repeat(pixels[None], len(masks), 0)
    for face, mask in zip(faces, masks.reshape(len(masks), -1), strict=True):
        if mask.all():
            face[:] = pixels.mean() + noise
        elif mask.any():
            face[mask] = _solve(pixels, mask) + noise[mask]
    return faces.reshape(len(masks), *batch.shape[1:]).astype(np.float32)


def _solve(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The values (K,) of the removed pixels, from the others."""
    weights = _neighbors(round(len(pixels) ** 0.5))[mask]  # (K, S * S)
    unknown = (diags_array(weights.sum(1)) - weights[:, mask]).tocsc()
    return np.atleast_1d(spsolve(unknown, weights[:, ~mask] @ pixels[~mask]))


@lru_cache(maxsize=4)
def _neighbors(size: int) -> csr_array:
    """(S * S, S * S): the weights of each pixel's neighbors inside the picture."""
    places = np.arange(size * size).reshape(size, size)
    rows, columns, weights = [], [], []
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            if down or right:
                own = places[max(-down, 0) : size - max(down, 0), max(-right, 0) : size - max(right, 0)]
                other = places[max(down, 0) : size + min(down, 0), max(right, 0) : size + min(right, 0)]
                rows.append(own.ravel())
                columns.append(other.ravel())
                weights.append(np.full(own.size, DIAGONAL if down and right else STRAIGHT))
    data = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    return csr_array(data, shape=(size * size, size * size))
