"""The YuNet detector's file: named by FER_YUNET, in the cache, or downloaded once in the background by its sha256.

python -m fer.vision.yunet_file FOLDER      downloads it into a folder while an image is built; exits with 1 on failure
"""

from __future__ import annotations

import sys
from pathlib import Path

from fer.fetched_file import FetchedFile

NAME = "face_detection_yunet_2023mar.onnx"
YUNET = FetchedFile(
    NAME,
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    (
        f"https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/{NAME}",
        f"https://huggingface.co/opencv/face_detection_yunet/resolve/main/{NAME}",
    ),
    named_by="FER_YUNET",
)
SHORT_TRY_S = 4.0


def obtain(wait_s: float = SHORT_TRY_S) -> Path | None:
    """The file if it is present or arrives within wait_s seconds; otherwise None, and the download continues."""
    return YUNET.obtain(wait_s)


if __name__ == "__main__":
    sys.exit(0 if YUNET.fetch_into(Path(sys.argv[1])) else f"YuNet could not be downloaded from {YUNET.urls[0]}")
