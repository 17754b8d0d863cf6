"""Milliseconds of every stage, each against a plain way of doing the same in the same run.

A stage is a function that returns rows: stage, ms, against, against_ms, ratio (how many times as fast), aim_ms.
Add yours to STAGES.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Row = dict[str, object]
ROUNDS = 7


def median_ms(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median over rounds, after one call that warms up."""
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def row(stage: str, ms: float, against: str, against_ms: float, aim_ms: float | None = None) -> Row:
    return {"stage": stage, "ms": round(ms, 2), "against": against, "against_ms": round(against_ms, 2),
            "ratio": round(against_ms / ms, 2), "aim_ms": aim_ms}


def explaining() -> list[Row]:
    """Maps and their faithfulness for the sample face, mini-XCEPTION, seven classes."""
    import torch

    from fer.explain.attribution import units
    from fer.explain.face import explainer_for, subject
    from fer.explain.faithfulness import curves, random_curves
    from fer.explain.methods import METHODS, evidence
    from fer.inference.recognizer import load
    from fer.records import FaceBox
    from fer.vision.images import read_image

    recognizer = load("mini_xception")
    explainer = explainer_for(recognizer)
    picture = read_image(Path(__file__).parent / "app" / "samples" / "astronaut.jpg")
    face = subject(recognizer, picture, FaceBox(178, 63, 90, 114), "yunet")
    batch, fused = face.batch, explainer.layers[-1]
    quick = ("grad_cam", "guided_backprop")

    def maps(methods: tuple[str, ...]) -> dict[str, np.ndarray]:
        return {method: explainer.attribute(method, batch, units(), fused) for method in methods}

    def one_by_one(methods: tuple[str, ...]) -> None:
        for method in methods:
            for k in range(7):
                explainer.attribute(method, batch, units([k]), fused)

    def faithfulness(probabilities: Callable) -> None:
        random_curves(probabilities, batch.numpy())
        for method, found in ready.items():
            for k in range(7):
                curves(probabilities, batch.numpy(), evidence(found[k], method), k)

    def plain_torch(rows: np.ndarray) -> np.ndarray:
        return torch.softmax(explainer.logits(torch.from_numpy(rows)), 1).numpy()

    ready = maps(tuple(METHODS))
    first = median_ms(lambda: maps(quick))
    whole = median_ms(lambda: maps(tuple(METHODS)), 3)
    measured = median_ms(lambda: faithfulness(face.probabilities), 3)
    return [
        row("7 classes x (Grad-CAM + guided backpropagation)", first, "class by class",
            median_ms(lambda: one_by_one(quick)), 60),
        row("7 classes x six methods", whole, "class by class", median_ms(lambda: one_by_one(tuple(METHODS)), 1), 1500),
        row("faithfulness of the grid (42 maps)", measured, "plain PyTorch",
            median_ms(lambda: faithfulness(plain_torch), 1), 5000),
    ]


STAGES: list[Callable[[], list[Row]]] = [explaining]


def run(progress: Callable[[str], None] = lambda name: None) -> list[Row]:
    """All stages in turn."""
    rows: list[Row] = []
    for stage in STAGES:
        progress(stage.__name__)
        rows += stage()
    return rows
