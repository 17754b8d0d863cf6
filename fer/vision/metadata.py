"""Strip metadata from picture files, so that damaged metadata cannot prevent decoding.

The functions return the stripped file; those for PNG and TIFF also return the orientation, 1 to 8.
"""

from __future__ import annotations

import re
import zlib

from fer.vision import exif

PNG_START = b"\x89PNG\r\n\x1a\n"
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")
# TIFF tags that a decoder needs: size, bits, compression, colors, strips, tiles, predictor, JPEG tables.
_TIFF_NEEDED = {
    *(256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 332, 334, 338),
    *(339, 347, *range(512, 522), 529, 530, 531, 532),
}
_TIFF_PREVIEW = 254  # bit 0: a smaller version of another page
_DNG_VERSION = 50706
MAX_PAGES = 1000  # counting stops here
# A metadata item's entry in HEIF and AVIF. Their rotation is a property, not metadata, so it survives.
_HEIF_ITEM = re.compile(rb"(infe\x02.{7}|infe\x03.{9})(?:Exif|mime)", re.DOTALL)


def plain_png(data: bytes, animated: bool = False) -> tuple[bytes, int]:
    """animated: keep the frames of an APNG; otherwise only the still picture."""
    kept, turned, at = [PNG_START], 1, len(PNG_START)
    color_type = data[25] if len(data) > 25 else 0
    needed_trns = {0: 2, 2: 6, 3: 1}.get(color_type, 2**31)
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if not kind.isalpha():
            break
        if kind == b"eXIf":
            turned = exif.orientation(data[at + 8 : end - 4])
        elif kind == b"PLTE" and color_type != 3:
            pass  # a suggested palette for displays with few colors
        elif not kind[0] & 0x20:
            kept.append(data[at:end])
        elif (kind == b"tRNS" and length >= needed_trns) or (animated and kind in _ANIMATION):
            good = zlib.crc32(data[at + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")
            kept += [data[at:end]] * good
        if kind == b"IEND":
            break
        at = end
    else:
        kept.append(data[at:])
    return b"".join(kept), turned


def plain_tiff(data: bytes) -> tuple[bytes, int, int, bool]:
    """Also returns the number of pages, up to MAX_PAGES, and whether the first is a raw photo's preview."""
    order = exif.byte_order(data) or "little"
    big = 43 in data[2:4]
    offset, count_size, entry_size, word = (8, 8, 20, 8) if big else (4, 2, 12, 4)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    first = number(offset, word)
    kept, turned, preview = [], 1, False
    count = min(number(first, count_size), max(len(data) - first, 0) // entry_size)
    for at in range(first + count_size, first + count_size + count * entry_size, entry_size):
        tag, kind, content = number(at, 2), data[at + 2 : at + 4], data[at + entry_size - word : at + entry_size]
        if tag in _TIFF_NEEDED:
            kept.append(data[at : at + entry_size])
        elif tag == exif.ORIENTATION:
            turned = exif.value(kind, content, order) or 1
        elif tag == _DNG_VERSION or (tag == _TIFF_PREVIEW and int.from_bytes(content[:4], order) & 1):
            preview = True
    pages, seen = 0, {0}
    page = first
    while page not in seen and page < len(data) and pages < MAX_PAGES:
        seen.add(page)
        pages += 1
        page = number(page + count_size + number(page, count_size) * entry_size, word)
    directory = len(kept).to_bytes(count_size, order) + b"".join(kept) + bytes(word)
    return data[:first] + directory + data[first + len(directory) :], turned, pages, preview


def plain_heif(data: bytes) -> bytes:
    """Strip a HEIF or AVIF file."""
    return _HEIF_ITEM.sub(rb"\1free", data)
