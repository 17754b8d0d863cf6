"""The fewest squares of a face that must be covered for the answer to change."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fer.explanation.faithfulness import Probabilities, gray, square_of

CANDIDATES = 40  # a step looks at those squares again that did most in the step before
MOST = 0.5  # of the face: more than that is no patch


def smallest_patch(probabilities: Probabilities, batch: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Cover squares of 4 x 4 pixels with the face's mean gray until the answer changes, each time the one that
    brings another class closest; then give back what is not needed.

    batch: (1, 1, S, S) float32, preprocessed. Yields (mask (S, S) of bool, whether the answer has changed) after each
    step, so that a caller can show it and stop; the last one is the result. Greedy: on networks whose squares act
    independently it finds the smallest patch, on others a small one. It ends unchanged where MOST of the face is
    covered.
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
        candidates = [candidates[place] for place in order[1 : CANDIDATES + 1]]
        if not candidates:
            return


def _needed(
    probabilities: Probabilities, batch: np.ndarray, squares: np.ndarray, covered: list[int], answer: int
) -> list[int]:
    """The squares without those that the change can do without, the first found last of all."""
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
    """How far the answer is ahead of the best other class under each patch, in log-probability; below 0 it lost."""
    rows = probabilities(gray(batch, np.stack([np.isin(squares, patch) for patch in patches])))
    logs = np.log(np.maximum(rows, 1e-30))
    return logs[:, answer] - np.delete(logs, answer, 1).max(1)
