"""Damage by chance: bytes cut, flipped and joined; JSON values swapped for what nobody expects."""

from __future__ import annotations

import json
from random import Random

TEXTS = (
    "",
    "\0",
    "..",
    "../../x",
    "/etc/passwd",
    "<script>alert(1)</script>",
    "a" * 5000,
    "\ud800",
    "1e999",
    "²",
    "٣",
    "nan",
    "None",
    "\r\n",
    "=1+1",
    "[x](y)",
)
NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, 10**30, 10**400, 0.5, -0.0, 1e308, float("inf"), float("nan"))
PIECES = (
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\n",
    b'"',
    b",",
    b"\r",
    b"{",
    b"[" * 3000,
    b"<script>",
    b"\xed\xa0\x80",
    b"9" * 5000,
    b" " * 70,
    b"PK\x03\x04",
    b"\xff\xda",
    b"NaN",
)


def damaged(random: Random, data: bytes, other: bytes = b"") -> bytes:
    """One to four wounds."""
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(data) + 1)
        kind = random.randrange(7)
        if kind == 0:
            data = data[:at]
        elif kind == 1 and data:
            at = min(at, len(data) - 1)
            data = data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]
        elif kind == 2:
            data = data[:at] + random.choice(PIECES) + data[at:]
        elif kind == 3:
            piece = random.choice(PIECES)
            data = data[:at] + piece + data[at + len(piece) :]
        elif kind == 4:
            data = data[:at] + data[at + random.randrange(64) :]
        elif kind == 5:
            data = data[:at] + other[random.randrange(len(other) + 1) :][:2000] + data[at:]
        else:
            far = min(at + random.randrange(1, 200), len(data))
            data = data[:far] + data[at:far] * random.randrange(1, 4) + data[far:]
    return data


def value(random: Random, depth: int = 0) -> object:
    """Any JSON value, most often one at an edge."""
    kind = random.randrange(8 if depth < 3 else 5)
    if kind < 2:
        return random.choice(NUMBERS)
    if kind < 4:
        return random.choice(TEXTS)
    if kind == 4:
        return random.choice((None, True, False))
    if kind == 5:
        return [value(random, depth + 1) for _ in range(random.randrange(4))]
    if kind == 6:
        return {str(random.choice(TEXTS)): value(random, depth + 1) for _ in range(random.randrange(3))}
    return nested(random.choice((10, 300, 900)))


def nested(depth: int) -> list:
    found: list = []
    for _ in range(depth):
        found = [found]
    return found


def odd_json(random: Random, text: bytes) -> bytes:
    """The document with one to three of its values swapped, taken out or put in; NaN and Infinity stay bare words."""
    document = json.loads(text)
    for _ in range(random.randrange(1, 4)):
        holder, document = _holder(random, document)
        if isinstance(holder, dict):
            key = random.choice([*holder, "new"])
            if random.randrange(5):
                holder[key] = value(random)
            else:
                holder.pop(key, None)
        elif isinstance(holder, list):
            holder[random.randrange(len(holder) + 1) :] = [value(random)]
    return json.dumps(document).encode()


def _holder(random: Random, document: object) -> tuple[object, object]:
    """An object or list somewhere in the document; rarely the document itself is swapped."""
    if not random.randrange(20):
        return None, value(random)
    place = document
    while random.randrange(2):
        inside = (
            [
                child
                for child in (place.values() if isinstance(place, dict) else place)
                if isinstance(child, (dict, list))
            ]
            if isinstance(place, (dict, list))
            else []
        )
        if not inside:
            break
        place = random.choice(inside)
    return place, document
