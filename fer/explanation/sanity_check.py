"""The sanity check of Adebayo et al. 2018: a map that shows what was learned must change for a scrambled network."""

from __future__ import annotations

import copy
import threading
import weakref
from typing import Literal

import numpy as np
import torch

from fer.explanation.attribution import Explainer
from fer.explanation.methods import METHODS

Part = Literal["top", "all"]
PARTS: tuple[Part, ...] = ("top", "all")
FAILS_FROM = 0.5  # a map whose pixel ranks still correlate this much does not show what those weights learned


_untaught: weakref.WeakKeyDictionary[Explainer, dict[tuple[Part, int], Explainer]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def randomized(explainer: Explainer, part: Part, seed: int = 0) -> Explainer:
    """An explainer of the same network with its last layer, or all layers, newly initialized; created once."""
    with _lock:
        known = _untaught.setdefault(explainer, {})
        if (part, seed) not in known:
            known[part, seed] = _forget(explainer, part, seed)
        return known[part, seed]


def _forget(explainer: Explainer, part: Part, seed: int) -> Explainer:
    model = copy.deepcopy(explainer.model)
    resets = [
        reset
        for module in model.modules()
        if callable(reset := getattr(module, "reset_parameters", None))
        and any(True for _ in module.parameters(recurse=False))
    ]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for reset in resets[-1:] if part == "top" else resets:
            reset()
    return Explainer(model)


def rank_correlation(one: np.ndarray, other: np.ndarray, method: str) -> float:
    """Spearman's rank correlation of two maps' pixels, -1..1; of their magnitudes, if those are the evidence.

    0 if one of the maps is constant.
    """
    if METHODS[method].marks == "size":
        one, other = np.abs(one), np.abs(other)
    first, second = _ranks(one.ravel()), _ranks(other.ravel())
    if min(first.std(), second.std()) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def failure(top: float, every: float) -> str:
    """What the rank correlations with the last layer and all layers scrambled reveal, in words; empty for a pass."""
    if every >= FAILS_FROM:
        return "it shows the face itself more than what was learned"
    if top >= FAILS_FROM:
        return "it hardly depends on the last layer, and so on the class"
    return ""


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[inverse]
