"""Test whether a map marks what the network uses: remove the marked pixels, and measure the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fer.records import Curves

Probabilities = Callable[[np.ndarray], np.ndarray]  # (N, 1, S, S) float32 -> (N, 7)
# Replaces removed pixels: (1, 1, S, S) float32, masks (M, S, S) bool -> (M, 1, S, S) float32.
Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]

FRACTIONS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
RANDOM_ORDERS = 8
CELL = 4  # side in pixels of the squares that are removed


def gray(batch: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The face with the masked pixels replaced by its mean gray."""
    return np.where(masks[:, None], batch.mean(dtype=np.float64).astype(np.float32), batch)


def curves(
    probabilities: Probabilities, batch: np.ndarray, evidence: np.ndarray, class_index: int, fill: Fill = gray
) -> Curves:
    """Deletion and insertion (Petsiuk et al. 2018) for one map, cell by cell, strongest evidence first.

    Deletion removes the most relevant cells first. Insertion shows them first, which is the same as removing the least
    relevant first, read backward. With `fer.explanation.road.imputed` as fill, these are ROAD's two orders (Rong et al.
    2022).
    batch: (1, 1, S, S) float32, preprocessed. evidence: (S, S), never negative.
    """
    return _walk(probabilities, batch, cell_order(evidence)[None], fill)[0][class_index]


def random_walks(
    probabilities: Probabilities,
    batch: np.ndarray,
    seed: int = 0,
    orders: int = RANDOM_ORDERS,
    fill: Fill = gray,
) -> list[list[Curves]]:
    """The baseline: the same cells in `orders` random orders, for all seven classes."""
    rng = np.random.default_rng(seed)
    count = len(np.unique(square_of(batch.shape[-1])))
    return _walk(probabilities, batch, np.stack([rng.permutation(count) for _ in range(orders)]), fill)


def mean_curves(walks: list[list[Curves]]) -> tuple[Curves, ...]:
    """The mean over the orders, for each class."""
    return tuple(
        Curves(
            FRACTIONS,
            tuple(np.mean([walk[k].deletion for walk in walks], 0).tolist()),
            tuple(np.mean([walk[k].insertion for walk in walks], 0).tolist()),
        )
        for k in range(len(walks[0]))
    )


def advantage(found: Curves) -> float:
    """Both orders in one number, -1..1: the area under insertion minus that under deletion. Higher is better."""
    return found.insertion_area - found.deletion_area


def cell_order(evidence: np.ndarray) -> np.ndarray:
    """Cells of CELL x CELL pixels, strongest mean evidence first; ties stay in reading order."""
    cells = square_of(len(evidence))
    means = np.bincount(cells.ravel(), evidence.ravel()) / np.bincount(cells.ravel())
    return np.argsort(-means, kind="stable")


def square_of(size: int) -> np.ndarray:
    """(S, S) -> each pixel's cell, numbered in reading order."""
    across = np.arange(size) // CELL
    return across[:, None] * (across[-1] + 1) + across


def _walk(probabilities: Probabilities, batch: np.ndarray, orders: np.ndarray, fill: Fill) -> list[list[Curves]]:
    """orders: (R, cells). Returns curves for R orders x 7 classes."""
    masks = np.concatenate(list(_masks(batch.shape[-1], orders)))  # (R * F, S, S)
    rows = probabilities(np.concatenate([fill(batch, masks), fill(batch, ~masks)]))
    deletion, insertion = rows.reshape(2, len(orders), len(FRACTIONS), -1)
    return [
        [Curves(FRACTIONS, tuple(gone[:, k].tolist()), tuple(come[:, k].tolist())) for k in range(gone.shape[1])]
        for gone, come in zip(deletion, insertion, strict=True)
    ]


def _masks(size: int, orders: np.ndarray) -> Iterator[np.ndarray]:
    """For each order, the pixels removed at each of FRACTIONS: (F, S, S) bool."""
    cells = square_of(size)
    for order in orders:
        rank = np.empty(len(order), int)
        rank[order] = np.arange(len(order))
        yield np.stack([rank[cells] < round(fraction * len(order)) for fraction in FRACTIONS])
