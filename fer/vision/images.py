"""From a stranger's bytes to upright RGB pixels."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fer.errors import ImageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")  # which files of a folder are taken for pictures
MAX_BYTES = 30 * 1024 * 1024
MAX_PIXELS = 64_000_000  # a phone's 50 megapixels pass
MIN_SIDE = 8


def decode_image(data: bytes) -> np.ndarray:
    """Decode a picture, judged by its content: PNG, JPEG, WebP, BMP, or a GIF's first frame.

    Returns (H, W, 3) uint8 RGB, upright by its EXIF orientation, transparency over white, 16 bits
    brought to 8. Raises ImageError for anything else; size is checked before pixels are decoded.
    """
    if not data:
        raise ImageError("The file is empty. Choose a picture.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"The file has {len(data) / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are read. "
                         "Save it smaller.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise ImageError(f"The picture has {width} x {height} pixels; at most {MAX_PIXELS // 10**6} "
                                 "megapixels are read. Save it smaller.")
            if min(width, height) < MIN_SIDE:
                raise ImageError(f"The picture has {width} x {height} pixels. Too small to show a face.")
            return np.ascontiguousarray(_to_rgb(ImageOps.exif_transpose(picture)))
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


def read_image(path: Path | str) -> np.ndarray:
    """Decode a file. Raises ImageError."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(f"The file has {path.stat().st_size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB "
                             "are read. Save it smaller.")
        return decode_image(path.read_bytes())
    except FileNotFoundError:
        raise ImageError("There is no such file.") from None
    except OSError as error:
        raise ImageError(f"The file cannot be read: {error.strerror or 'unknown reason'}.") from None


def _to_rgb(picture: Image.Image) -> np.ndarray:
    if picture.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        return _deep_to_rgb(np.asarray(picture, dtype=np.float64))
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture)
    return np.asarray(picture.convert("RGB"))


def _deep_to_rgb(grey: np.ndarray) -> np.ndarray:
    """More than 8 bits a grey -> 8: 16-bit greys keep their scale, others are stretched to their own range."""
    grey = np.nan_to_num(grey)
    low, high = (0.0, 65535.0) if 255 < grey.max() <= 65535 and grey.min() >= 0 else (grey.min(), grey.max())
    if grey.min() >= 0 and grey.max() <= 255:
        low, high = 0.0, 255.0
    scaled = ((grey - low) * (255 / max(high - low, 1e-9))).round().astype(np.uint8)
    return np.repeat(scaled[..., None], 3, axis=2)
