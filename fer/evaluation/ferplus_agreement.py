"""Compare the model with the ten people of FER+: where they agree, and which errors are the label's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer.data.ferplus import vote_distribution

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRENGTHS = (
    (0.0, 0.5, "split (up to 50%)"),
    (0.5, 0.7, "leaning (50–70%)"),
    (0.7, 0.9, "clear (70–90%)"),
    (0.9, 1.01, "unanimous (over 90%)"),
)


@dataclass(frozen=True)
class HumanComparison:
    """distance: mean total variation, 0..1, between the model's and the people's distributions.

    by_strength: accuracy of the model, and of the people's majority, by how strongly people agree.
    label_noise, real_errors: rows (M,) of the confident mistakes, most confident first: those for which most people
    agree with the model against the label, and those for which they agree with the label.
    """

    pictures: int
    distance: float
    agreement_with_majority: float
    majority_accuracy: float
    by_strength: list[dict[str, float | str]]
    label_noise: NDArray[np.int64]
    real_errors: NDArray[np.int64]


def compare_with_people(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], votes: NDArray[np.uint8]
) -> HumanComparison | None:
    """probabilities: (N, 7), labels: (N,), votes: (N, 10). None if FER+ has no votes for these pictures."""
    people = vote_distribution(votes)  # (N, 7)
    rows = np.flatnonzero(people.sum(1) > 0)
    if not len(rows):
        return None
    given, shown = probabilities[rows], people[rows]
    named, majority, truth = given.argmax(1), shown.argmax(1), labels[rows]
    strength = shown.max(1)
    most = strength > 0.5  # more than half of the people, not just a plurality
    by_strength: list[dict[str, float | str]] = []
    for low, high, words in STRENGTHS:
        inside = (strength > low) & (strength <= high)
        if inside.any():
            by_strength.append(
                {
                    "agreement": words,
                    "pictures": int(inside.sum()),
                    "model": float((named == truth)[inside].mean()),
                    "people": float((majority == truth)[inside].mean()),
                }
            )
    wrong = np.flatnonzero(named != truth)
    wrong = wrong[np.argsort(-given[wrong].max(1), kind="stable")]
    return HumanComparison(
        len(rows),
        float(np.abs(given - shown).sum(1).mean() / 2),
        float((named == majority).mean()),
        float((majority == truth).mean()),
        by_strength,
        rows[wrong[most[wrong] & (majority[wrong] == named[wrong])]],
        rows[wrong[most[wrong] & (majority[wrong] == truth[wrong])]],
    )
