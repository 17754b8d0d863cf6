"""Whatever the bytes, the answer is an upright RGB picture or a sentence."""

from __future__ import annotations

import builtins
import io
import struct
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fer.errors import ImageError
from fer.limits import OPEN
from fer.vision.images import SUFFIXES, decode, decode_image, read, read_image
from tests.conftest import SHARED
from tests.vision.pictures import COLORS, HEIC, PICTURE, chunk, encode, tagged


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "MPO", "TIFF", "AVIF"])
def test_formats(kind):
    rgb = decode_image(encode(Image.fromarray(PICTURE), kind))
    assert rgb.dtype == np.uint8 and rgb.shape == (32, 48, 3)
    assert np.abs(rgb[::31, ::47].astype(int) - COLORS).max() < 12


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "CMYK", "YCbCr"])
def test_modes(mode):
    picture = Image.fromarray(PICTURE).convert(mode)
    rgb = decode_image(encode(picture, {"CMYK": "JPEG", "YCbCr": "JPEG"}.get(mode, "PNG")))
    assert rgb.shape == (32, 48, 3)
    if mode in ("P", "RGBA", "CMYK", "YCbCr"):
        assert np.abs(rgb[::31, ::47].astype(int) - COLORS).max() < 40


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation):
    undo = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: np.rot90,
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }.get(orientation, lambda a: a)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(undo(PICTURE)))
    assert np.array_equal(decode_image(encode(stored, "PNG", exif=exif)), PICTURE)


def test_sixteen_bits_keep_their_scale():
    deep = np.tile(np.linspace(0, 65535, 32, dtype=np.uint16), (32, 1))
    gray = decode_image(encode(Image.fromarray(deep), "PNG"))[0, :, 0]
    assert np.abs(gray.astype(int) - np.linspace(0, 255, 32)).max() <= 1


def test_transparency_lies_over_white():
    picture = Image.fromarray(np.zeros((16, 16, 4), np.uint8))
    assert (decode_image(encode(picture, "PNG")) == 255).all()


def test_a_bitmap_whose_alpha_is_all_zero_is_opaque():
    """Older programs leave the fourth byte 0, and viewers take no notice of it."""
    bgra = np.dstack([PICTURE[..., ::-1], np.zeros((32, 48), np.uint8)])[::-1]
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, 48, 32, 1, 32, 3, bgra.size, 0, 0, 0, 0) + masks + bytes(52)
    data = b"BM" + struct.pack("<IHHI", 14 + 108 + bgra.size, 0, 0, 14 + 108) + header + bgra.tobytes()
    assert Image.open(io.BytesIO(data)).mode == "RGBA" and np.array_equal(decode_image(data), PICTURE)
    bgra[0, 0, 3] = 255  # one pixel that is not: so it is an alpha
    rgb = decode_image(data[: 14 + 108] + bgra.tobytes())
    assert np.array_equal(rgb[-1, 0], PICTURE[-1, 0]) and (rgb[0] == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_the_first_frame_counts_that_is_not_blank(kind):
    picture, other = Image.fromarray(PICTURE), Image.fromarray(PICTURE[::-1])
    blank = [Image.new("RGB", (48, 32), color) for color in ("black", "white", "black")]

    def first(*frames: Image.Image) -> np.ndarray:
        found = decode(encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=50))
        assert bool(found.notes) == (frames[0] in blank and picture in frames)
        return found.rgb.astype(int)

    assert np.abs(first(picture, other) - PICTURE).mean() < 8
    assert np.abs(first(*blank, picture, other) - PICTURE).mean() < 8
    assert (first(*blank) < 3).all()


def test_an_animation_that_stays_blank_is_not_looked_at_for_ever():
    frames = [Image.new("L", (16, 16), 40 + number % 2) for number in range(200)]
    data = encode(frames[0], "GIF", save_all=True, append_images=[*frames[1:], Image.effect_noise((16, 16), 99)])
    assert (decode_image(data) == 40).all()


def test_an_animation_whose_frames_are_damaged_is_the_picture_it_begins_with():
    """Its checksums are right: it is the order of its frames that is wrong."""
    frames = [Image.new("RGB", (48, 32), color) for color in ("black", "white")]
    data = encode(frames[0], "PNG", save_all=True, append_images=[Image.fromarray(PICTURE)])
    at = data.index(b"fcTL", data.index(b"IDAT")) - 4
    odd = chunk(b"fcTL", struct.pack(">I", 9) + data[at + 12 : at + 34])
    assert not decode_image(data[:at] + odd + data[at + len(odd) :]).any()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"hello " * 50, "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 50, "not a picture|damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "video"),
        (b"II*\0\x08\0\0\0\0\0", "TIFF is damaged"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "damaged"),
    ],
)
def test_what_is_no_picture(data, says):
    with pytest.raises(ImageError, match=says):
        decode_image(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF"])
def test_cut_off_files(kind):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    data = encode(Image.fromarray(noise), kind)
    with pytest.raises(ImageError, match="damaged|not a picture"):
        decode_image(data[: len(data) // 2])


def test_limits_come_before_decoding(monkeypatch):
    data = encode(Image.new("L", (400, 300)), "PNG")
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ImageError, match="400 x 300"):
        decode_image(data, replace(OPEN, photo_pixels=400 * 300 - 1))
    with pytest.raises(ImageError, match="MB"):
        decode_image(data, replace(OPEN, photo_bytes=100))


def test_a_sliver_is_too_small():
    with pytest.raises(ImageError, match="1 x 3000"):
        decode_image(encode(Image.new("L", (1, 3000)), "PNG"))


def test_the_extension_does_not_matter(tmp_path):
    (tmp_path / "photo.txt").write_bytes(encode(Image.fromarray(PICTURE), "PNG"))
    assert np.array_equal(read_image(tmp_path / "photo.txt"), PICTURE)
    with pytest.raises(ImageError, match="no such file"):
        read_image(tmp_path / "nowhere.png")


@pytest.mark.parametrize("name", HEIC)
def test_a_heic_photo(name):
    pytest.importorskip("pi_heif", reason="the app extra is not installed")
    rgb = decode_image(HEIC[name])
    corners = rgb[:: len(rgb) - 1, :: rgb.shape[1] - 1].astype(int)
    assert np.abs(corners - (np.rot90(COLORS, -1) if name == "turned" else COLORS)).max() < 40
    with pytest.raises(ImageError, match="48 x 32|32 x 48"):
        decode_image(HEIC[name], replace(OPEN, photo_pixels=48 * 32 - 1))
    with pytest.raises(ImageError, match="damaged"):
        decode_image(HEIC[name][:200])


def test_without_its_reader_a_heic_photo_says_what_to_install(monkeypatch):
    real = builtins.__import__
    missing = lambda name, *rest: _raise(ImportError()) if name == "pi_heif" else real(name, *rest)  # noqa: E731
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImageError, match="pip install pi-heif"):
        decode_image(HEIC["plain"])


def _raise(error: Exception) -> None:
    raise error


def test_a_tiff_of_tiles_larger_than_any_picture_is_refused_unread():
    """Its decoder would make room for one."""
    whole = encode(Image.fromarray(PICTURE), "TIFF", compression="tiff_lzw")
    with pytest.raises(ImageError, match="tiles"):
        decode_image(tagged(whole, (322, 4, 1, 2**20), (323, 4, 1, 2**20)))


@pytest.mark.parametrize("name", ["photo.avif", "scan.tiff", "saved_from_web.jfif", "bmp_32bit_alpha_0.bmp"])
def test_reported_files(name):
    if not (SHARED / "cases" / name).is_file():
        pytest.skip("the field cases are not at hand (FER_SHARED)")
    found = read(SHARED / "cases" / name)
    assert found.rgb.std() > 40 and not found.notes and (SHARED / "cases" / name).suffix in SUFFIXES
