"""Read and explain pictures for the service. Runs on worker threads."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from fer.errors import FerError, ImageError, missing_part
from fer.inference.photo import PhotoReading
from fer.inference.recognizer import Recognizer
from fer.limits import MB, Limits
from fer.memory import LARGE_PIXELS, return_freed_memory
from fer.service.body import Upload
from fer.service.problems import ClientLeftError, ProblemError
from fer.service.work import Left
from fer.vision.detection import Detector
from fer.vision.images import DecodedImage, decode
from fer.wording import count_of

MAP_SIDE = 352  # pixels: side of a map's PNG


def read_photo(upload: Upload, recognizer: Recognizer, detector: Detector, limits: Limits) -> dict[str, Any]:
    """The result in the format of `fer predict --json`. Raises FerError."""
    decoded = _decoded(upload, limits)
    answer = PhotoReading.of(upload.name, decoded, recognizer.predict(decoded.rgb, detector)).to_json()
    if decoded.rgb.size > 3 * LARGE_PIXELS:
        del decoded
        return_freed_memory()
    return answer


def read_photos(
    uploads: list[Upload], recognizer: Recognizer, detector: Detector, limits: Limits, left: Left
) -> list[dict[str, Any]]:
    """The same for several pictures; one that cannot be read has an `error`."""
    lines = []
    for upload in uploads:
        if left():
            raise ClientLeftError
        try:
            lines.append(read_photo(upload, recognizer, detector, limits))
        except FerError as error:
            lines.append(PhotoReading(upload.name, error=error).to_json())
    return lines


def _decoded(upload: Upload, limits: Limits) -> DecodedImage:
    if upload.size > limits.photo_bytes:
        raise ImageError(
            f"The file has {upload.size / MB:.0f} MB; the limit is {limits.photo_bytes // MB} MB. Save it smaller.",
            too_large=True,
        )
    return decode(upload.data, limits)


@dataclass(frozen=True)
class Asked:
    """What to explain. classes: empty for the predicted expression; methods: empty for Grad-CAM; face: from 1."""

    classes: tuple[str, ...]
    methods: tuple[str, ...]
    layer: str | None
    face: int


def explain_photo(
    upload: Upload, recognizer: Recognizer, detector: Detector, limits: Limits, asked: Asked, left: Left
) -> dict[str, Any]:
    """Maps of one face, each as numbers and as a PNG over the face. Raises FerError, with 501 without PyTorch."""
    try:
        from fer.explanation.explain import check_choices, explain
        from fer.visualization import maps
    except ModuleNotFoundError as error:
        if (sentence := missing_part(error)) is None:
            raise
        raise ProblemError(501, sentence) from None
    import numpy as np

    check_choices(recognizer, asked.methods, asked.classes, asked.layer)
    image_rgb = _decoded(upload, limits).rgb
    faces = recognizer.predict(image_rgb, detector)
    if not faces:
        raise ProblemError(422, "No face was found. For a close-up of one face, try detector=none.")
    if not 1 <= asked.face <= len(faces):
        raise ProblemError(
            422,
            f"There is no face {asked.face}: the picture has {count_of(len(faces), 'face')}. The largest is 1.",
        )
    face = faces[asked.face - 1]

    def step(share: float) -> None:
        if left():
            raise ClientLeftError

    explanation = explain(
        recognizer,
        image_rgb,
        face,
        asked.methods or ("grad_cam",),
        asked.classes or (face.expression,),
        asked.layer,
        faithfulness=False,
        progress=step,
    )
    face_rgb = np.repeat(explanation.face_gray[..., None], 3, 2)
    told = explanation.to_json()
    found = []
    for method, values in explanation.maps.items():
        tiles = maps.tiles(values, method, face_rgb, maps.Look(), MAP_SIDE)
        for name, numbers, tile in zip(explanation.classes, values, tiles, strict=True):
            found.append(
                {
                    "method": method,
                    "class": name,
                    "in_words": explanation.words[method][name],
                    "regions": {region: round(share, 4) for region, share in explanation.shares[method][name].items()},
                    "values": [[float(f"{value:.6g}") for value in row] for row in numbers.tolist()],
                    "png": base64.b64encode(maps.png(tile)).decode(),
                }
            )
    return {
        "path": upload.name,
        "width": image_rgb.shape[1],
        "height": image_rgb.shape[0],
        "model": explanation.model,
        "layer": explanation.layer,
        "face": told["face"],
        "maps": found,
    }
