"""Draw synthetic faces: a data set that is always available, free to use, and learned in a minute.

Each expression moves brows, lids, nose and mouth by its action units (`fer.expressions.ACTION_UNITS`), at varying
strength; everything else (head, hair, skin, light, pose, noise) is random and independent of the expression.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from fer.data import cache
from fer.data.dataset import FACE_SIZE, Dataset
from fer.expressions import COUNT, NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCALE = 3  # drawn larger, then averaged down for smooth edges
CANVAS = FACE_SIZE * SCALE
SIZES = {"Training": 2100, "PublicTest": 420, "PrivateTest": 420}
VERSION = 1  # of the drawing, so that a changed drawing never matches an old cache
DATA_SEED = 2013


@dataclass(frozen=True)
class Expression:
    """A face's movements, set by an expression and scaled by its strength; in pixels of 48 unless noted."""

    inner_brow: float = 0.0  # up
    outer_brow: float = 0.0
    knit: float = 0.0  # inner ends towards each other
    lids: float = 0.0  # relative change of opening
    wrinkle: float = 0.0  # of the nose, 0..1
    corners: float = 0.0  # of the mouth, up
    width: float = 0.0  # of the mouth, relative change of width
    opening: float = 0.0  # between the lips
    lip: float = 0.0  # relative change of thickness
    cheeks: float = 0.0  # depth of the lines from nose to mouth, 0..1


PROTOTYPES = {
    "angry": Expression(
        inner_brow=-2.6, outer_brow=0.8, knit=1.6, lids=-0.2, corners=-0.9, width=-0.16, lip=-0.5, wrinkle=0.3
    ),
    "disgust": Expression(
        inner_brow=-1.5,
        outer_brow=-0.6,
        knit=0.7,
        lids=-0.5,
        wrinkle=1.0,
        corners=-1.3,
        width=0.06,
        opening=1.2,
        lip=0.3,
        cheeks=1.0,
    ),
    "fear": Expression(inner_brow=2.3, outer_brow=0.4, knit=1.2, lids=0.5, corners=-1.2, width=0.3, opening=2.0),
    "happy": Expression(inner_brow=0.4, outer_brow=0.4, lids=-0.25, corners=2.7, width=0.3, opening=2.2, cheeks=0.9),
    "sad": Expression(inner_brow=2.0, outer_brow=-1.4, knit=0.8, lids=-0.3, corners=-2.3, width=-0.08, lip=0.15),
    "surprise": Expression(inner_brow=2.9, outer_brow=2.9, lids=0.55, corners=-0.3, width=-0.3, opening=6.5),
    "neutral": Expression(),
}


@lru_cache(maxsize=2)
def read_synthetic(seed: int = DATA_SEED) -> Dataset:
    """2,100 training, 420 validation and 420 test faces, balanced over expressions; the same for the same seed.

    Drawn once (about 4 s), then read from the cache.
    """
    cached = cache.file_of("synthetic", VERSION, seed, *SIZES.values())
    if (dataset := cache.load(cached)) is not None:
        return dataset
    rng = np.random.default_rng(seed)
    usage = np.repeat(list(SIZES), list(SIZES.values()))
    labels = np.arange(len(usage), dtype=np.int64) % COUNT
    pixels = np.stack([draw_face(NAMES[label], rng) for label in labels])
    dataset = Dataset(pixels, labels, usage, name="synthetic")
    cache.save(cached, dataset)
    return dataset


def draw_face(expression: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One random face (48, 48) uint8 with this expression."""
    strength = rng.uniform(0.65, 1.2)
    moves = {
        name: value * strength * rng.uniform(0.85, 1.15) + rng.normal(0, 0.05)
        for name, value in vars(PROTOTYPES[expression]).items()
    }
    face = _Face(replace(Expression(), **moves), rng)
    return _photograph(face.draw(), rng)


def _px(*values: float) -> tuple[int, ...]:
    return tuple(round(value * SCALE) for value in values)


def _points(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(np.stack([xs, ys], 1) * SCALE).astype(np.int32)


class _Face:
    """One person with a random appearance, painted layer by layer on a gray canvas."""

    def __init__(self, moves: Expression, rng: np.random.Generator) -> None:
        self.moves, self.rng = moves, rng
        self.skin = rng.uniform(105, 215)
        self.hair = rng.uniform(15, 0.75 * self.skin)
        self.ground = rng.uniform(20, 235)
        self.half_width = rng.uniform(17.0, 20.5)
        self.eye_y, self.eye_dx = rng.normal(18.6, 0.5), rng.uniform(7.9, 9.2)
        self.eye_width = rng.uniform(3.4, 4.3)
        self.brow_gap, self.brow_thick = rng.uniform(4.2, 5.6), rng.uniform(0.8, 1.7)
        self.mouth_y, self.mouth_half = rng.normal(36.2, 0.6), rng.uniform(6.0, 7.4)
        self.lip = rng.uniform(0.9, 1.6)

    def draw(self) -> NDArray[np.float32]:
        """(CANVAS, CANVAS) float32 in 0..255, before light and noise."""
        self.canvas = np.full((CANVAS, CANVAS), self.ground, np.uint8)
        self._head()
        self._sockets_and_nose()
        for side in (-1, 1):
            self._eye(side)
            self._brow(side)
            self._cheek(side)
        self._mouth()
        return self.canvas.astype(np.float32)

    def _ellipse(self, x: float, y: float, half_width: float, half_height: float, gray: float) -> None:
        axes = tuple(max(value, 1) for value in _px(half_width, half_height))
        cv2.ellipse(self.canvas, _px(x, y), axes, 0, 0, 360, float(gray), -1, cv2.LINE_AA)

    def _line(self, xs: list[float], ys: list[float], thick: float, gray: float) -> None:
        cv2.polylines(
            self.canvas,
            [_points(np.array(xs), np.array(ys))],
            False,
            float(gray),
            max(round(thick * SCALE), 1),
            cv2.LINE_AA,
        )

    def _head(self) -> None:
        top = self.rng.uniform(-4, 2)
        drop = max(self.moves.opening, 0) * 0.5
        if self.rng.random() < 0.45:  # long hair
            self._ellipse(24, 24, self.half_width + 4, 32, self.hair)
        self._ellipse(24, 46, 9, 14, self.skin * 0.78)  # neck
        self._ellipse(24, 14, self.half_width + 2, 17 - top / 2, self.hair)
        for side in (-1, 1):
            self._ellipse(24 + side * self.half_width, 23, 2.2, 4, self.skin * 0.88)  # ears
        self._ellipse(24, 22 + drop / 2, self.half_width, 23 + drop / 2, self.skin)
        fringe = self.rng.uniform(1, 6)
        self._ellipse(24 + self.rng.uniform(-5, 5), -3, self.half_width + 2, 6 + fringe, self.hair)

    def _sockets_and_nose(self) -> None:
        soft = np.zeros_like(self.canvas)
        for side in (-1, 1):
            cv2.ellipse(soft, _px(24 + side * self.eye_dx, self.eye_y - 0.5), _px(5.5, 3.6), 0, 0, 360, 60, -1)
        length = 10.5 + self.rng.normal(0, 0.5) - 1.2 * self.moves.wrinkle
        tip = self.eye_y + length
        cv2.ellipse(soft, _px(24 + self.rng.choice([-1, 1]) * 2.2, tip - 3.5), _px(1.2, 4), 0, 0, 360, 45, -1)
        cv2.ellipse(soft, _px(24, tip + 2.2), _px(3.5, 1.1), 0, 0, 360, 70, -1)  # shadow below the nose
        shade = cv2.GaussianBlur(soft, (0, 0), 1.3 * SCALE).astype(np.float32) / 255
        self.canvas = (self.canvas * (1 - shade)).astype(np.uint8)
        for side in (-1, 1):
            self._ellipse(24 + side * 1.9, tip + 0.6, 0.9, 0.6, self.skin * 0.4)
            self._line(
                [24 + side * 3.3, 24 + side * 3.9, 24 + side * 3.2], [tip - 1.6, tip, tip + 1], 0.5, self.skin * 0.66
            )
            if self.moves.wrinkle > 0.45:
                for step in range(2):
                    self._line(
                        [24 + side * 0.8, 24 + side * 2.8],
                        [self.eye_y + 2 + 1.8 * step, self.eye_y + 0.9 + 1.8 * step],
                        0.5,
                        self.skin * 0.62,
                    )
        if self.moves.knit > 0.5:
            for side in (-1, 1):
                self._line(
                    [24 + side * 1.2, 24 + side * 0.9], [self.eye_y - 4.4, self.eye_y - 1.6], 0.5, self.skin * 0.62
                )

    def _eye(self, side: int) -> None:
        x, y = 24 + side * self.eye_dx, self.eye_y
        opening = 1.75 * float(np.clip(1 + self.moves.lids, 0.22, 1.7))
        across = np.linspace(-1, 1, 15)
        arch = 1 - across**2
        upper, lower = y - 1.25 * opening * arch, y + 0.85 * opening * arch
        xs = x + across * self.eye_width
        mask = np.zeros_like(self.canvas)
        cv2.fillPoly(mask, [_points(np.r_[xs, xs[::-1]], np.r_[upper, lower[::-1]])], 255, cv2.LINE_AA)
        layer = np.full_like(self.canvas, min(self.skin + 45, 240))
        look = self.rng.uniform(-0.5, 0.5)
        cv2.circle(layer, _px(x + look, y - 0.2), round(1.9 * SCALE), float(self.rng.uniform(40, 90)), -1, cv2.LINE_AA)
        cv2.circle(layer, _px(x + look, y - 0.2), round(0.9 * SCALE), 12.0, -1, cv2.LINE_AA)
        cv2.circle(layer, _px(x + look - 0.6, y - 0.9), round(0.4 * SCALE), 235.0, -1, cv2.LINE_AA)
        share = mask.astype(np.float32) / 255
        self.canvas = (self.canvas * (1 - share) + layer * share).astype(np.uint8)
        self._line(list(xs), list(upper), 0.75, self.skin * 0.25)
        self._line(list(xs[2:-2]), list(lower[2:-2]), 0.35, self.skin * 0.62)

    def _brow(self, side: int) -> None:
        moves, base = self.moves, self.eye_y - self.brow_gap
        xs = 24 + side * (np.array([3.9, 6.5, 9.5, 13.2]) - [moves.knit * 0.8, 0, 0, 0])
        ys = base + np.array(
            [
                0.6 - moves.inner_brow,
                -0.6 - 0.7 * moves.inner_brow - 0.25 * moves.outer_brow,
                -0.9 - 0.3 * moves.inner_brow - 0.7 * moves.outer_brow,
                0.9 - moves.outer_brow,
            ]
        )
        self._line(list(xs), list(ys), self.brow_thick, min(self.hair, self.skin * 0.55))

    def _cheek(self, side: int) -> None:
        if self.moves.cheeks > 0.3:
            start, end = self.mouth_half * 0.62, self.mouth_half * 1.32
            self._line(
                [24 + side * start, 24 + side * end, 24 + side * (end + 0.4)],
                [self.mouth_y - 6.5, self.mouth_y - 2.6, self.mouth_y + 0.4],
                0.55,
                self.skin * (1 - 0.34 * min(self.moves.cheeks, 1.2)),
            )

    def _mouth(self) -> None:
        moves = self.moves
        half = self.mouth_half * (1 + moves.width)
        opening, lip = max(moves.opening, 0), self.lip * max(1 + moves.lip, 0.3)
        across = np.linspace(-1, 1, 21)
        xs, arch = 24 + across * half, 1 - across**2
        curve = self.mouth_y - moves.corners * (across**2 - 0.35)
        bow = 0.35 * lip * np.cos(across * 3 * np.pi) * arch
        raised = 0.8 * max(moves.wrinkle - 0.3, 0)  # disgust lifts the upper lip
        upper, lower = curve - (0.3 * opening + raised) * arch, curve + 0.75 * opening * arch
        outside = np.r_[upper - lip * arch + bow - 0.2, (lower + 1.25 * lip * arch + 0.2)[::-1]]
        around = np.r_[xs, xs[::-1]]
        cv2.fillPoly(self.canvas, [_points(around, outside)], float(self.skin * 0.68), cv2.LINE_AA)
        if opening > 0.5:
            cv2.fillPoly(self.canvas, [_points(around, np.r_[upper, lower[::-1]])], 22.0, cv2.LINE_AA)
            teeth = upper + np.minimum(1.6, 0.55 * (lower - upper))
            if moves.corners > -0.8 and opening < 5 or moves.width > 0.15:
                cv2.fillPoly(self.canvas, [_points(around, np.r_[upper, teeth[::-1]])], 225.0, cv2.LINE_AA)
        else:
            self._line(list(xs), list((upper + lower) / 2), 0.6, self.skin * 0.3)
        below = self.mouth_y + 0.75 * opening + 2.6 * lip + 1.2
        self._line([21.5, 24, 26.5], [below, below + 0.4, below], 0.6, self.skin * 0.8)


def _photograph(canvas: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Light from one side, rotate and shift the head, reduce to 48 pixels, blur, add noise. -> (48, 48) uint8."""
    angle, zoom = rng.normal(0, 4), rng.uniform(0.92, 1.08)
    turn = cast("NDArray[np.float64]", cv2.getRotationMatrix2D((CANVAS / 2, CANVAS / 2), angle, zoom))
    turn[:, 2] += rng.normal(0, 0.9, 2) * SCALE
    if rng.random() < 0.5:
        canvas = canvas[:, ::-1]
    moved = cv2.warpAffine(np.ascontiguousarray(canvas), turn, (CANVAS, CANVAS), borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(
        cv2.GaussianBlur(moved, (0, 0), 0.5 * SCALE), (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_AREA
    )
    ys, xs = np.mgrid[-1 : 1 : FACE_SIZE * 1j, -1 : 1 : FACE_SIZE * 1j]
    direction, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.35)
    ball = 1 - 0.22 * (xs**2 + 0.6 * ys**2)  # a head is round, so it is darker toward its edge
    light = (1 + depth * (np.cos(direction) * xs + np.sin(direction) * ys)) * ball * rng.uniform(0.8, 1.15)
    noisy: NDArray[np.float64] = small * light + rng.normal(0, rng.uniform(1.5, 8), small.shape) + rng.uniform(-12, 12)
    return np.clip(noisy, 0, 255).astype(np.uint8)
