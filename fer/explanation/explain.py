"""Explain one face of a photo: from the picture to maps, their measurements, and words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fer.errors import ExplainError
from fer.explanation.faithfulness_table import default_layer
from fer.explanation.job import FILLS, ExplanationJob, Key, Map, key_of
from fer.explanation.methods import METHODS, evidence
from fer.explanation.regions import shares
from fer.explanation.subject import explainer_for, sentence, subject
from fer.expressions import INDEX, NAMES
from fer.inference.recognizer import Recognizer
from fer.records import Curves, Explanation, FaceBox, Prediction

Progress = Callable[[float], None]


def class_indices(classes: Sequence[str]) -> list[int]:
    """Raises ExplainError for an unknown class."""
    for name in classes:
        if name not in INDEX:
            raise ExplainError(f"The model has no class {str(name)[:40]!r}. Its classes: {', '.join(NAMES)}.")
    return [INDEX[name] for name in classes]


def check_choices(recognizer: Recognizer, methods: Sequence[str], classes: Sequence[str], layer: str | None) -> None:
    """Raises ExplainError for an unknown method, class or layer, before any work."""
    class_indices(classes)
    for method in methods:
        if method not in METHODS:
            raise ExplainError(f"There is no method {str(method)[:40]!r}. Choose from {', '.join(METHODS)}.")
    layers = explainer_for(recognizer).layers
    if layer is not None and layer not in layers:
        raise ExplainError(f"This network has no layer {str(layer)[:40]!r}. Choose from {', '.join(layers)}.")


def explain(
    recognizer: Recognizer,
    image_rgb: np.ndarray,
    face: Prediction | FaceBox,
    methods: Sequence[str] = tuple(METHODS),
    classes: Sequence[str] | None = None,
    layer: str | None = None,
    faithfulness: bool = True,
    progress: Progress | None = None,
) -> Explanation:
    """Explain one face for every class with every method, and measure how far each map can be trusted.

    image_rgb: (H, W, 3) uint8. face: from `recognizer.predict`, or a box. classes: those to explain and measure; None
    explains all and measures the predicted one. layer: None for the one that scored best on PublicTest. progress:
    called with the share done, 0..1; raise in it to stop. Raises ExplainError for an unknown method, layer or class.
    """
    named = NAMES if classes is None else classes
    check_choices(recognizer, methods, named, layer)
    indices = class_indices(named)
    job = ExplanationJob(subject(recognizer, image_rgb, face), tuple(indices))
    layer = layer or default_layer(recognizer)
    keys = [key_of(method, layer) for method in methods]
    if not keys or not indices:
        return assemble(job, keys, layer)
    predicted = INDEX[job.face.prediction.expression]
    asked = predicted if predicted in indices else indices[0]
    first: Map = (keys[0], asked)
    worth = [(key, index) for key in keys for index in ([asked] if classes is None else indices)]
    wanted = worth if faithfulness else []
    total = job.pending(keys, first, wanted)
    for done, piece in enumerate(job.pieces(keys, first, wanted), 1):
        piece.run()
        if progress is not None:
            progress(done / total)
    return assemble(job, keys, layer)


def assemble(job: ExplanationJob, keys: Sequence[Key], layer: str) -> Explanation:
    """The results so far, in numbers and words. Methods without maps are left out, and maps not fully measured have no
    judgment.
    """
    face, classes = job.face, [NAMES[index] for index in job.classes]
    maps = {key[0]: job.maps[key] for key in keys if key in job.maps}
    ready = [key for key in keys if key in job.maps]
    judged = [one for one in job.measured if one[0] in ready and one[1] in job.classes and job.has_judgment(one)]
    return Explanation(
        face.prediction,
        face.recognizer.name,
        layer,
        tuple(classes),
        face.face_gray,
        maps,
        shares={
            method: {
                name: shares(evidence(values, method), face.regions)
                for name, values in zip(classes, found, strict=True)
            }
            for method, found in maps.items()
        },
        words={
            method: {name: sentence(face, name, values, method) for name, values in zip(classes, found, strict=True)}
            for method, found in maps.items()
        },
        measured={
            method: {NAMES[index]: job.measured[key, index] for (key, index) in judged if key[0] == method}
            for method in maps
        },
        judgments={
            method: {NAMES[index]: job.judgment((key, index))[0] for (key, index) in judged if key[0] == method}
            for method in maps
        },
        baselines={fill: _of_classes(job, fill) for fill in FILLS if job.baseline(fill)},
    )


def _of_classes(job: ExplanationJob, fill: str) -> dict[str, Curves]:
    baseline = job.baseline(fill)
    return {NAMES[index]: baseline[index] for index in job.classes}
