"""Whatever the bytes, the answer is an upright RGB picture or a sentence."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fer.errors import ImageError
from fer.vision import images
from fer.vision.images import decode_image, read_image

# Four flat quadrants, so that lossy formats keep them and orientation shows.
COLORS = np.array([[[200, 30, 30], [30, 200, 30]], [[30, 30, 200], [200, 200, 30]]], np.uint8)
PICTURE = COLORS.repeat(16, 0).repeat(24, 1)  # (32, 48, 3)


def encode(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "MPO"])
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


def test_a_gif_gives_its_first_frame():
    frames = [Image.fromarray(np.full((16, 16), gray, np.uint8)) for gray in (10, 250)]
    assert (decode_image(encode(frames[0], "GIF", save_all=True, append_images=frames[1:])) == 10).all()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"hello " * 50, "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 50, "not a picture|damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
    ],
)
def test_what_is_no_picture(data, says):
    with pytest.raises(ImageError, match=says):
        decode_image(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_cut_off_files(kind):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    data = encode(Image.fromarray(noise), kind)
    with pytest.raises(ImageError, match="damaged|not a picture"):
        decode_image(data[: len(data) // 2])


def test_limits_come_before_decoding(monkeypatch):
    data = encode(Image.new("L", (400, 300)), "PNG")
    monkeypatch.setattr(images, "MAX_PIXELS", 400 * 300 - 1)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ImageError, match="400 x 300"):
        decode_image(data)
    monkeypatch.setattr(images, "MAX_BYTES", 100)
    with pytest.raises(ImageError, match="MB"):
        decode_image(data)


def test_a_sliver_is_too_small():
    with pytest.raises(ImageError, match="1 x 3000"):
        decode_image(encode(Image.new("L", (1, 3000)), "PNG"))


def test_the_extension_does_not_matter(tmp_path):
    (tmp_path / "photo.txt").write_bytes(encode(Image.fromarray(PICTURE), "PNG"))
    assert np.array_equal(read_image(tmp_path / "photo.txt"), PICTURE)
    with pytest.raises(ImageError, match="no such file"):
        read_image(tmp_path / "nowhere.png")
