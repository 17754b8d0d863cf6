"""Contact sheets: many small faces in one picture."""

from __future__ import annotations

import cv2
import numpy as np

GAP = 2


def contact_sheet(faces: np.ndarray, columns: int = 8, enlarge: int = 2) -> np.ndarray:
    """(n, S, S) uint8 -> one picture (H, W, 4) uint8 RGBA, row by row, transparent between faces and after the last."""
    side = faces.shape[-1] * enlarge
    rows = max(-(-len(faces) // columns), 1)
    sheet = np.zeros((rows * (side + GAP) - GAP, columns * (side + GAP) - GAP, 4), np.uint8)
    for index, face in enumerate(faces):
        top, left = (index // columns) * (side + GAP), (index % columns) * (side + GAP)
        large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
        sheet[top : top + side, left : left + side] = cv2.cvtColor(large, cv2.COLOR_GRAY2RGBA)
    return sheet
