"""A folder of small photos, a video, and files that are neither."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fer.batch.inputs import Input
from fer.batch.reading import Settings, settings_for
from fer.vision.images import read_image
from fer.vision.video import VideoWriter
from tests.conftest import ROOT

SAMPLE = ROOT / "fer" / "app" / "samples" / "astronaut.jpg"


@pytest.fixture(scope="session")
def photos_and_video(tmp_path_factory) -> Path:
    """Twelve photos in two folders, a video of a second, a broken photo and a text."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "more").mkdir()
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 255, (60, 60, 3), np.uint8)
        Image.fromarray(pixels).save(folder / ("more" if number % 2 else ".") / f"{number:02}.png")
    portrait = cv2.resize(read_image(SAMPLE), (240, 240), interpolation=cv2.INTER_AREA)
    with VideoWriter(folder / "clip.mp4", 240, 240, 10) as writer:
        for index in range(10):
            writer.write(portrait, index / 10)
    (folder / "broken.jpg").write_bytes(SAMPLE.read_bytes()[:5000])
    (folder / "notes.txt").write_text("neither")
    return folder


def settings(detector: str = "none", **options) -> Settings:
    return settings_for("mini_xception", detector, **options)


def given(path: Path) -> Input:
    return Input(str(path), path)


def table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
