"""Walk a JPEG's segments: keep what its pixels need, count its passes, and check that it is complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fer.vision.exif import orientation

MARKER = re.compile(rb"\xff+([^\x00\xff])")  # 0xff 0x00 is pixel data, not a marker
START_OF_PASS, END = 0xDA, 0xD9
ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}  # frames whose passes say which coefficients they have; others have all
NEEDED = {*range(0xC0, 0xD0), 0xDB, 0xDD}  # frames, Huffman and quantization tables, restart interval
END_MARK = bytes([0xFF, END])


@dataclass(frozen=True)
class Jpeg:
    """data: the first picture, without metadata. passes: the number of passes over its pixels.

    ends: whether the file has an end mark; `data` always has one. begun: whether a pass, complete or not, covers every
    coefficient of every component.
    """

    data: bytes
    orientation: int
    passes: int
    ends: bool
    begun: bool


def read_jpeg(data: bytes, most_passes: int) -> Jpeg:
    """Walk the segments as a decoder does, counting at most `most_passes` + 1 passes.

    Ignores bytes that merely look like segments, in metadata or in a video appended to the picture.
    """
    kept, turned, passes, ends = [data[:2]], 1, 0, False
    open_bits: dict[int, int] = {}  # by component, a bit for each of 64 coefficients that no pass completes
    progressive = False
    for marker, start, end in _segments(data):
        content = data[start + 4 : end]
        if marker == START_OF_PASS:
            if not passes:
                kept.append(data[start:])  # the decoder takes over from here
            passes += 1
            _begin(content, open_bits, progressive)
            if passes > most_passes:
                break
        elif marker == END:
            ends = True
        elif marker == 0xE1 and content[:4] == b"Exif":
            turned = turned if turned > 1 else orientation(content)
        elif not passes and (marker in NEEDED or _tells_colors(marker, content)):
            kept.append(data[start:end])
            if marker in FRAMES:
                open_bits, progressive = dict.fromkeys(content[6::3], 2**64 - 1), marker in PROGRESSIVE
    whole = b"".join(kept)
    # A decoder would read zeros after a truncated picture as pixel data.
    return Jpeg(whole if ends else whole.rstrip(b"\0") + END_MARK, turned, passes, ends, not any(open_bits.values()))


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment in the first picture; pixel data lies between segments."""
    at = 2
    while found := MARKER.search(data, at):
        marker, start, at = found[1][0], found.end() - 2, found.end()
        if marker in ALONE:
            continue
        if marker != END:
            at += max(int.from_bytes(data[at : at + 2], "big"), 2)
        yield marker, start, at
        if marker == END:
            break


def _begin(header: bytes, open_bits: dict[int, int], progressive: bool) -> None:
    """Clear the bits of the coefficients that this pass completes."""
    if len(header) < 4:
        return
    first, last, precision = header[-3:] if progressive else (0, 63, 0)  # some encoders write zeros where it is not
    if not precision & 15:
        for number in header[1 : 1 + 2 * header[0] : 2]:
            open_bits[number] = open_bits.get(number, 0) & ~((2 << min(last, 63)) - (1 << min(first, 63)))


def _tells_colors(marker: int, content: bytes) -> bool:
    jfif = marker == 0xE0 and content[:5] == b"JFIF\0" and len(content) >= 14
    adobe = marker == 0xEE and content[:5] == b"Adobe" and len(content) >= 12
    return jfif or adobe
