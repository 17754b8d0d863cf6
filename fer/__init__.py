"""FER Studio: reads facial expressions, says how sure it is, and shows why.

    recognizer = fer.load("mini_xception")            # or a run directory, or a .safetensors file
    for face in recognizer.predict(image_rgb): ...    # Prediction: box, probabilities, expression, sure
    explanation = fer.explain(recognizer, image_rgb, face)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer import explain
    from fer.inference.recognizer import load

__all__ = ["explain", "load"]


def __getattr__(name: str) -> object:
    # Loaded on first use, so that `import fer.expressions` stays light.
    if name == "load":
        from fer.inference.recognizer import load

        return load
    if name == "explain":
        import importlib

        return importlib.import_module("fer.explain")  # the package is callable: see there
    raise AttributeError(f"module 'fer' has no attribute {name!r}")
