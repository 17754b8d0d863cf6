"""Decode untrusted picture files into upright RGB pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from fer.errors import ImageError
from fer.limits import MB, OWNER, Limits
from fer.vision import metadata
from fer.vision.exif import orientation
from fer.vision.jpeg import read_jpeg
from fer.vision.pixels import to_rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS = "PNG, JPEG, WebP, BMP, GIF, TIFF, AVIF or HEIC"
# Files in a folder with these suffixes, in lower case, count as pictures.
SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".mpo", ".webp", ".bmp", ".dib", ".gif"),
    *(".tif", ".tiff", ".avif", ".avifs", ".heic", ".heif", ".hif"),
)
MIN_SIDE = 8
MAX_PASSES = 30  # in a progressive JPEG: editors write 6 to 18, and one pass over 64 megapixels takes 0.06 s
MISSING_ROWS, MISSING_SHARE = 16, 1 / 32  # a truncated JPEG is read if it lacks at most the larger of the two
PHOTOMETRIC, TILE_WIDTH, TILE_LENGTH = 262, 322, 323  # TIFF tags
MAX_FRAMES = 60  # of an animation to search for one that is not blank
BLANK_DEVIATION = 6.0  # gray levels: a frame with a smaller standard deviation is blank
CUT_OFF = "The picture is damaged or incomplete. Save or download it again."
ODD_TIFF = "The TIFF is damaged, incomplete or of an unsupported kind. Save it as PNG or JPEG."
NOT_READ = {  # unsupported formats, by their first bytes
    b"\xff\x0a": "JPEG XL picture",
    b"\0\0\0\x0cJXL ": "JPEG XL picture",
    b"\0\0\0\x0cjP  ": "JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "JPEG 2000 picture",
    b"II\xbc\x01": "JPEG XR picture",
    b"8BPS": "Photoshop document",
    b"%PDF": "PDF document",
    b"\0\0\1\0": "Windows icon",
    b"FUJIFILMCCD-RAW": "camera's raw photo",
    b"IIRO": "camera's raw photo",
    b"IIU\0": "camera's raw photo",
}


@dataclass(frozen=True)
class DecodedImage:
    """rgb: (H, W, 3) uint8, upright. notes: sentences about damage, or about parts that were not read."""

    rgb: NDArray[np.uint8]
    notes: tuple[str, ...] = ()


def decode_image(data: bytes, limits: Limits = OWNER) -> NDArray[np.uint8]:
    """Decode a PNG, JPEG, WebP, BMP, GIF, TIFF or AVIF, or with pi-heif a HEIC, recognized by its content.

    Returns (H, W, 3) uint8 RGB, turned upright by the EXIF orientation, with transparency over white and deeper grays
    reduced to 8 bits. Reads the first of several pages, and the first frame of an animation that is not blank. Ignores
    damaged metadata. Checks the size before decoding pixels. Raises ImageError for a file that cannot be read.
    """
    return decode(data, limits).rgb


def read_image(path: Path | str, limits: Limits = OWNER) -> NDArray[np.uint8]:
    """Decode a file like `decode_image`. Raises ImageError."""
    return read(path, limits).rgb


def decode(data: bytes, limits: Limits = OWNER) -> DecodedImage:
    """Like `decode_image`, with notes."""
    if not data:
        raise ImageError("The file is empty. Choose a picture.")
    _check_bytes(len(data), limits)
    kind = _kind(data)
    with _sentences(kind), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return DECODERS[kind](data, limits)


def read(path: Path | str, limits: Limits = OWNER) -> DecodedImage:
    """Like `read_image`, with notes."""
    path = Path(path)
    try:
        _check_bytes(path.stat().st_size, limits)
        with open(path, "rb") as file:
            return decode(file.read(limits.photo_bytes + 1), limits)  # a pipe or a device may never end
    except FileNotFoundError:
        raise ImageError("There is no such file.") from None
    except ValueError:  # a NUL in the name
        raise ImageError("There is no such file.") from None
    except OSError as error:
        raise ImageError(f"The file cannot be read: {error.strerror or 'unknown reason'}.") from None


def _kind(data: bytes) -> str:
    """The key of DECODERS for the file's first bytes. Raises ImageError for other formats."""
    for start, kind in STARTS.items():
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        end = min(int.from_bytes(data[:4], "big"), 400)
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
        for kind, own in BRANDS.items():
            if brands & own:
                return kind
        raise ImageError(f"This is a video, not a picture. Use {FORMATS}.")
    for start, name in NOT_READ.items():
        if data.startswith(start):
            raise ImageError(f"This is a {name}, which cannot be read. Save it as JPEG or PNG.")
    raise ImageError(f"This is not a picture in a supported format. Use {FORMATS}.")


def _png(data: bytes, limits: Limits) -> DecodedImage:
    still, turned = metadata.plain_png(data)
    found = DecodedImage(_upright(to_rgb(_checked(PngImageFile(io.BytesIO(still)), limits)), turned))
    if b"acTL" not in data:
        return found
    animation = metadata.plain_png(data, animated=True)[0]
    return _past_blank(found, lambda: PngImageFile(io.BytesIO(animation)), limits, turned)


def _jpeg(data: bytes, limits: Limits) -> DecodedImage:
    jpeg = read_jpeg(data, MAX_PASSES)
    picture = _checked(JpegImageFile(io.BytesIO(jpeg.data)), limits)
    if jpeg.passes > MAX_PASSES:
        raise ImageError(f"The JPEG has more than {MAX_PASSES} passes. Save it again.")
    if not jpeg.begun:
        raise ImageError(CUT_OFF)
    image_rgb = to_rgb(picture)
    notes = () if jpeg.ends else (_cut_note(image_rgb, picture.mode),)
    return DecodedImage(_upright(image_rgb, jpeg.orientation), notes)


def _cut_note(image_rgb: NDArray[np.uint8], mode: str) -> str:
    """Describe what a JPEG without an end mark lacks. Raises ImageError if that is more than a strip."""
    height, last = len(image_rgb), image_rgb[-1, -1].astype(int)
    allowed, missing = max(MISSING_ROWS, int(height * MISSING_SHARE)), 0
    # The decoder fills missing rows with a medium gray.
    if mode == "CMYK" or (np.abs(last - 128) <= 1).all():
        while missing < height and missing <= allowed and (np.abs(image_rgb[-1 - missing] - last) <= 1).all():
            missing += 1
    if missing > allowed:
        raise ImageError(CUT_OFF)
    lacks = f", and its last {missing} rows are missing" if missing else ""
    return f"The file is cut off near its end{lacks}; the rest was read."


def _webp(data: bytes, limits: Limits) -> DecodedImage:
    return _animation(lambda: WebPImageFile(io.BytesIO(data)), limits)


def _bmp(data: bytes, limits: Limits) -> DecodedImage:
    picture = _checked(BmpImageFile(io.BytesIO(data)), limits)
    picture.load()
    # If every pixel is transparent, the fourth byte is padding, which older programs set to 0, not alpha.
    opaque = picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (0, 0)
    return DecodedImage(to_rgb(picture, opaque))


def _gif(data: bytes, limits: Limits) -> DecodedImage:
    return _animation(lambda: GifImageFile(io.BytesIO(data)), limits)


def _tiff(data: bytes, limits: Limits) -> DecodedImage:
    plain, turned, pages, preview = metadata.plain_tiff(data)
    if preview:
        raise ImageError("This is a camera's raw photo, which cannot be read. Save it as JPEG or PNG.")
    picture = TiffImageFile(io.BytesIO(plain))
    _checked(picture, limits)
    tile = [picture.tag_v2.get(tag, 1) for tag in (TILE_WIDTH, TILE_LENGTH)]
    if not all(isinstance(side, int) for side in tile) or tile[0] * tile[1] > max(limits.photo_pixels, 1):
        raise ImageError("The TIFF's tiles are too large. Save it again.")
    notes = (f"The file has {pages} pages; the first was read.",) if pages > 1 else ()
    white_is_zero = picture.tag_v2.get(PHOTOMETRIC) == 0
    return DecodedImage(_upright(to_rgb(picture, white_is_zero=white_is_zero), turned), notes)


def _avif(data: bytes, limits: Limits) -> DecodedImage:
    plain = metadata.plain_heif(data)
    return _animation(lambda: AvifImageFile(io.BytesIO(plain)), limits)


def _heic(data: bytes, limits: Limits) -> DecodedImage:
    try:
        import pi_heif
    except ImportError:
        raise ImageError(
            "HEIC photos need pi-heif, which is not installed. Run pip install pi-heif, or save the photo as JPEG."
        ) from None
    file = pi_heif.open_heif(io.BytesIO(metadata.plain_heif(data)), convert_hdr_to_8bit=True)
    _check_pixels(file.size, limits)
    return DecodedImage(to_rgb(file.to_pillow()))  # the library has already turned it upright


def _animation(opened: Callable[[], Image.Image], limits: Limits) -> DecodedImage:
    picture = _checked(opened(), limits)
    turned = orientation(picture.info.get("exif", b""))
    return _past_blank(DecodedImage(_upright(to_rgb(picture), turned)), opened, limits, turned)


def _past_blank(first: DecodedImage, opened: Callable[[], Image.Image], limits: Limits, turned: int) -> DecodedImage:
    """The first frame that is not blank; `first` if all are blank or cannot be read."""
    if not _is_blank(first.rgb):
        return first
    try:
        picture = _checked(opened(), limits)
        for number in range(1, min(MAX_FRAMES, limits.photo_pixels // (picture.width * picture.height))):
            picture.seek(number)
            image_rgb = to_rgb(_checked(picture, limits))  # a frame may be larger than the first
            if not _is_blank(image_rgb):
                note = f"Frame {number + 1} of the animation was read: the frames before it are blank."
                return DecodedImage(_upright(image_rgb, turned), (note,))
    except Exception:  # no more frames, or a damaged one
        return first
    return first


def _is_blank(image_rgb: NDArray[np.uint8]) -> bool:
    rows, columns = (max(side // 256, 1) for side in image_rgb.shape[:2])
    return float(image_rgb[::rows, ::columns].mean(2).std()) < BLANK_DEVIATION


def _upright(image_rgb: NDArray[np.uint8], turned: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation, 1 to 8."""
    if turned in (5, 6, 7, 8):
        image_rgb = image_rgb.transpose(1, 0, 2)
    if turned in (3, 4, 7, 8):
        image_rgb = image_rgb[::-1]
    if turned in (2, 3, 6, 7):
        image_rgb = image_rgb[:, ::-1]
    return np.ascontiguousarray(image_rgb)


def _checked(picture: Image.Image, limits: Limits) -> Image.Image:
    _check_pixels(picture.size, limits)
    return picture


def _check_pixels(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.photo_pixels:
        raise ImageError(
            f"The picture has {width} x {height} pixels; the limit is {limits.photo_pixels // 10**6} megapixels. "
            "Save it smaller."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"The picture has {width} x {height} pixels, too few to show a face. Choose a larger one.")


def _check_bytes(size: int, limits: Limits) -> None:
    if size > limits.photo_bytes:
        raise ImageError(
            f"The file has {size / MB:.0f} MB; the limit is {limits.photo_bytes // MB} MB. Save it smaller."
        )


@contextmanager
def _sentences(kind: str) -> Iterator[None]:
    """Turn every decoder error (on damaged bytes OSError, SyntaxError, struct.error and others) into an ImageError."""
    try:
        yield
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError("The picture is too large. Save it smaller.") from None
    except MemoryError:
        raise ImageError("There is not enough memory for this picture. Save it smaller.") from None
    except Exception:
        raise ImageError(ODD_TIFF if kind == "TIFF" else CUT_OFF) from None


DECODERS: dict[str, Callable[[bytes, Limits], DecodedImage]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WebP": _webp,
    "BMP": _bmp,
    "GIF": _gif,
    "TIFF": _tiff,
    "AVIF": _avif,
    "HEIC": _heic,
}
STARTS = {
    metadata.PNG_START: "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}
BRANDS = {
    "AVIF": {b"avif", b"avis"},
    "HEIC": {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"},
}
