"""What a process that reads large photos holds on to: `python -m fer.tools.photo_memory`, as JSON.

Photos of 12 megapixels, of varying shapes, one after the other: decoded, their faces found and read, as the app
does it.
"""

from __future__ import annotations

import io
import json
import threading
from collections import deque
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

import fer
from fer.locations import SAMPLES
from fer.memory import return_freed_memory, share_arenas
from fer.vision.detection import load_detector
from fer.vision.images import decode_image

SAMPLE = SAMPLES / "astronaut.jpg"
SHAPES = ((3000, 4000), (4000, 3000), (3500, 3000), (2800, 4200))  # height, width
COUNTS = (10, 100)


def resident_mb(process: int | str = "self") -> float:
    """A process's resident memory now; NaN on a system without /proc."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return float("nan")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def photo(height: int, width: int, shift: int = 0) -> bytes:
    """A JPEG of that size with as many faces as it has room for at 1,000 pixels each, the rows moved by `shift`."""
    with Image.open(SAMPLE) as portrait:
        tile = np.asarray(portrait.convert("RGB").resize((1000, 1000)))
    tiled = np.tile(tile, (-(-height // 1000), -(-width // 1000), 1))[:height, :width]
    file = io.BytesIO()
    Image.fromarray(np.roll(tiled, shift, 1)).save(file, "JPEG", quality=90)
    return file.getvalue()


def resident_after(
    counts: tuple[int, ...] = COUNTS, shapes: tuple[tuple[int, int], ...] = SHAPES, threads: bool = False
) -> dict[int, float]:
    """Resident megabytes of this process once it has read so many photos: the most over the last photo of each shape.

    threads: Read each photo in a new thread, as a server does for its visitors: glibc keeps memory a thread.
    """
    share_arenas()
    recognizer, detector = fer.load(), load_detector()
    photos = [photo(*shape, 37 * index) for index, shape in enumerate(shapes)]

    def read(data: bytes) -> None:
        recognizer.predict(decode_image(data), detector)
        return_freed_memory()

    seen: deque[float] = deque(maxlen=len(shapes))
    found: dict[int, float] = {}
    for number in range(1, max(counts) + 1):
        data = photos[number % len(photos)]
        if threads:
            reader = threading.Thread(target=read, args=(data,))
            reader.start()
            reader.join()
        else:
            read(data)
        seen.append(resident_mb())
        if number in counts:
            found[number] = max(seen)
    return found


def main(few: int = COUNTS[0], many: int = COUNTS[1], threads: bool = False) -> None:
    """Print the resident megabytes after some and after many photos.

    Args:
        few: Photos after which memory is looked at first.
        many: Photos in all.
        threads: Read each photo in a new thread, as a server does.
    """
    print(json.dumps(resident_after((few, many), threads=threads)))


if __name__ == "__main__":
    tyro.cli(main)
