"""Numbers about a map: whether it is stable, sparse, depends on the learned weights, and points at the face."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from fer.explanation.faithfulness import advantage
from fer.explanation.sanity_check import FAILS_FROM, rank_correlation
from fer.records import Curves, Judgment, MapMeasurements

RADIUS = 0.1  # of the face's standard deviation: about five gray levels, which nobody sees
SAMPLES = 5  # slightly changed faces
DRAWS = 3  # random networks
BINS = 100
SHAKY_FROM = 1.0  # a map that changes by its own size cannot be trusted


def max_sensitivity(
    attribute: Callable[[torch.Tensor], np.ndarray], batch: torch.Tensor, samples: int = SAMPLES, seed: int = 0
) -> float:
    """How much a map changes, at most, if the face hardly does (Yeh et al. 2019): 0 for not at all.

    attribute: (N, 1, S, S) float32 -> maps (N, S, S). The largest norm of the change, relative to the map's norm, over
    `samples` faces with pixels changed by up to RADIUS of the face's standard deviation. 0 for a blank map.
    """
    rng = np.random.default_rng(seed)
    moves = rng.uniform(-1, 1, (samples, *batch.shape[1:])) * RADIUS * float(batch.std())
    first, *others = attribute(torch.cat([batch, batch + torch.from_numpy(moves.astype(np.float32))]))
    norm = float(np.linalg.norm(first))
    return max(float(np.linalg.norm(other - first)) for other in others) / norm if norm > 0 else 0.0


def gini(evidence: np.ndarray) -> float:
    """How sparse a map is, by its Gini index (Chalasani et al. 2020): 0 for equal pixels, near 1 for a single pixel."""
    values = np.sort(np.abs(evidence).ravel())
    total = float(values.sum())
    if total <= 0:
        return 0.0
    ranks = np.arange(1, len(values) + 1)
    return float((2 * ranks - len(values) - 1) @ values / (len(values) * total))


def complexity_rise(trained: np.ndarray, randomized: np.ndarray) -> float:
    """How much more complex a map is for a scrambled network, as a share (eMPRT, Hedström et al. 2024).

    Complexity is the entropy of the histogram of the map's values. Uses the mean over several random networks, since
    one says little.
    """
    before = _entropy(trained)
    return (_entropy(randomized) - before) / before if before > 0 else 0.0


def agreement(maps: Mapping[str, np.ndarray]) -> np.ndarray:
    """The rank correlations between the methods' evidence for one class: (M, M), in the mapping's order.

    maps: each method's evidence (S, S), never negative.
    """
    values = list(maps.values())
    return np.array([[rank_correlation(one, other, "grad_cam") for other in values] for one in values])


def points_at(evidence: np.ndarray, regions: np.ndarray, expected: tuple[int, ...]) -> bool:
    """The pointing game (Zhang et al. 2018): whether a map's strongest pixel lies in one of the expected regions.

    evidence: (S, S), never negative. regions: (S, S), each pixel's region.
    """
    return bool(regions.ravel()[int(np.argmax(evidence))] in expected)


def judge_removal(found: Curves, random: Sequence[Curves]) -> Judgment:
    """Whether removing the marked pixels does more than random removal, by two standard deviations of the draws."""
    draws = [advantage(one) for one in random]
    gain = advantage(found) - float(np.mean(draws))
    return "pass" if gain > 2 * float(np.std(draws)) else "unclear" if gain > 0 else "fail"


def judge(measured: MapMeasurements, random_road: Sequence[Curves]) -> tuple[Judgment, str]:
    """Whether to trust a map, with a sentence or two, empty while unknown.

    A map fails if ROAD says so, or if a tiny change of the face changes all of it; it passes if both ROAD and the
    randomization test pass. Otherwise it is unclear. The test is that of Adebayo et al. 2018 over several random
    networks. By complexity (eMPRT), hardly any map of these small networks passes, not even the most faithful, so that
    number is reported but does not decide. random_road: the same class's random orders.
    """
    if measured.road is None or measured.kept_top is None or measured.kept_all is None:
        return "unclear", ""
    removal = judge_removal(measured.road, random_road)
    if removal == "fail":
        return "fail", "No: removing the pixels it marks changes the score no more than removing as many at random."
    if measured.sensitivity is not None and measured.sensitivity >= SHAKY_FROM:
        return "fail", "No: a change to the face too small to see changes the whole map."
    if removal == "unclear":
        return (
            "unclear",
            "Hardly: removing the pixels it marks changes the score little more than removing as many at random.",
        )
    if max(measured.kept_top, measured.kept_all) >= FAILS_FROM:
        but = (
            "a network that learned nothing draws much the same map of this photo."
            if measured.kept_all >= FAILS_FROM
            else "it hardly changes when only the last layer is scrambled, so it is not specific to this expression."
        )
        return "unclear", f"In part: it marks what the score depends on, but {but}"
    return "pass", "Yes: it marks what the score depends on, and it depends on what the network learned."


def _entropy(values: np.ndarray) -> float:
    counts, _ = np.histogram(values, BINS)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
