"""Perceptually uniform palettes for maps: inferno for evidence, cmocean's balance for signed maps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

SEQUENTIAL = "Inferno"  # Smith and van der Walt 2015
DIVERGING = "balance"  # Thyng et al. 2016: blue counts against, red favors
# The published stops, copied from plotly.colors so that drawing does not need Plotly.
STOPS = {
    SEQUENTIAL: "000004 1b0c41 4a0c6b 781c6d a52c60 cf4446 ed6925 fb9b06 f7d13d fcffa4",
    DIVERGING: "171c42 293a8f 0b66bd 4590b9 8eb5c2 d2d8db e6d2cc d59d89 c46548 ac2b24 780e28 3c0911",
}


@lru_cache(maxsize=4)
def table(name: str) -> np.ndarray:
    """(256, 3) uint8 RGB, from the published stops."""
    stops = STOPS[name].split()
    rgb = np.array([list(bytes.fromhex(stop)) for stop in stops])
    ends = (0.0, 1.0) if name == SEQUENTIAL else (0.12, 0.88)  # balance's ends are too dark to tell blue from red
    places = np.linspace(ends[0] * (len(stops) - 1), ends[1] * (len(stops) - 1), 256)
    return np.stack([np.interp(places, range(len(stops)), channel) for channel in rgb.T], 1).round().astype(np.uint8)


def paint(values: np.ndarray, scale: float, signed: bool) -> np.ndarray:
    """A map (H, W) -> (H, W, 3) uint8. Clipped from 0 to scale, or from -scale to scale if signed."""
    unit = values / scale if scale > 0 else np.zeros_like(values)
    unit = (np.clip(unit, -1, 1) + 1) / 2 if signed else np.clip(unit, 0, 1)
    return table(DIVERGING if signed else SEQUENTIAL)[(unit * 255).round().astype(np.uint8)]


def ink_on(color: str) -> str:
    """black or white, whichever is readable on this `#rrggbb`: a contrast of 4.5 or more (WCAG 2.2)."""
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (part / 255 for part in bytes.fromhex(color[1:]))
    )
    # Above this luminance, black has more contrast: (L + 0.05) / 0.05 against 1.05 / (L + 0.05).
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.1791 else "white"
