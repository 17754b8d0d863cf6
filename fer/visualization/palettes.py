"""Perceptually uniform palettes for maps: inferno for evidence, cmocean's balance where a sign matters."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from plotly import colors

SEQUENTIAL = "Inferno"  # Smith and van der Walt 2015
DIVERGING = "balance"  # Thyng et al. 2016: blue speaks against, red speaks for


@lru_cache(maxsize=4)
def table(name: str) -> np.ndarray:
    """(256, 3) uint8 RGB, from the published stops."""
    stops = colors.sequential.Inferno if name == SEQUENTIAL else colors.cmocean.balance
    rgb = np.array([colors.hex_to_rgb(stop) if stop.startswith("#") else colors.unlabel_rgb(stop) for stop in stops])
    ends = (0.0, 1.0) if name == SEQUENTIAL else (0.12, 0.88)  # balance's ends are too dark to tell blue from red
    places = np.linspace(ends[0] * (len(stops) - 1), ends[1] * (len(stops) - 1), 256)
    return np.stack([np.interp(places, range(len(stops)), channel) for channel in rgb.T], 1).round().astype(np.uint8)


def paint(values: np.ndarray, scale: float, signed: bool) -> np.ndarray:
    """A map (H, W) -> (H, W, 3) uint8. From 0 to scale, or where signed from -scale to scale; beyond is clipped."""
    unit = values / scale if scale > 0 else np.zeros_like(values)
    unit = (np.clip(unit, -1, 1) + 1) / 2 if signed else np.clip(unit, 0, 1)
    return table(DIVERGING if signed else SEQUENTIAL)[(unit * 255).round().astype(np.uint8)]
