"""Write an explanation into a folder: a PNG a map, maps.npz, explanation.json."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from fer.errors import ExplainError
from fer.explanation.methods import METHODS
from fer.expressions import NAMES
from fer.records import Explanation
from fer.visualization import maps
from fer.visualization.maps import Look

SIDE = 352  # pixels of a map's PNG


def write_explanation(explanation: Explanation, folder: Path) -> list[Path]:
    """The files written. A map's PNG lies over the gray face, on one scale across the method's classes.

    Maps of an earlier explanation in the same folder go first, by their names; nothing else is touched.
    """
    face_rgb = np.repeat(explanation.face_gray[..., None], 3, 2)
    content = {
        "maps.npz": maps.npz(explanation),
        "explanation.json": (json.dumps(explanation.to_json(), indent=1) + "\n").encode(),
    }
    for method, found in explanation.maps.items():
        for name, tile in zip(explanation.classes, maps.tiles(found, method, face_rgb, Look(), SIDE), strict=True):
            content[f"{method}-{name}.png"] = maps.png(tile)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for method in METHODS:
            for name in NAMES:
                (folder / f"{method}-{name}.png").unlink(missing_ok=True)
        for name, data in content.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise ExplainError(f"The folder {folder} cannot be written: {error.strerror}. Choose another --out.") from None
    return [folder / name for name in content]
