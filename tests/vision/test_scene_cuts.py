"""Cuts between pictures, and all that is none: pans, zooms, flashes, fades, moving heads."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer.vision.images import read_image
from fer.vision.scene_cuts import SceneCuts
from tests.conftest import ROOT

SIZE = 320, 180


def portrait(name: str, size: tuple[int, int] = SIZE) -> np.ndarray:
    picture = read_image(ROOT / "fer/app/samples" / name)
    factor = max(size[0] / picture.shape[1], size[1] / picture.shape[0])
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)[: size[1], : size[0]]


ONE, OTHER = portrait("astronaut.jpg"), portrait("grace-hopper.jpg")
LARGE = portrait("grace-hopper.jpg", (640, 720))


def cuts(frames: list[np.ndarray]) -> list[int]:
    """Where the cuts are; each frame with a sensor's noise."""
    rng, scene = np.random.default_rng(0), SceneCuts()
    noisy = (np.clip(frame + rng.normal(0, 3, frame.shape), 0, 255).astype(np.uint8) for frame in frames)
    return [index for index, frame in enumerate(noisy) if scene.is_cut(frame)]


def lit(frame: np.ndarray, gain: float, offset: float = 0) -> np.ndarray:
    return np.clip(gain * frame.astype(float) + offset, 0, 255).astype(np.uint8)


def gray(frame: np.ndarray) -> np.ndarray:
    return np.repeat(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def pillarboxed(name: str) -> np.ndarray:
    frame = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    frame[:, 70:250] = portrait(name, (180, 180))
    return frame


@pytest.mark.parametrize("look", [lambda frame: frame, gray, lambda frame: lit(frame, 0.3)])
def test_every_cut_is_found_at_its_frame(look):
    assert cuts([look(frame) for frame in [ONE] * 4 + [OTHER] * 3 + [ONE] * 3]) == [4, 7]


def test_black_bars_do_not_make_people_alike():
    one, other = pillarboxed("astronaut.jpg"), pillarboxed("grace-hopper.jpg")
    assert cuts([one] * 4 + [other] * 4) == [4]


def test_a_cut_through_black_is_one():
    black = [np.zeros_like(ONE)] * 3
    assert cuts([ONE, *black, OTHER, OTHER]) == [4] and cuts([ONE, *black, ONE]) == []


def moving(step: int) -> list[np.ndarray]:
    """A head that moves before a wall with a picture on it."""
    head, frames = cv2.resize(OTHER[:, 80:260], (90, 90)), []
    for x in range(0, 200, step):
        frame = ONE.copy()
        frame[60:150, x : x + 90] = head
        frames.append(frame)
    return frames


def zoomed(factor: float) -> np.ndarray:
    matrix = np.array([[factor, 0, 160 * (1 - factor)], [0, factor, 90 * (1 - factor)]])
    return cv2.warpAffine(ONE, matrix, SIZE)


@pytest.mark.parametrize(
    "frames",
    [
        [LARGE[y : y + 180, x : x + 320] for x, y in zip(range(0, 320, 20), range(0, 540, 30), strict=False)],
        [zoomed(1.05**step) for step in range(20)],
        [ONE, ONE, lit(ONE, 2.5), lit(ONE, 2.5), ONE, ONE],
        [ONE, ONE, lit(ONE, 1.2, 120), ONE, ONE],
        [ONE, ONE, np.full_like(ONE, 255), ONE, ONE],
        [ONE, ONE, lit(ONE, 0.25), lit(ONE, 0.25)],  # the light goes out
        [lit(ONE, abs(1 - step / 20)) for step in range(41)],  # to black and back
        moving(8),
        moving(20),  # from side to side in less than a second
        [np.full_like(ONE, 90)] * 3,
    ],
    ids=["pan", "zoom", "flash", "bright flash", "white", "dark", "fade", "motion", "strong motion", "nothing"],
)
def test_what_is_no_cut(frames):
    assert cuts(list(frames)) == []


@pytest.mark.parametrize("shape", [(2, 2, 3), (16, 1280, 3), (1280, 16, 3), (47, 63, 3)])
def test_frames_of_any_shape(shape):
    rng, scene = np.random.default_rng(0), SceneCuts()
    for _ in range(3):
        assert scene.is_cut(rng.integers(0, 256, shape, np.uint8)) in (True, False)
    assert scene.is_cut(np.zeros((90, 160, 3), np.uint8)) is False
