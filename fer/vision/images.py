"""From a stranger's bytes to upright RGB pixels."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fer.errors import ImageError
from fer.limits import limits
from fer.vision.jpeg import passes

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")  # which files of a folder are taken for pictures
MAX_BYTES, MAX_PIXELS = limits().photo_bytes, limits().photo_pixels
MIN_SIDE = 8
MAX_PASSES = 30  # of a progressive JPEG: editors write 6 to 18, and each takes 0.06 s of 64 megapixels
STRIP_PIXELS = 2**20  # converted at once: a large picture is in memory once, with its result


def decode_image(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture, judged by its content: PNG, JPEG, WebP, BMP, or a GIF's first frame.

    Returns (H, W, 3) uint8 RGB, upright by its EXIF orientation, transparency over white, 16 bits
    brought to 8. Raises ImageError for anything else; size is checked before pixels are decoded.
    """
    if not data:
        raise ImageError("The file is empty. Choose a picture.")
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"The file has {len(data) / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are read. Save it smaller."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise ImageError(
                    f"The picture has {width} x {height} pixels; at most {MAX_PIXELS // 10**6} "
                    "megapixels are read. Save it smaller."
                )
            if min(width, height) < MIN_SIDE:
                raise ImageError(f"The picture has {width} x {height} pixels. Too small to show a face.")
            if picture.format in ("JPEG", "MPO") and passes(data, MAX_PASSES) > MAX_PASSES:
                raise ImageError(f"The JPEG is made of more than {MAX_PASSES} passes. Save it again.")
            ImageOps.exif_transpose(picture, in_place=True)
            return _to_rgb(picture)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError("This is not a picture that can be read. Use PNG, JPEG, WebP, BMP or GIF.") from None
    except Image.DecompressionBombError:
        raise ImageError(f"The picture is too large; at most {MAX_PIXELS // 10**6} megapixels are read.") from None
    except MemoryError:
        raise ImageError("The picture needs more memory than there is. Save it smaller.") from None
    except Exception:  # Pillow's decoders raise many kinds on damaged bytes: OSError, SyntaxError, struct.error ...
        raise ImageError("The picture is damaged or cut off. Save or download it again.") from None


def read_image(path: Path | str) -> NDArray[np.uint8]:
    """Decode a file. Raises ImageError."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(
                f"The file has {path.stat().st_size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB "
                "are read. Save it smaller."
            )
        with open(path, "rb") as file:
            return decode_image(file.read(MAX_BYTES + 1))  # what is no plain file may go on for ever
    except FileNotFoundError:
        raise ImageError("There is no such file.") from None
    except ValueError:  # a NUL in the name
        raise ImageError("There is no such file.") from None
    except OSError as error:
        raise ImageError(f"The file cannot be read: {error.strerror or 'unknown reason'}.") from None


def _to_rgb(picture: Image.Image) -> NDArray[np.uint8]:
    """Strip by strip -> (H, W, 3) uint8."""
    width, height = picture.size
    deep = picture.mode == "I;16" and cast("tuple[float, float]", picture.getextrema())[1] > 255
    image_rgb, rows = np.empty((height, width, 3), np.uint8), max(STRIP_PIXELS // width, 1)
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(top + rows, height)))
        image_rgb[top : top + rows] = _deep_gray(strip) if deep else _plain_rgb(strip)
    return image_rgb


def _plain_rgb(strip: Image.Image) -> NDArray[np.uint8 | np.uint16]:
    if strip.mode == "I;16":
        return np.asarray(strip)[..., None]
    if strip.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in strip.info:
        strip = strip.convert("RGBA")
        strip = Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip)
    return np.asarray(strip.convert("RGB"))


def _deep_gray(strip: Image.Image) -> NDArray[np.float64]:
    """16 bits a gray -> 8, (H, W, 1)."""
    return (np.asarray(strip) / 257).round()[..., None]
