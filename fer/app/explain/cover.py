"""The component for covering parts of the face by dragging; the bars beside it follow at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from fer.app import session
from fer.app.media import source_of
from fer.expressions import COLORS, NAMES
from fer.wording import percent, points, signed

KEY = "explain_cover"
HERE = Path(__file__).parent
MOST = 200  # rectangles
Rectangle = tuple[int, int, int, int]  # left, top, width, height, in pixels of the network's input


@dataclass(frozen=True)
class Covered:
    """The rectangles of one face. sequence: of the browser's messages, so that it recognizes an old answer."""

    rectangles: tuple[Rectangle, ...] = ()
    sequence: int = 0

    def mask(self, size: int) -> np.ndarray:
        """(S, S) of bool."""
        mask = np.zeros((size, size), bool)
        for left, top, width, height in self.rectangles:
            mask[top : top + height, left : left + width] = True
        return mask


_component = st.components.v2.component(
    "fer_cover",
    css=(HERE / "cover.css").read_text(encoding="utf-8"),
    js=(HERE / "cover.js").read_text(encoding="utf-8"),
)


def place(
    face: str, picture_rgb: np.ndarray, gray: int, size: int, covered: Covered, bars: list[dict], sentence: str
) -> None:
    """Draw the component. face: identifies the face. size: of the network's input. gray: of the cover, 0..255. bars:
    from `bars_of`.
    """
    _component(
        data={
            "picture": source_of(picture_rgb),
            "size": size,
            "fill": f"rgb({gray}, {gray}, {gray})",
            "rectangles": [list(one) for one in covered.rectangles],
            "sequence": covered.sequence,
            "bars": bars,
            "sentence": sentence,
        },
        key=f"{KEY}_{face}",
        on_cover_change=lambda: None,
    )


def said(face: str, size: int) -> Covered | None:
    """The browser's last message about this face; None if there is none or it is invalid."""
    return parsed((session.widget(f"{KEY}_{face}", dict) or {}).get("cover"), size)


def parsed(value: Any, size: int) -> Covered | None:
    """The rectangles in a message, clipped to the face; None for an invalid message."""
    try:
        sequence, rectangles = int(value["sequence"]), value["rectangles"]
        if not isinstance(rectangles, list) or len(rectangles) > MOST:
            return None
        found = []
        for left, top, width, height in rectangles:
            x, y = min(max(int(left), 0), size - 1), min(max(int(top), 0), size - 1)
            found.append((x, y, min(max(int(width), 1), size - x), min(max(int(height), 1), size - y)))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return Covered(tuple(found), sequence)


def bars_of(before: tuple[float, ...], after: np.ndarray) -> list[dict]:
    return [
        {
            "name": name,
            "color": COLORS[name],
            "before": round(float(p), 4),
            "after": round(float(q), 4),
            "words": f"{percent(q)} ({signed(q - p)})",
        }
        for name, p, q in zip(NAMES, before, after, strict=True)
    ]


def in_words(before: tuple[float, ...], after: np.ndarray) -> str:
    """The effect of covering on the answer, in a sentence or two."""
    first, now = int(np.argmax(before)), int(np.argmax(after))
    change = float(after[first]) - before[first]
    name = NAMES[first].capitalize()
    if not round(100 * abs(change)):
        words = f"{name} stays at {percent(after[first])}."
    else:
        words = f"{name} {'falls' if change < 0 else 'rises'} by {points(change)} to {percent(after[first])}."
    return words if now == first else f"{words} The answer is now {NAMES[now]}."
