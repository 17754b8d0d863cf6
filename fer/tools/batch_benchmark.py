"""Compare a batch with a plain loop, and measure how its cost grows: `python -m fer tools batch-benchmark`.

Every run is a new process, startup included, on generated photos. Reports CPU time beside wall time, since only CPU
time is comparable on a shared machine.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

from fer.locations import SAMPLES
from fer.machine import cores
from fer.tools.startup_benchmark import cost_of
from fer.tools.timing import Row, missing, row

PHOTOS = 300
SIZES = (100, 1000, 10_000)
PLAIN = """
import sys
from pathlib import Path
import cv2
import fer
from fer.vision.detection import load_detector
cv2.setNumThreads(1)
recognizer, detector = fer.load(sys.argv[1], threads=1), load_detector(sys.argv[2])
for path in sorted(Path(sys.argv[3]).iterdir()):
    recognizer.predict(fer.read_image(path), detector)
"""


def portraits(folder: Path, count: int) -> Path:
    """Write this many different photos of 640 pixels with a face."""
    folder.mkdir()
    with Image.open(SAMPLES / "astronaut.jpg") as portrait:
        for number in range(count):
            shift = number % 30
            cut = portrait.convert("RGB").crop((shift, shift // 2, 512 - shift, 512 - shift))
            cut.resize((640, 640)).save(folder / f"{number:05}.jpg", quality=88)
    return folder


def crops(folder: Path, count: int) -> Path:
    """Write this many different gray pictures of 48 pixels."""
    folder.mkdir()
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 255, (48, 48), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05}.png")
    return folder


def spent_s(command: list[str]) -> tuple[float, float, float]:
    """(wall seconds, CPU seconds including child processes, MB of the largest process) of a command."""
    cost = cost_of(command, OMP_NUM_THREADS="1")
    return cost["wall_ms"] / 1000, cost["busy_ms"] / 1000, cost["peak_mb"]


def batch(folder: Path, out: Path, model: str, detector: str, *more: str) -> list[str]:
    start = [sys.executable, "-m", "fer", "batch", str(folder), "--out", str(out)]
    return [*start, "--model", model, "--detector", detector, *more]


def batching(count: int = PHOTOS) -> list[Row]:
    """Compare one worker with a plain loop over recognizer.predict, two workers with one, and Ray with both."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        photos = portraits(place / "photos", count)
        plain = [sys.executable, "-c", PLAIN, "compact", "auto", str(photos)]
        spent_s(plain)  # the first run fills the disk cache
        loop = spent_s(plain)
        runs = {
            workers: spent_s(batch(photos, place / f"out{workers}", "compact", "auto", "--workers", str(workers)))
            for workers in (1, 2)
        }
        against = "a plain loop over recognizer.predict"
        rows += [
            row(
                f"fer batch, 1 worker, {count} photos", 1000 * runs[1][0], against, 1000 * loop[0], 1000 * loop[0] / 0.9
            ),
            row("the same, CPU time", 1000 * runs[1][1], against, 1000 * loop[1], 1000 * loop[1] / 0.9),
            row(
                f"fer batch, 2 workers, {count} photos, {cores()} cores",
                1000 * runs[2][0],
                "1 worker",
                1000 * runs[1][0],
                1000 * runs[1][0] / 1.7,
            ),
        ]
        stage = f"fer batch, 2 workers on Ray, {count} photos"
        if importlib.util.find_spec("ray") is None:
            rows.append(missing(stage, "the extra ray is not installed"))
        else:
            there = spent_s(batch(photos, place / "ray", "compact", "auto", "--workers", "2", "--ray", "local"))
            same = (place / "ray" / "readings.csv").read_bytes() == (place / "out2" / "readings.csv").read_bytes()
            rows.append(
                row(stage, 1000 * there[0], f"2 processes, {'the same' if same else 'OTHER'} rows", 1000 * runs[2][0])
            )
    return rows


def growth(sizes: tuple[int, ...] = SIZES, workers: int = 1) -> list[dict[str, float]]:
    """Batches of this many small pictures: the cost of one more, and the memory of the largest process."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for size in sizes:
            folder = crops(place / str(size), size)
            command = batch(folder, place / f"out{size}", "mini_xception", "none", "--workers", str(workers), "--json")
            wall, busy, mb = spent_s(command)
            again, again_busy, _ = spent_s(command)
            found.append(
                {
                    "inputs": size,
                    "wall_s": round(wall, 2),
                    "processor_s": round(busy, 2),
                    "processor_ms_an_input": round(1000 * busy / size, 3),
                    "again_s": round(again, 2),
                    "again_processor_s": round(again_busy, 2),
                    "peak_mb": round(mb, 1),
                }
            )
    return found


def main(sizes: tuple[int, ...] = SIZES, photos: int = PHOTOS, json: bool = False) -> None:  # noqa: A002
    """Print both tables.

    Args:
        sizes: Numbers of inputs for measuring growth.
        photos: Photos for the comparison with a plain loop; 0 skips it.
        json: Print JSON.
    """
    from json import dumps

    from fer.tools.timing import line

    rows, grown = batching(photos) if photos else [], growth(sizes)
    if json:
        print(dumps({"batching": rows, "growth": grown}))
        return
    print("\n".join(map(line, rows)))
    for each in grown:
        print(", ".join(f"{name} {value:g}" for name, value in each.items()))


if __name__ == "__main__":
    tyro.cli(main)
