"""Whatever metadata says, the pixels are those of the same picture without it, turned as its orientation asks."""

from __future__ import annotations

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from fer.errors import ImageError
from fer.vision.exif import orientation
from fer.vision.images import decode, decode_image, read
from fer.vision.metadata import plain_tiff
from tests.conftest import SHARED
from tests.vision.pictures import HEIC, PICTURE, chunk, encode, tagged

TURNED = np.rot90(PICTURE, -1)  # what orientation 6 asks for
WHOLE = {kind: encode(Image.fromarray(PICTURE), kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "AVIF")}
TYPES, COUNTS = (*range(15), 0xFFFF), (0, 1, 2, 5000, 2**31, 2**32 - 1)
OFFSETS = (0, 8, 14, 60, 5000, 2**32 - 1)


def exif(*entries: tuple[int, int, int, bytes], order: str = "<", next_directory: int = 0, count: int = -1) -> bytes:
    """A directory of (tag, type, count, four bytes)."""
    rows = b"".join(struct.pack(f"{order}HHI", tag, kind, number) + value for tag, kind, number, value in entries)
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    length = struct.pack(f"{order}H", len(entries) if count < 0 else count)
    return header + length + rows + struct.pack(f"{order}I", next_directory)


def turn(order: str, kind: str = "H") -> tuple[int, int, int, bytes]:
    return 0x0112, {"B": 1, "H": 3, "I": 4}[kind], 1, struct.pack(order + kind, 6).ljust(4, b"\0")


def in_jpeg(content: bytes, marker: int = 0xE1) -> bytes:
    return WHOLE["JPEG"][:2] + struct.pack(">BBH", 255, marker, len(content) + 2) + content + WHOLE["JPEG"][2:]


def in_png(*chunks: bytes, after: bool = False) -> bytes:
    at = -12 if after else 33
    return WHOLE["PNG"][:at] + b"".join(chunks) + WHOLE["PNG"][at:]


def in_webp(content: bytes) -> bytes:
    return encode(Image.fromarray(PICTURE), "WEBP", exif=content, lossless=True, method=0)


def test_invented_tags_of_all_types_counts_and_offsets_leave_the_orientation():
    """Also directories that point to themselves, in both byte orders, before and behind the orientation."""
    jpeg = np.rot90(decode_image(WHOLE["JPEG"]), -1)
    tags = itertools.cycle((0x010F, 0x0132, 0x8769, 0x8825, 0xA005, 0x927C, 0x0201, 0x9286, 0x0111, 0xC4A5))
    seen = 0
    for order, kind, count, offset in itertools.product("<>", TYPES, COUNTS, OFFSETS):
        odd = (next(tags), kind, count, struct.pack(f"{order}I", offset))
        entries = (odd, turn(order)) if seen % 2 else (turn(order, "BHI"[seen % 3]), odd)
        tagged = exif(*entries, order=order, next_directory=offset)
        assert np.array_equal(decode_image(in_jpeg(b"Exif\0\0" + tagged)), jpeg), (order, odd)
        assert np.array_equal(decode_image(in_png(chunk(b"eXIf", tagged))), TURNED), (order, odd)
        seen += 1
    assert seen > 1000
    assert np.array_equal(decode_image(in_webp(tagged)), TURNED)
    assert np.array_equal(decode_image(in_png(chunk(b"eXIf", b"Exif\0\0" + tagged), after=True)), TURNED)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"II",
        b"II*\0\xff\xff\xff\xff" + b"\xff" * 40,
        b"garbage",
        exif((0x0112, 2, 1, b"6\0\0\0")),
        exif((0x0112, 3, 1, b"\0\0\0\0")),
        exif((0x0112, 3, 1, b"\x09\0\0\0")),
        exif(count=65535),
    ],
)
def test_an_orientation_that_is_none_turns_nothing(content):
    assert orientation(content) == orientation(b"Exif\0\0" + content) == 1
    assert np.array_equal(decode_image(in_png(chunk(b"eXIf", content))), PICTURE)
    assert np.array_equal(decode_image(in_jpeg(b"Exif\0\0" + content)), decode_image(WHOLE["JPEG"]))


def test_more_entries_than_there_are_do_not_hide_the_orientation():
    assert orientation(exif(turn("<"), count=65535)) == 6


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"iCCP", b"name\0\x07damaged"),
        (b"iCCP", b"name\0\0" + zlib.compress(bytes(70 * 2**20))),
        (b"iCCP", b""),
        (b"zTXt", b"key\0\x09what"),
        (b"zTXt", b"key\0\0" + zlib.compress(bytes(70 * 2**20))),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(70 * 2**20))),
        (b"tEXt", b"exif\0II*\0\xff\xff\xff\xff"),
        (b"gAMA", b"\0"),
        (b"sRGB", b""),
        (b"cHRM", b"\0" * 7),
        (b"pHYs", b""),
        (b"tRNS", b"\0"),
        (b"acTL", b"\0"),
        (b"fcTL", b"\0" * 26),
        (b"fdAT", b"\0"),
        (b"prVt", b"\0" * 9),
    ],
)
def test_odd_chunks_of_a_png(kind, content, after):
    whole = chunk(kind, content)
    for made in (whole, whole[:-4] + b"\0\0\0\0"):  # with a wrong checksum as well
        assert np.array_equal(decode_image(in_png(made, after=after)), PICTURE)


@pytest.mark.parametrize(
    ("marker", "content"),
    [
        (0xE0, b"JFIF"),
        (0xE0, b"JFIF\0"),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0\xff\xff<x"),
        (0xE2, b"ICC_PROFILE\0"),
        (0xE2, b"ICC_PROFILE\0\0\0"),
        (0xE2, b"MPF\0II*\0\xff\xff\xff\xff"),
        (0xE2, b"MPF\0MM\0*\0\0\0\x08\0\x03"),
        (0xE2, b"FPXR\0"),
        (0xED, b"Photoshop 3.0\x008BIM\x03\xed\xff"),
        (0xEE, b"Adobe"),
        (0xFE, b""),
        (0xEB, b"\xff\xd8\xff\xda"),
    ],
)
def test_odd_segments_of_a_jpeg(marker, content):
    assert np.array_equal(decode_image(in_jpeg(content, marker)), decode_image(WHOLE["JPEG"]))


def test_odd_tags_of_a_tiff_leave_pixels_and_orientation():
    for kind, number, offset in itertools.product(TYPES, COUNTS, OFFSETS):
        odd = ((0x010E, 0x8769, 0x83BB, 0x8773, 0x02BC, 0x014A)[kind % 6], kind, number, offset)
        data = tagged(WHOLE["TIFF"], odd, (0x0112, 3, 1, 6))
        assert np.array_equal(decode_image(data), TURNED), odd
        assert plain_tiff(data)[1:] == (6, 1, False)


def test_exif_items_of_avif_and_heic_are_left_alone_and_their_own_turn_counts():
    bad = b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 40
    picture = Image.fromarray(PICTURE)
    for data in (encode(picture, "AVIF", exif=bad, quality=90), encode(picture, "AVIF", xmp=b"<x", quality=90)):
        assert np.abs(decode_image(data).astype(int) - PICTURE).mean() < 6
    turned = Image.Exif()
    turned[0x0112] = 6
    assert np.abs(decode_image(encode(picture, "AVIF", exif=turned, quality=90)).astype(int) - TURNED).mean() < 6
    pytest.importorskip("pi_heif", reason="the app extra is not installed")
    assert np.abs(decode_image(HEIC["turned"]).astype(int) - np.rot90(decode_image(HEIC["plain"]), -1)).mean() < 3
    assert np.array_equal(decode_image(HEIC["odd exif"]), decode_image(HEIC["plain"]))


def test_a_raw_photo_is_not_its_preview():
    picture = Image.fromarray(PICTURE)
    for tags in ({254: 1}, {50706: b"\1\4\0\0"}):
        with pytest.raises(ImageError, match="raw photo"):
            decode(encode(picture, "TIFF", tiffinfo=tags))


@pytest.mark.parametrize("name", ["png_bad_exif.png", "jpg_turned_with_odd_tag.jpg"])
def test_reported_files(name):
    if not SHARED.joinpath("cases", name).is_file():
        pytest.skip("the field cases are not at hand (FER_SHARED)")
    good = read(SHARED / "cases" / "jpg_turned_good.jpg").rgb.astype(int)
    assert np.abs(read(SHARED / "cases" / name).rgb - good).mean() < 6


def test_an_orientation_reads_from_a_file_that_pillow_writes():
    made = Image.Exif()
    made[0x0112], made[0x010F] = 8, "maker"
    file = io.BytesIO(encode(Image.fromarray(PICTURE), "JPEG", exif=made))
    assert orientation(Image.open(file).info["exif"]) == 8
