"""Convert pixels of any kind to (H, W, 3) uint8 RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image, ImageCms

from fer.errors import FerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

STRIP_PIXELS = 2**20  # converted at a time, so that memory holds no second copy of a large picture
DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")  # modes with one gray channel of more than 8 bits
WHITES = (
    255.0,
    4095.0,
    65535.0,
)  # 8, 12 and 16 bits; white is the first that is not below the largest gray; 1 for floats up to 1
TOLERANCE = 1e-3  # resizing may leave floats this far outside 0..1


def to_rgb(picture: Image.Image, opaque: bool = False, white_is_zero: bool = False) -> NDArray[np.uint8]:
    """Convert a picture strip by strip, with transparency over white; `opaque` ignores transparency.

    white_is_zero: in deep grays 0 is white; Pillow itself inverts grays of up to 8 bits.
    """
    width, height = picture.size
    white = _white(picture) if picture.mode in DEEP else 255.0
    image_rgb, top = np.empty((height, width, 3), np.uint8), 0
    for strip in _strips(picture):
        if strip.mode in DEEP:
            rows = _deep_gray(strip, white)
            rows = 255 - rows if white_is_zero else rows
        else:
            rows = _plain_rgb(strip, opaque)
        image_rgb[top : top + len(rows)] = rows
        top += len(rows)
    return image_rgb


def as_rgb(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Any array that `predict` accepts -> (H, W, 3) uint8 RGB, contiguous.

    Accepts uint8, or floats in 0..1: gray as (H, W) or (H, W, 1), RGB, or RGBA, which is placed over white. Raises
    FerError for other arrays.
    """
    try:
        array = np.asarray(image)
    except (TypeError, ValueError, RuntimeError):  # rows of different lengths, or a tensor on a GPU or with gradients
        kind = type(image).__name__
        raise FerError(f"A picture must be (H, W, 3) uint8 RGB, got a {kind} that is no array of numbers.") from None
    found = f"got {array.shape} {array.dtype}"
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise FerError(f"A picture must be (H, W, 3) uint8 RGB, {found}.")
    if not array.size:
        raise FerError(f"The picture is empty: {found}. Pass one with pixels.")
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):  # NaN as well
            raise FerError(
                f"A float picture must have values from 0 to 1, got values from {low:g} to {high:g}. Scale it, or "
                "convert it to uint8."
            )
        array = (np.clip(array, 0, 1) * 255).round().astype(np.uint8)
    if array.dtype != np.uint8:
        raise FerError(f"A picture must be (H, W, 3) uint8 RGB, {found}. Convert it to uint8.")
    if array.shape[2] == 4:
        return to_rgb(Image.fromarray(np.ascontiguousarray(array), "RGBA"))
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))


def _strips(picture: Image.Image) -> Iterator[Image.Image]:
    width, height = picture.size
    rows = max(STRIP_PIXELS // width, 1)
    for top in range(0, height, rows):
        yield picture.crop((0, top, width, min(top + rows, height)))


def _plain_rgb(strip: Image.Image, opaque: bool) -> NDArray[np.uint8]:
    if strip.mode == "LAB":
        to = ImageCms.createProfile("sRGB")
        strip = cast(
            "Image.Image", ImageCms.profileToProfile(strip, ImageCms.createProfile("LAB"), to, outputMode="RGB")
        )
    if not opaque and (strip.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in strip.info):
        strip = strip.convert("RGBA")
        strip = Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip)
    return np.asarray(strip.convert("RGB"))


def _white(picture: Image.Image) -> float:
    """The gray level of white: 1 for floats up to 1; otherwise the first of WHITES that fits, or the largest level."""
    largest = max(float(_grays(strip).max()) for strip in _strips(picture))
    if picture.mode == "F" and largest <= 1 + TOLERANCE:
        return 1.0
    return next((white for white in WHITES if largest <= white), largest)


def _deep_gray(strip: Image.Image, white: float) -> NDArray[np.uint8]:
    """Scale deep grays to 8 bits -> (H, W, 1)."""
    return (_grays(strip) * (255 / white)).clip(0, 255).round().astype(np.uint8)[..., None]


def _grays(strip: Image.Image) -> NDArray[np.float64]:
    return np.nan_to_num(np.asarray(strip).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
