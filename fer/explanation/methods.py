"""The attribution methods: their names, how to read their maps, and their sources. Does not import torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

import numpy as np

FUSED = "fused"  # the layer choice that combines the maps of all layers
BLANK = 1e-9  # a map below this everywhere shows nothing


@dataclass(frozen=True)
class Method:
    """says: one sentence for the reader. exactly: the same in technical terms, if they differ.
    signed: values below 0 count against the class. marks: whether evidence is the value or its magnitude.

    layered: computed from a layer's features. slow: not among the maps that a page shows first.
    place: module:function of (model, batch, directions) -> (N, 1, S, S), imported on first use; for a layered method,
    (model, batch, directions, layer) -> (N, 1, h, w). Empty for methods that Explainer builds with Captum.
    """

    label: str
    says: str
    source: str
    exactly: str = ""
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
        "Where the network found evidence for the class.",
        "Selvaraju et al. 2017; fused over layers as in LayerCAM, Jiang et al. 2021",
        "The layer's channels, weighted by the mean gradient of the class's score.",
        signed=False,
        layered=True,
    ),
    "guided_backprop": Method(
        "Guided backpropagation",
        "Fine edges that the score depends on.",
        "Springenberg et al. 2015",
        "The gradient, passed back only where it is positive at every ReLU.",
        marks="size",
    ),
    "guided_grad_cam": Method(
        "Guided Grad-CAM",
        "The edges of guided backpropagation, kept where Grad-CAM marks the face too.",
        "Selvaraju et al. 2017",
        "Guided backpropagation times Grad-CAM.",
        marks="size",
        layered=True,
    ),
    "gradient": Method(
        "Gradient",
        "Which pixels would change the score if they were slightly brighter or darker.",
        "Simonyan et al. 2014",
        "The gradient of the class's score by each pixel.",
        marks="size",
    ),
    "hires_cam": Method(
        "HiResCAM",
        "Like Grad-CAM, with each position weighted separately.",
        "Draelos and Carin 2020",
        "The layer's channels times the gradient of the class's score, position by position.",
        signed=False,
        layered=True,
        place="fer.explanation.hires_cam:hires_cam",
    ),
    "integrated_gradients": Method(
        "Integrated Gradients",
        "The score divided among the pixels, compared with a plain gray picture.",
        "Sundararajan et al. 2017",
        "The gradient, integrated from plain gray to the face: the values add up to the change of the score.",
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
        "The parts of the face that raise the score when only they are shown.",
        "Wang et al. 2020",
        "The layer's channels, each weighted by the class's score for the face masked with that channel.",
        signed=False,
        layered=True,
        slow=True,
        place="fer.explanation.score_cam:score_cam",
    ),
}
FAST = tuple(name for name, method in METHODS.items() if not method.slow)


def evidence(values: np.ndarray, method: str) -> np.ndarray:
    """A map's evidence, never negative: the magnitude of its values, or only those that favor the class."""
    return np.abs(values) if METHODS[method].marks == "size" else np.maximum(values, 0)


def marks_nothing(values: np.ndarray, method: str) -> bool:
    """Whether there is nothing to remove, as the map is blank or all of it counts against the class."""
    return not float(evidence(values, method).max(initial=0)) > BLANK


def is_blank(values: np.ndarray) -> bool:
    """Whether a map shows nothing: no pixel counts for or against the class."""
    return not float(np.abs(values).max(initial=0)) > BLANK
