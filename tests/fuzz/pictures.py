"""Nasty pictures, made by hand or by Pillow: each is read, or refused with a sentence."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from random import Random

import numpy as np
from PIL import Image, ImageCms

from tests.vision.pictures import HEIC, chunk, encode, tagged

FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "bmp": "BMP", "gif": "GIF", "tiff": "TIFF", "avif": "AVIF"}
LARGE = (8000, 8000)  # the 64 megapixels that are still read


def pictures(seed: int = 0) -> dict[str, bytes]:
    """{file name: content} of small files, the same for the same seed."""
    rng = np.random.default_rng(seed)
    noise = Image.fromarray(rng.integers(0, 255, (24, 32, 3), np.uint8))
    found = {f"whole.{suffix}": encode(noise, kind) for suffix, kind in FORMATS.items()}
    for name, size in {"1x1": (1, 1), "1x30000": (1, 30_000), "30000x1": (30_000, 1), "8x30000": (8, 30_000)}.items():
        found |= {
            f"{name}.{suffix}": encode(Image.new("RGB", size), kind)
            for suffix, kind in FORMATS.items()
            if kind not in ("WEBP", "AVIF") or max(size) < 16_384
        }
    frames = [Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)) for _ in range(3)]
    for suffix, kind in {"gif": "GIF", "webp": "WEBP", "png": "PNG", "tiff": "TIFF"}.items():  # an AVIF is dated
        found[f"animated.{suffix}"] = encode(frames[0], kind, save_all=True, append_images=frames[1:])
        blank = [Image.new("RGB", (16, 16), color) for color in ("black", "white")]
        found[f"blank-first.{suffix}"] = encode(blank[0], kind, save_all=True, append_images=[blank[1], *frames])
    found["two-in-one.jpg"] = encode(frames[0], "MPO", save_all=True, append_images=frames[1:])
    found["progressive.jpg"] = encode(noise, "JPEG", progressive=True)
    found["cmyk.jpg"] = encode(noise.convert("CMYK"), "JPEG")
    for mode in ("1", "L", "LA", "P", "RGBA"):
        found[f"{mode}.png"] = encode(noise.convert(mode), "PNG")
    found["clear-palette.png"] = encode(noise.convert("P"), "PNG", transparency=3)
    found["16-bit.png"] = encode(Image.fromarray(rng.integers(0, 65_535, (24, 32), np.uint16)), "PNG")
    found |= tiffs(noise) | {f"{name.replace(' ', '-')}.heic": data for name, data in HEIC.items()}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found["icc.jpg"] = encode(noise, "JPEG", icc_profile=profile[:24] + bytes(12) + profile[36:])  # undated
    found["icc-torn.png"] = encode(noise, "PNG", icc_profile=b"\0" * 200)
    for orientation in range(10):  # 1 to 8, and two that do not exist
        exif = Image.Exif()
        exif[0x0112] = orientation
        for suffix, kind in {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}.items():
            found[f"exif-{orientation}.{suffix}"] = encode(noise, kind, exif=exif)
    found["exif-torn.jpg"] = encode(noise, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 40)
    return found | bombs() | polyglots(found)


def tiffs(noise: Image.Image) -> dict[str, bytes]:
    """Kinds of pixels, of packing and of order."""
    gray = noise.convert("L")
    kinds = {mode: noise.convert(mode) for mode in ("1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr", "I", "F")}
    found = {f"{mode}.tiff": encode(picture, "TIFF") for mode, picture in kinds.items()}
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "zstd", "lzma"):
        found[f"{compression}.tiff"] = encode(noise, "TIFF", compression=compression)
    found["group4.tiff"] = encode(kinds["1"], "TIFF", compression="group4")
    found["16-bit.tiff"] = encode(Image.fromarray(np.asarray(gray).astype(np.uint16) * 257), "TIFF")
    found["big.tiff"] = encode(noise, "TIFF", big_tiff=True)
    tags = {"tiles": ((322, 4, 1, 2**31), (323, 4, 1, 16)), "large": ((256, 4, 1, 8000), (257, 4, 1, 8000))}
    return found | {f"said-{name}.tiff": tagged(found["tiff_lzw.tiff"], *entries) for name, entries in tags.items()}


def with_odd_tags(random: Random) -> bytes:
    """A picture with an EXIF, or a TIFF's directory, of tags by chance."""
    kinds, numbers = (*range(14), 0xFFFF), (0, 1, 2, 8, 40, 5000, 2**31, 2**32 - 1)
    tags = (0x0112, 0x0112, 0x010F, 0x8769, 0x8825, 0x014A, 0x0111, 0x0117, 0x0142, 0x0143, 0x0153, 0x0102, 0x0103)

    def entry() -> tuple[int, int, int, int]:
        return random.choice(tags), random.choice(kinds), random.choice(numbers), random.choice(numbers)

    order = random.choice("<>")
    entries = [entry() for _ in range(random.randrange(1, 6))]
    rows = b"".join(struct.pack(f"{order}HHII", *one) for one in entries)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, random.choice((len(entries), 65535)))
    exif = random.choice((b"", b"Exif\0\0")) + head + rows + struct.pack(f"{order}I", random.choice(numbers))
    whole = {suffix: encode(Image.new("L", (16, 16), 90), kind) for suffix, kind in FORMATS.items() if suffix != "avif"}
    made = {
        "jpg": whole["jpg"][:2] + struct.pack(">HH", 0xFFE1, len(exif) + 8) + b"Exif\0\0" + exif + whole["jpg"][2:],
        "png": whole["png"][:33] + chunk(b"eXIf", exif) + whole["png"][33:],
        "tiff": tagged(whole["tiff"], *entries),
    }
    return made[random.choice(list(made))]


def bombs() -> dict[str, bytes]:
    """Small files that say, or hold, far too much."""
    said = {
        "said-huge.png": png_of(2**31 - 1, 2**31 - 1),
        "said-wide.png": png_of(2**31 - 1, 8),
        "said-empty.png": png_of(0, 0),
        "said-large.png": png_of(*LARGE),
    }
    text = png_of(16, 16, extra=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(70 * 2**20), 9)))
    gif = bytearray(encode(Image.new("P", (16, 16)), "GIF"))
    gif[6:10] = struct.pack("<HH", 8000, 8000)  # the screen; its one frame stays small
    bmp = bytearray(encode(Image.new("P", (16, 16)), "BMP"))
    bmp[18:26], bmp[30:34] = struct.pack("<ii", *LARGE), struct.pack("<I", 1)  # run-length coded, almost no data
    return {
        **said,
        "text-bomb.png": text,
        "screen.gif": bytes(gif),
        "runs.bmp": bytes(bmp),
        "passes.jpg": many_passes(*LARGE, 1000),
    }


def polyglots(whole: dict[str, bytes]) -> dict[str, bytes]:
    """Files of two kinds at once."""
    file = io.BytesIO(whole["whole.png"])
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(zipfile.ZipInfo("happy/1.png"), whole["whole.png"])
    script = b"<script>alert(1)</script>"
    return {
        "png-and-zip.png": file.getvalue(),
        "gif-and-script.gif": b"GIF89a/*" + script + b"*/=1;",
        "jpeg-and-html.jpg": whole["whole.jpg"] + script,
        "bmp-and-text.bmp": b"BM" + script * 9,
        "svg.png": b"<svg xmlns='http://www.w3.org/2000/svg'>" + script + b"</svg>",
        "png-in-jpeg.jpg": whole["whole.jpg"][:40] + whole["whole.png"],
        "pdf.jpg": b"%PDF-1.7\n" + script,
    }


def png_of(width: int, height: int, extra: bytes = b"") -> bytes:
    """A gray PNG whose header says this size; its pixels are few."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def many_passes(width: int, height: int, passes: int) -> bytes:
    """A progressive JPEG of a gray plane that is gone over again and again, each time in about 70 bytes."""

    def segment(marker: int, content: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content

    blocks = -(-width // 8) * -(-height // 8)
    runs, rest = divmod(blocks, 2**14)  # symbol 0xE0: the next 2 ** 14 blocks hold nothing
    bits = ("0" + "0" * 14) * runs + "10" * rest  # symbol 0x00: this block holds nothing
    bits += "1" * (-len(bits) % 8)
    nothing = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)).replace(b"\xff", b"\xff\0")
    dc_scan = segment(0xDA, b"\1\1\0\0\0\0") + bytes(-(-blocks // 8))
    ac_scan = segment(0xDA, b"\1\1\0\1\x3f\x10") + nothing  # a refinement, the slowest kind
    return (
        b"\xff\xd8"
        + segment(0xDB, b"\0" + b"\1" * 64)
        + segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
        + segment(0xC4, b"\0" + b"\1" + bytes(15) + b"\0")
        + segment(0xC4, b"\x10" + b"\1\1" + bytes(14) + b"\xe0\0")
        + dc_scan
        + ac_scan * passes
        + b"\xff\xd9"
    )
