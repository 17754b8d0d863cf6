"""Milliseconds of every stage, each compared with a plain way of doing the same in the same run.

A stage is a function that returns rows: stage, ms, against, against_ms, ratio (how many times as fast), aim_ms; rows
about memory are in MB. Add new stages to STAGES.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fer.locations import SAMPLES
from fer.tools import startup_benchmark
from fer.tools.timing import Row, median_ms, row


def explaining() -> list[Row]:
    """Maps and their faithfulness for the sample face, mini-XCEPTION, seven classes."""
    import torch

    from fer.explanation.attribution import units
    from fer.explanation.faithfulness import curves, random_walks
    from fer.explanation.methods import METHODS, evidence
    from fer.explanation.subject import explainer_for, subject
    from fer.inference.recognizer import load
    from fer.records import FaceBox
    from fer.vision.images import read_image

    recognizer = load("mini_xception")
    explainer = explainer_for(recognizer)
    picture = read_image(SAMPLES / "astronaut.jpg")
    face = subject(recognizer, picture, FaceBox(178, 63, 90, 114, detector="yunet"))
    batch, fused = face.batch, explainer.layers[-1]
    quick = ("grad_cam", "guided_backprop")

    def maps(methods: tuple[str, ...]) -> dict[str, np.ndarray]:
        return {method: explainer.attribute(method, batch, units(), fused) for method in methods}

    def one_by_one(methods: tuple[str, ...]) -> None:
        for method in methods:
            for k in range(7):
                explainer.attribute(method, batch, units([k]), fused)

    def faithfulness(probabilities: Callable) -> None:
        random_walks(probabilities, batch.numpy())
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
        row(
            "7 classes x (Grad-CAM + guided backpropagation)",
            first,
            "class by class",
            median_ms(lambda: one_by_one(quick)),
            60,
        ),
        row(
            f"7 classes x {len(METHODS)} methods",
            whole,
            "class by class",
            median_ms(lambda: one_by_one(tuple(METHODS)), 1),
            1500,
        ),
        row(
            f"faithfulness of the grid ({7 * len(METHODS)} maps)",
            measured,
            "plain PyTorch",
            median_ms(lambda: faithfulness(plain_torch), 1),
            5000,
        ),
    ]


def evaluating() -> list[Row]:
    """As many faces (noise) as PublicTest has, including metrics, beside eager PyTorch without metrics."""
    import torch

    from fer.data.dataset import Dataset
    from fer.evaluation.evaluation import study
    from fer.evaluation.metrics import BATCH
    from fer.inference.recognizer import load
    from fer.models.checkpoints import load_checkpoint

    rng, count = np.random.default_rng(0), 3589
    faces = rng.integers(0, 256, (count, 48, 48), dtype=np.uint8)
    dataset = Dataset(faces, rng.integers(0, 7, count), np.full(count, "PublicTest"))
    recognizer = load("mini_xception")

    def whole() -> None:
        found = study(recognizer, dataset, "PublicTest")
        _ = found.report, found.averages, found.interval, found.reliability, found.risk

    model, card = load_checkpoint(recognizer.weights)

    def eager() -> None:
        with torch.inference_mode():
            for first in range(0, count, BATCH):
                torch.softmax(model(torch.from_numpy(card.preprocessing(faces[first : first + BATCH]))), 1)

    return [
        row(
            "evaluation of 3,589 faces, metrics and all",
            median_ms(whole, 3),
            "eager PyTorch, no metrics",
            median_ms(eager, 3),
            4000,
        )
    ]


def training() -> list[Row]:
    """An epoch of mini-XCEPTION over FER2013's 28,709 pictures, extrapolated from a few steps."""
    from fer.tools.training_benchmark import stages

    values = list(stages().values())
    return [
        row(
            "epoch of mini_xception, 28,709 pictures",
            1000 * values[0],
            "plain loop: NCHW, DataLoader, eager",
            1000 * values[1],
        ),
        row("of that, loading data", 1000 * values[0] * values[3], "a tenth of the epoch", 100 * values[0]),
    ]


def recognizing() -> list[Row]:
    from fer.tools.inference_benchmark import recognizing

    return recognizing()


def watching() -> list[Row]:
    from fer.tools.inference_benchmark import watching

    return watching()


def batching() -> list[Row]:
    from fer.tools.batch_benchmark import batching

    return batching()


STAGES: list[Callable[[], list[Row]]] = [
    startup_benchmark.cold_start,
    startup_benchmark.importing,
    startup_benchmark.server_at_rest,
    startup_benchmark.page_timings,
    startup_benchmark.large_photos,
    recognizing,
    watching,
    batching,
    explaining,
    evaluating,
    training,
]


def run(progress: Callable[[str], None] = lambda name: None) -> list[Row]:
    """All stages in turn."""
    rows: list[Row] = []
    for stage in STAGES:
        progress(stage.__name__)
        rows += stage()
    return rows
