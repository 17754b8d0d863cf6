"""Make torchvision importable if torch is a CPU build and torchvision the registry's CUDA build.

torchvision's compiled operators then do not load, and its Python code fails when it registers shapes for two of them:
"operator torchvision::nms does not exist". Declaring the two schemas first is enough for transforms, models and
datasets. The operators stay missing, but nothing here calls them.
"""

from __future__ import annotations

import sys

import torch

_library = None  # keeps the declarations alive


def ensure_torchvision() -> bool:
    """Import torchvision, repairing it if the import fails; returns False if it is not installed."""
    global _library
    try:
        import torchvision  # noqa: F401
    except ModuleNotFoundError:
        return False
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        _library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]  # torch has no types here
        for operator in ("nms", "qnms"):
            schema = f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            _library.define(schema)  # type: ignore[no-untyped-call]
        import torchvision  # noqa: F401
    return True
