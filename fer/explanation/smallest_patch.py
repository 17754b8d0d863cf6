"""Find the fewest squares of a face that change the answer when covered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fer.explanation.faithfulness import Probabilities, gray, square_of

CANDIDATES = 40  # a step tries again the squares with the most effect in the previous step; if none is left, all
MOST = 0.5  # of the face; more is not a patch


def smallest_patch(probabilities: Probabilities, batch: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Cover squares of 4 x 4 pixels with the face's mean gray until the answer changes, each time the square that
    brings another class closest; then uncover squares that are not needed.

    batch: (1, 1, S, S) float32, preprocessed. Yields (mask (S, S) of bool, whether the answer has changed) after each
    step, so that the caller can show it and stop; the last one is the result. Greedy: finds the smallest patch if
    squares act independently, otherwise a small one. Stops without a change once MOST of the face is covered.
    """
    squares = square_of(batch.shape[-1])
    count = int(squares.max()) + 1
    answer = int(probabilities(batch)[0].argmax())
    covered: list[int] = []
    candidates = list(range(count))
    while len(covered) < MOST * count:
        leads = _leads(probabilities, batch, squares, [[*covered, one] for one in candidates], answer)
        order = np.argsort(leads, kind="stable")
        covered.append(candidates[order[0]])
        changed = bool(leads[order[0]] < 0)
        if changed:
            covered = _needed(probabilities, batch, squares, covered, answer)
        yield np.isin(squares, covered), changed
        if changed:
            return
        left = [candidates[place] for place in order[1 : CANDIDATES + 1]]
        candidates = left or [one for one in range(count) if one not in covered]


def _needed(
    probabilities: Probabilities, batch: np.ndarray, squares: np.ndarray, covered: list[int], answer: int
) -> list[int]:
    """Drop squares that the change does not need, trying the first found last."""
    while len(covered) > 1:
        fewer = [[other for other in covered if other != one] for one in covered]
        leads = _leads(probabilities, batch, squares, fewer, answer)
        if not leads.min() < 0:
            break
        covered = fewer[int(leads.argmin())]
    return covered


def _leads(
    probabilities: Probabilities, batch: np.ndarray, squares: np.ndarray, patches: list[list[int]], answer: int
) -> np.ndarray:
    """The answer's lead over the best other class under each patch, in log-probability; negative if it lost."""
    rows = probabilities(gray(batch, np.stack([np.isin(squares, patch) for patch in patches])))
    logs = np.log(np.maximum(rows, 1e-30))
    return logs[:, answer] - np.delete(logs, answer, 1).max(1)
