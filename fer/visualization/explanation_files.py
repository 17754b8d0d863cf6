"""Write an explanation to a folder: one PNG per map, maps.npz and explanation.json."""

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

SIDE = 352  # side of a map's PNG in pixels


def write_explanation(explanation: Explanation, folder: Path) -> list[Path]:
    """Returns the files written. Maps are drawn over the gray face, on one scale for all of a method's classes.

    First removes maps of an earlier explanation in the folder, recognized by their names; other files stay.
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
