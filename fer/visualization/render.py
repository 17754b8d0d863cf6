"""Draw on pictures: boxes with labels that stay legible at any size, and grays for the screen."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer.expressions import COLORS, UNSURE_COLOR
from fer.records import Prediction

LONG_SIDE = 1400  # a drawn picture is at most this large
SHORT_LONG_SIDE = 900  # and enlarged to this, so that letters are sharp on a small photo too


def draw_predictions(image_rgb: np.ndarray, predictions: list[Prediction]) -> np.ndarray:
    """A copy of the picture with a numbered box and label for each face. (H, W, 3) uint8 RGB, perhaps resized."""
    height, width = image_rgb.shape[:2]
    factor = float(np.clip(1.0, SHORT_LONG_SIDE / max(height, width), LONG_SIDE / max(height, width)))
    shrinks = factor < 1
    canvas = cv2.resize(
        image_rgb,
        (max(round(width * factor), 1), max(round(height * factor), 1)),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC,
    )
    letters = max(round(max(canvas.shape[:2]) / 34), 18)  # about 11 pixels on a phone
    line = max(round(letters / 9), 2)
    for face in predictions:
        box = face.box
        start = (round(box.x * factor), round(box.y * factor))
        end = (round((box.x + box.width) * factor), round((box.y + box.height) * factor))
        cv2.rectangle(canvas, start, end, (255, 255, 255), line + 2, cv2.LINE_AA)
        cv2.rectangle(canvas, start, end, rgb(face_color(face)), line, cv2.LINE_AA)
    taken = np.zeros(canvas.shape[:2], bool)
    for number, face in enumerate(predictions, 1):
        words = f"{number} {face_label(face)}" if len(predictions) > 1 else face_label(face)
        label = chip(words, face_color(face), letters)
        place = _place(canvas.shape, label.shape, face, factor)
        if taken[place].any():  # in a crowd the number alone; the page tells the rest
            label = chip(str(number), face_color(face), letters)
            place = _place(canvas.shape, label.shape, face, factor)
        rows, columns = canvas[place].shape[:2]
        canvas[place], taken[place] = label[:rows, :columns], True
    return canvas


def jpeg(image_rgb: np.ndarray) -> bytes:
    """A picture to be kept small, (H, W, 3) uint8 RGB."""
    return cv2.imencode(".jpg", cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def face_color(face: Prediction) -> str:
    return COLORS.get(face.answer, UNSURE_COLOR)


def face_label(face: Prediction) -> str:
    """The answer for a face; "not sure: blurred" where it cannot be read."""
    return face.answer if face.quality.ok else f"{face.answer}: {face.quality.word}"


def _place(
    canvas_shape: tuple[int, ...], chip_shape: tuple[int, ...], face: Prediction, factor: float
) -> tuple[slice, slice]:
    """Above the box, else below it, else at the top; never outside the picture."""
    (height, width), (rows, columns) = canvas_shape[:2], chip_shape[:2]
    left = int(np.clip(round(face.box.x * factor), 0, max(width - columns, 0)))
    above = round(face.box.y * factor) - rows
    below = round((face.box.y + face.box.height) * factor)
    top = above if above >= 0 else below if below + rows <= height else 0
    return slice(top, top + rows), slice(left, left + columns)


@lru_cache(maxsize=2048)
def chip(text: str, color: str, letters: int) -> np.ndarray:
    """White letters on a colored ground; black where that reads better."""
    font = ImageFont.load_default(letters)
    left, top, right, bottom = map(int, font.getbbox(text))
    pad = max(letters // 4, 3)
    ground = Image.new("RGB", (right - left + 2 * pad, letters + 2 * pad), color)
    red, green, blue = rgb(color)
    ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 130 else "white"
    ImageDraw.Draw(ground).text((pad - left, pad + (letters - bottom - top) // 2), text, ink, font)
    return np.asarray(ground)


def surroundings(image_rgb: np.ndarray, face: Prediction, side: int = 192) -> np.ndarray:
    """The face as it was found: its box and some of what is around, (side, side, 3) uint8 RGB."""
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
    """A face or a standardized input for the screen, its pixels kept square: (S, S) -> (side, side) uint8.

    uint8 is shown as it is; floats from -2.5 (black) to 2.5 (white) standard deviations.
    """
    if values.dtype != np.uint8:
        values = np.clip((values + 2.5) / 5 * 255, 0, 255).astype(np.uint8)
    return cv2.resize(values, (side, side), interpolation=cv2.INTER_NEAREST)


def rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
