"""How often a JPEG goes over its picture: each pass of a progressive one costs time, however few bytes it has."""

from __future__ import annotations

import re

MARKER = re.compile(rb"\xff+([^\x00\xff])")  # 0xff 0x00 is a byte of coded pixels
START_OF_PASS, END = 0xDA, 0xD9
ALONE = {0x01, *range(0xD0, 0xD9)}  # markers that no length follows


def passes(data: bytes, most: int) -> int:
    """Count passes up to the end of the first picture, as the decoder walks; at most `most` + 1 are counted.

    What merely looks like one, in metadata or in a video behind the picture, does not count.
    """
    count = at = 0
    while count <= most and (found := MARKER.search(data, at)):
        marker, at = found[1][0], found.end()
        if marker == END:
            break
        if marker not in ALONE:
            count += marker == START_OF_PASS
            at += max(int.from_bytes(data[at : at + 2], "big"), 2)
    return count
