"""Draw on a live stream's frames; the evidence overlay needs PyTorch, which is loaded only on request."""

from __future__ import annotations

import numpy as np

from fer.inference.live import Draw
from fer.inference.recognizer import Recognizer
from fer.inference.tracked_reader import TrackedFace
from fer.visualization.overlay import draw_faces


class LazyDrawer:
    """Draws faces, and heat after `load_heat`, which takes seconds and must not be called in the stream's thread."""

    def __init__(self) -> None:
        self._with_heat: Draw | None = None

    def __call__(
        self,
        frame_rgb: np.ndarray,
        faces: tuple[TrackedFace, ...],
        parts: frozenset[str],
        recognizer: Recognizer,
    ) -> np.ndarray:
        """An annotated copy of the frame (H, W, 3) uint8 RGB."""
        draw = self._with_heat if "heat" in parts else None
        if draw is None:
            return draw_faces(frame_rgb, faces, parts)
        return draw(frame_rgb, faces, parts, recognizer)

    @property
    def has_heat(self) -> bool:
        return self._with_heat is not None

    def load_heat(self, recognizer: Recognizer) -> None:
        """Load PyTorch, the method and the model's weights, so that the overlay can be drawn."""
        if self._with_heat is None:
            from fer.app.predict.live_overlay import LiveDrawer
            from fer.explanation.explain import explainer_for

            explainer_for(recognizer)
            self._with_heat = LiveDrawer()
