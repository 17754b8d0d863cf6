"""The attribution methods: what each is called, how its maps are read, and where it comes from. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

import numpy as np

FUSED = "fused"  # the layer choice that joins the maps of all layers
BLANK = 1e-9  # a map that stays below this everywhere shows nothing


@dataclass(frozen=True)
class Method:
    """signed: values below 0 speak against the class. marks: what its evidence is, the value or its size.

    layered: taken from a layer's features. slow: not among the maps that a page shows first.
    place: module:function of (model, batch, directions) -> (N, 1, S, S), imported when first asked for; of a layered
    method, (model, batch, directions, layer) -> (N, 1, h, w). Empty for what Explainer builds from Captum's.
    """

    label: str
    says: str  # one sentence for the reader
    source: str
    signed: bool = True
    marks: Literal["value", "size"] = "value"
    layered: bool = False
    slow: bool = False
    place: str = ""

    def function(self) -> Callable:
        module, name = self.place.split(":")
        return getattr(import_module(module), name)


METHODS = {
    "grad_cam": Method(
        "Grad-CAM",
        "Where the layer's features speak for the class.",
        "Selvaraju et al. 2017; fused over layers as in LayerCAM, Jiang et al. 2021",
        signed=False,
        layered=True,
    ),
    "guided_backprop": Method(
        "Guided backpropagation",
        "Fine edges: the gradient, let through only where it is positive at every ReLU.",
        "Springenberg et al. 2015",
        marks="size",
    ),
    "guided_grad_cam": Method(
        "Guided Grad-CAM",
        "Guided backpropagation's edges, where Grad-CAM agrees.",
        "Selvaraju et al. 2017",
        marks="size",
        layered=True,
    ),
    "gradient": Method(
        "Gradient",
        "Which pixels would change the class's score if they were a little brighter or darker.",
        "Simonyan et al. 2014",
        marks="size",
    ),
    "hires_cam": Method(
        "HiResCAM",
        "Where the layer's features speak for the class, each place weighted by its own gradient.",
        "Draelos and Carin 2020",
        signed=False,
        layered=True,
        place="fer.explanation.hires_cam:hires_cam",
    ),
    "integrated_gradients": Method(
        "Integrated Gradients",
        "The score shared out over the pixels: they add up to its difference from plain gray.",
        "Sundararajan et al. 2017",
        slow=True,
        place="fer.explanation.integrated_gradients:integrated_gradients",
    ),
    "occlusion": Method(
        "Occlusion",
        "How far the score falls where a gray square covers the face.",
        "Zeiler and Fergus 2014",
        slow=True,
        place="fer.explanation.occlusion:occlusion",
    ),
    "score_cam": Method(
        "Score-CAM",
        "The layer's channels, each weighted by how much the face seen through it speaks for the class.",
        "Wang et al. 2020",
        signed=False,
        layered=True,
        slow=True,
        place="fer.explanation.score_cam:score_cam",
    ),
}
FAST = tuple(name for name, method in METHODS.items() if not method.slow)


def evidence(values: np.ndarray, method: str) -> np.ndarray:
    """What a map marks, never negative: the size of its values, or only those that speak for the class."""
    return np.abs(values) if METHODS[method].marks == "size" else np.maximum(values, 0)


def marks_nothing(values: np.ndarray, method: str) -> bool:
    """Whether there is nothing to remove: the map is blank, or all of it speaks against the class."""
    return not float(evidence(values, method).max(initial=0)) > BLANK


def is_blank(values: np.ndarray) -> bool:
    """Whether a map shows nothing: no pixel speaks for the class, nor against it."""
    return not float(np.abs(values).max(initial=0)) > BLANK
