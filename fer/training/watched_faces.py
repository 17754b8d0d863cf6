"""Sixteen validation faces, with the model's predictions after each epoch: watch.png, watch.json, watch.jsonl.

Knows nothing of PyTorch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fer.data.uploads import is_upload
from fer.errors import ImageError
from fer.expressions import COUNT
from fer.files import replace_file
from fer.limits import hosted
from fer.scores import softmax
from fer.training.run_directory import RunDirectory
from fer.vision.images import read_image

FACES = 16


@dataclass(frozen=True)
class Watch:
    """pixels: (n, S, S) uint8. labels: the true classes. beliefs: epoch -> (n, 7) probabilities."""

    pixels: np.ndarray
    labels: tuple[int, ...]
    beliefs: dict[int, np.ndarray]


def allowed(run: RunDirectory) -> bool:
    """Whether faces may be shown: the shared demo shows no uploaded ones, since everyone sees every run there."""
    return not (hosted() and is_upload(run.config.data))


def choose(labels: np.ndarray, seed: int, count: int = FACES) -> np.ndarray:
    """Rows to watch: a random face of each class in turn; the same for the same seed."""
    order = np.random.default_rng([seed, 16]).permutation(len(labels))
    turn = np.zeros(len(labels), np.int64)
    for label in range(COUNT):
        mine = order[labels[order] == label]
        turn[mine] = np.arange(len(mine)) * COUNT + label
    return np.argsort(turn, kind="stable")[:count]


def start(run: RunDirectory, pixels: np.ndarray, labels: np.ndarray, after_epoch: int) -> None:
    """Write the faces; drop predictions of later epochs, which will run again."""
    cv2.imwrite(str(run.path / "watch.png"), np.hstack(list(pixels)))
    replace_file(run.path / "watch.json", json.dumps({"labels": [int(label) for label in labels]}) + "\n")
    kept = [row for row in _rows(run.path / "watch.jsonl") if row["epoch"] <= after_epoch]
    replace_file(run.path / "watch.jsonl", "".join(json.dumps(row) + "\n" for row in kept))


def append(run: RunDirectory, epoch: int, logits: np.ndarray) -> None:
    """Append one line for the epoch: the watched faces' probabilities, from logits (n, 7)."""
    shares = softmax(logits).round(4)
    with open(run.path / "watch.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"epoch": epoch, "probabilities": shares.tolist()}) + "\n")


def read(run: RunDirectory) -> Watch | None:
    """The watched faces so far, or None before the first epoch and for runs without them."""
    try:
        labels = tuple(json.loads((run.path / "watch.json").read_text(encoding="utf-8"))["labels"])
        if not labels or not all(label in range(COUNT) for label in labels):
            return None
        strip = read_image(run.path / "watch.png")[..., 0]
        pixels = np.stack(np.hsplit(strip, len(labels)))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ImageError):
        return None
    beliefs = {
        row["epoch"]: shares
        for row in _rows(run.path / "watch.jsonl")
        if (shares := _shares(row["probabilities"])).shape == (len(labels), COUNT)
    }
    return Watch(pixels, labels, beliefs) if beliefs else None


def _shares(rows: object) -> np.ndarray:
    """(n, 7) float64, or an empty array if it is not a table of numbers."""
    try:
        shares = np.array(rows)
    except (ValueError, OverflowError):  # rows of different lengths
        return np.empty(0)
    return shares.astype(np.float64) if shares.dtype.kind in "if" and np.isfinite(shares).all() else np.empty(0)


def _rows(path: Path) -> list[dict]:
    rows = []
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError:
        return []
    for line in lines:
        try:
            row = json.loads(line)
            if line.endswith(b"\n") and isinstance(row["epoch"], int) and row["probabilities"]:
                rows.append(row)
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return rows
