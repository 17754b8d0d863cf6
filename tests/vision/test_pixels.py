"""Every kind of pixels becomes uint8 RGB, whether of a file or of an array."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from fer.errors import FerError
from fer.vision.images import decode, decode_image
from fer.vision.pixels import as_rgb
from tests.vision.pictures import PICTURE, encode

GRAY = np.tile(np.linspace(0, 255, 48).round().astype(np.uint8), (32, 1))
DEEP = {
    "16 bits": GRAY.astype(np.uint16) * 257,
    "16 bits, big-endian": (GRAY.astype(np.uint16) * 257).astype(">u2"),
    "16 bits that hold 12": (GRAY.astype(float) * 4095 / 255).round().astype(np.uint16),
    "32 bits that hold 16": GRAY.astype(np.int32) * 257,
    "32 bits that hold 8": GRAY.astype(np.int32),
    "32 bits": GRAY.astype(np.int32) * 10**6,
    "floats to 1": GRAY.astype(np.float32) / 255,
    "floats to 255": GRAY.astype(np.float32),
    "floats to a million": GRAY.astype(np.float32) * 4000,
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_grays_of_a_tiff_keep_their_scale(name):
    rgb = decode_image(encode(Image.fromarray(DEEP[name]), "TIFF"))
    assert np.abs(rgb.astype(int) - GRAY[..., None]).max() <= 1


def test_floats_that_are_no_numbers_are_black():
    odd = GRAY.astype(np.float32) / 255
    odd[0, :3] = np.nan, np.inf, -np.inf
    rgb = decode_image(encode(Image.fromarray(odd), "TIFF"))
    assert not rgb[0, :3].any() and np.abs(rgb[1:].astype(int) - GRAY[1:, :, None]).max() <= 1


def white_is_zero(tiff: bytes) -> bytes:
    """The same TIFF with the opposite meaning of its numbers: tag 262 is 0 in place of 1."""
    entry = struct.pack("<HHII", 262, 3, 1, 1)
    assert tiff[:2] == b"II" and tiff.count(entry) == 1
    return tiff.replace(entry, struct.pack("<HHII", 262, 3, 1, 0))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("name", ["1", "L", "16 bits", "floats to 1", "floats to 255"])
def test_a_tiff_in_which_white_is_zero_is_no_negative(name, compression):
    whole = Image.fromarray(DEEP[name]) if name in DEEP else Image.fromarray(GRAY).convert(name)
    tiff = encode(whole, "TIFF", compression=compression)
    assert np.array_equal(decode_image(white_is_zero(tiff)), 255 - decode_image(tiff))


@pytest.mark.parametrize("mode", ["1", "L", "P", "PA", "LA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_color_kinds_of_a_tiff(mode, compression):
    picture = Image.fromarray(PICTURE)
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        picture = ImageCms.profileToProfile(picture, *profiles, outputMode="LAB")
    else:
        picture = picture.convert("P").convert("PA") if mode == "PA" else picture.convert(mode)
    rgb = decode_image(encode(picture, "TIFF", compression=compression)).astype(int)
    expected = PICTURE if mode == "LAB" else np.asarray(picture.convert("RGB"))
    assert np.abs(rgb - expected).max() < 20


@pytest.mark.parametrize("options", [{"compression": "jpeg"}, {"compression": "zstd"}, {"big_tiff": True}, {}])
def test_tiffs_packed_in_other_ways(options):
    rgb = decode_image(encode(Image.fromarray(PICTURE), "TIFF", **options)).astype(int)
    assert np.abs(rgb - PICTURE).max() < 40


def test_sixteen_bits_a_color():
    _, tiff = cv2.imencode(".tiff", PICTURE[..., ::-1].astype(np.uint16) * 257)
    _, png = cv2.imencode(".png", PICTURE[..., ::-1].astype(np.uint16) * 257)
    assert np.array_equal(decode_image(tiff.tobytes()), PICTURE) and np.array_equal(
        decode_image(png.tobytes()), PICTURE
    )


def test_of_several_pages_the_first_is_read_and_the_others_are_said():
    pages = [Image.fromarray(np.full((16, 16), gray, np.uint8)) for gray in (10, 200, 220)]
    found = decode(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert (found.rgb == 10).all() and found.notes == ("The file has 3 pages; the first was read.",)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (GRAY, np.repeat(GRAY[..., None], 3, 2)),
        (GRAY[..., None], np.repeat(GRAY[..., None], 3, 2)),
        (PICTURE, PICTURE),
        (PICTURE[..., ::-1], PICTURE[..., ::-1]),
        (PICTURE[::-1, ::-2], PICTURE[::-1, ::-2]),
        (PICTURE.astype(np.float64) / 255, PICTURE),
        (PICTURE.astype(np.float32) / 255, PICTURE),
        (np.dstack([PICTURE, np.full((32, 48), 255, np.uint8)]), PICTURE),
        (np.dstack([PICTURE, np.zeros((32, 48), np.uint8)]), np.full_like(PICTURE, 255)),
        (Image.fromarray(PICTURE), PICTURE),
    ],
)
def test_arrays_that_hold_a_picture(array, expected):
    rgb = as_rgb(array)
    assert np.array_equal(rgb, expected) and rgb.dtype == np.uint8 and rgb.flags.c_contiguous


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((0, 5, 3), np.uint8), "empty"),
        (np.zeros((0, 0), np.uint8), "empty"),
        (np.zeros((3, 32, 48), np.uint8), r"\(3, 32, 48\)"),
        (np.zeros(5, np.uint8), "uint8 RGB"),
        (np.zeros((32, 48, 2), np.uint8), "uint8 RGB"),
        (np.zeros((1, 32, 48, 3), np.uint8), "uint8 RGB"),
        (np.zeros((32, 48, 3), np.int64), "int64"),
        (np.zeros((32, 48, 3), np.uint16), "uint16"),
        (np.full((32, 48, 3), 255.0), "from 255 to 255"),
        (np.full((32, 48, 3), np.nan), "0 to 1"),
        (np.zeros((32, 48, 3), complex), "complex"),
        ("photo.jpg", "uint8 RGB"),
        (None, "uint8 RGB"),
        ([[1, 2], [3]], "got a list"),
        (torch.zeros(32, 48, requires_grad=True), "got a Tensor"),
    ],
)
def test_arrays_that_hold_none(array, says):
    with pytest.raises(FerError, match=says):
        as_rgb(array)
