"""Draw on pictures: a face's color and label, and pictures for the screen."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer.expressions import COLORS, UNSURE_COLOR
from fer.records import Prediction

LONG_SIDE = 1280  # of a photo on screen


def for_screen(image_rgb: np.ndarray) -> np.ndarray:
    """The picture (H, W, 3) uint8 RGB, reduced to LONG_SIDE if larger."""
    height, width = image_rgb.shape[:2]
    factor = LONG_SIDE / max(height, width)
    if factor >= 1:
        return image_rgb
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    return cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA)


def jpeg(image_rgb: np.ndarray) -> bytes:
    """A picture to encode compactly, (H, W, 3) uint8 RGB."""
    return cv2.imencode(".jpg", cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def face_color(face: Prediction) -> str:
    return COLORS.get(face.answer, UNSURE_COLOR)


def face_label(face: Prediction) -> str:
    """The answer for a face; "not sure: blurred" if it cannot be read."""
    return face.answer if face.quality.ok else f"{face.answer}: {face.quality.reasons[0]}"


@lru_cache(maxsize=2048)
def chip(text: str, color: str, letters: int) -> np.ndarray:
    """Text on a colored background."""
    font = ImageFont.load_default(letters)
    left, top, right, bottom = map(int, font.getbbox(text))
    pad = max(letters // 4, 3)
    ground = Image.new("RGB", (right - left + 2 * pad, letters + 2 * pad), color)
    ImageDraw.Draw(ground).text((pad - left, pad + (letters - bottom - top) // 2), text, ink_on(color), font)
    return np.asarray(ground)


def ink_on(color: str) -> str:
    """Black or white, whichever has more contrast (WCAG 2) with a color."""
    red, green, blue = ((value / 255) ** 2.2 for value in rgb(color))
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "white"


def surroundings(image_rgb: np.ndarray, face: Prediction, side: int = 192) -> np.ndarray:
    """The detected face: its box with some surroundings, (side, side, 3) uint8 RGB."""
    box = face.box
    reach = max(box.width, box.height) * 0.75
    x, y = box.x + box.width / 2, box.y + box.height / 2
    scale = side / (2 * reach)
    matrix = np.array([[scale, 0, (reach - x) * scale], [0, scale, (reach - y) * scale]])
    height, width = image_rgb.shape[:2]
    left, top = int(max(x - reach - 2, 0)), int(max(y - reach - 2, 0))
    part = np.ascontiguousarray(
        image_rgb[top : int(min(y + reach + 2, height)) + 1, left : int(min(x + reach + 2, width)) + 1]
    )
    matrix[:, 2] += [left * scale, top * scale]
    view = cv2.warpAffine(
        part,
        matrix,
        (side, side),
        flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    start = (round((box.x - x + reach) * scale), round((box.y - y + reach) * scale))
    end = (round((box.x + box.width - x + reach) * scale), round((box.y + box.height - y + reach) * scale))
    cv2.rectangle(view, start, end, rgb(face_color(face)), 3, cv2.LINE_AA)
    return view


def gray_picture(values: np.ndarray, side: int = 192) -> np.ndarray:
    """A face or standardized input, enlarged with sharp pixels: (S, S) -> (side, side) uint8.

    uint8 stays unchanged; floats range from -2.5 (black) to 2.5 (white) standard deviations.
    """
    if values.dtype != np.uint8:
        values = np.clip((values + 2.5) / 5 * 255, 0, 255).astype(np.uint8)
    return cv2.resize(values, (side, side), interpolation=cv2.INTER_NEAREST)


def rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
