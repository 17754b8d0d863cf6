"""Measure the memory kept by a process that reads large photos: `python -m fer.tools.photo_memory`, as JSON.

Reads photos of 12 megapixels in varying shapes, one after the other, as the app does.
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
    """A process's current resident memory; NaN on systems without /proc."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return float("nan")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def photo(height: int, width: int, shift: int = 0) -> bytes:
    """A JPEG of this size filled with faces of 1,000 pixels, its rows moved by `shift`."""
    with Image.open(SAMPLE) as portrait:
        tile = np.asarray(portrait.convert("RGB").resize((1000, 1000)))
    tiled = np.tile(tile, (-(-height // 1000), -(-width // 1000), 1))[:height, :width]
    file = io.BytesIO()
    Image.fromarray(np.roll(tiled, shift, 1)).save(file, "JPEG", quality=90)
    return file.getvalue()


def resident_after(
    counts: tuple[int, ...] = COUNTS, shapes: tuple[tuple[int, int], ...] = SHAPES, threads: bool = False
) -> dict[int, float]:
    """Resident megabytes of this process after reading this many photos, the maximum over the last of each shape.

    threads: Read each photo in a new thread, as a server does for its visitors; glibc keeps memory for each thread.
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
    """Print the resident megabytes after a few and after many photos.

    Args:
        few: Photos before the first measurement.
        many: Photos in total.
        threads: Read each photo in a new thread, as a server does.
    """
    print(json.dumps(resident_after((few, many), threads=threads)))


if __name__ == "__main__":
    tyro.cli(main)
