"""FER Studio: reads facial expressions, says how sure it is, and shows why.

recognizer = fer.load("mini_xception")            # or a run directory, or a .safetensors file
for face in recognizer.predict(image_rgb): ...    # Prediction: box, probabilities, expression, sure
explanation = fer.explain(recognizer, image_rgb, face)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer.errors import FerError
    from fer.explanation.explain import explain
    from fer.inference.recognizer import load
    from fer.records import FaceBox, Prediction
    from fer.vision.images import read_image

__version__ = "0.2.0"
__all__ = ["FaceBox", "FerError", "Prediction", "__version__", "explain", "load", "read_image"]

# Imported on first use, so that `import fer.expressions` stays light.
_PLACES = {
    "FaceBox": "fer.records",
    "FerError": "fer.errors",
    "Prediction": "fer.records",
    "explain": "fer.explanation.explain",
    "load": "fer.inference.recognizer",
    "read_image": "fer.vision.images",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'fer' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)
