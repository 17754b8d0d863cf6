"""A JPEG is taken apart as a decoder does; one that ends too soon is read as far as it goes, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fer.errors import ImageError
from fer.vision.images import decode, read
from fer.vision.jpeg import read_jpeg
from tests.conftest import SHARED
from tests.vision.pictures import encode

NOISE = np.random.default_rng(0).integers(
    60, 200, (320, 240, 3), np.uint8
)  # every row of blocks has its share of bytes


def noise(**options) -> bytes:
    return encode(Image.fromarray(NOISE), "JPEG", quality=80, **options)


@pytest.mark.parametrize(("options", "passes"), [({}, 1), ({"progressive": True}, 10)])
def test_structure(options, passes):
    data = noise(**options)
    whole = read_jpeg(data, 30)
    assert (whole.passes, whole.ends, whole.begun, whole.orientation) == (passes, True, True, 1)
    torn = read_jpeg(data[: len(data) // 3], 30)
    assert not torn.ends and torn.begun == (passes == 1) and torn.data.endswith(b"\xff\xd9")
    assert read_jpeg(data, 3).passes == min(passes, 4)


def test_a_baseline_file_needs_no_range_of_coefficients():
    """Its scan header ends with 0, 63, 0, which decoders ignore; some encoders write zeros."""
    data = bytearray(noise())
    scan = data.index(b"\xff\xda")
    data[scan + 2 + data[scan + 3] - 3 : scan + 2 + data[scan + 3]] = bytes(3)
    found = decode(bytes(data))
    assert not found.notes and (found.rgb == decode(noise()).rgb).all()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [1, 2, 20])
def test_a_few_bytes_short_is_read_with_a_note(progressive, missing):
    data = noise(progressive=progressive)
    found = decode(data[:-missing])
    (note,) = found.notes
    assert "cut off" in note and np.abs(found.rgb.astype(int) - decode(data).rgb)[:-20].max() < 4
    assert not decode(data).notes


def test_a_strip_short_says_how_many_rows_are_missing():
    data = noise()
    found = decode(data[: int(0.94 * len(data))])
    (note,) = found.notes
    assert ("last 15 rows" in note or "last 16 rows" in note) and (found.rgb[-1] == 128).all()
    assert np.array_equal(found.rgb[:280], decode(data).rgb[:280])


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.85])
def test_more_than_a_strip_short_is_an_error(mode, share):
    data = encode(Image.fromarray(NOISE).convert(mode), "JPEG")
    with pytest.raises(ImageError, match="incomplete"):
        decode(data[: int(share * len(data))])


def test_zeros_in_place_of_the_rest_are_no_pixels():
    """As a download leaves them that was broken off."""
    data = noise()
    half = len(data) // 2
    with pytest.raises(ImageError, match="incomplete"):
        decode(data[:half] + bytes(half))


def test_half_of_a_progressive_file_is_an_error():
    data = noise(progressive=True)
    with pytest.raises(ImageError, match="incomplete"):
        decode(data[: len(data) // 2])


def test_the_reported_file():
    file = SHARED / "cases" / "jpg_no_end_mark.jpg"
    if not file.is_file():
        pytest.skip("the field cases are not at hand (FER_SHARED)")
    assert read(file).rgb.shape == (224, 224, 3) and len(read(file).notes) == 1
