"""Why a model says what it says, and whether to believe the map.

`fer.explain` is both this package and a function: `fer.explain(recognizer, image_rgb, face)`.
"""

from __future__ import annotations

import sys
import types


class _CallableModule(types.ModuleType):
    def __call__(self, *arguments: object, **options: object) -> object:
        """See `fer.explain.face.explain`."""
        from fer.explain.face import explain

        return explain(*arguments, **options)


sys.modules[__name__].__class__ = _CallableModule
