"""Every limit on what is read or started, in one place.

Readers take an optional `limits: Limits`. The default, `OWNER`, serves the library and the command line. The app and
the service pass `limits()`: `OPEN` on your own machine, `HOSTED` on a shared demo (`FER_HOSTED=1`).
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace

MB = 2**20


@dataclass(frozen=True)
class Limits:
    """The upper limits. Bytes count the file, pixels the decoded picture."""

    photo_bytes: int = 30 * MB
    photo_pixels: int = 64_000_000  # allows a phone's 50 megapixels
    photos: int = 100  # per request
    session_bytes: int = 2048 * MB  # all files in one visitor's session
    stable_faces: int = 30  # per photo: crop stability reads each face sixteen more times
    video_bytes: int = 200 * MB
    video_seconds: float = 10 * 60
    video_side: int = 4096  # pixels: allows 4K, not 8K
    video_rows: int = 200_000  # one row per person and reading
    video_frames: int = 10 * 60 * 120  # decoded; a few MB can encode a million repeated frames
    videos_at_once: int = 2
    recorded_rows: int = 200_000  # about 1 h 50 min of one face at 30 frames per second
    streams: int = 8  # simultaneous live cameras
    dataset_bytes: int = 400 * MB  # an uploaded CSV or zip
    dataset_pictures: int = 200_000
    table_bytes: int = 20 * MB  # a CSV that describes the pictures
    archive_files: int = 100_000
    archive_bytes: int = 1024 * MB  # unpacked
    archive_ratio: int = 100  # pictures are already compressed, so a zip hardly shrinks them
    kept_upload_days: float = 30.0  # uploaded training data
    kept_upload_bytes: int = 16_384 * MB  # all of it together
    checkpoint_bytes: int = 200 * MB  # far larger than any network here
    photos_at_once: int = 4  # decoded and read, across all visitors
    heavy_at_once: int = 2  # explanations and evaluations, across all visitors
    train_epochs: int = 100_000
    train_pictures: int = 10_000_000
    train_models: tuple[str, ...] = ()  # empty: every architecture
    train_batch: int = 100_000  # pictures per step
    train_teachers: int = 100
    train_waiting: int = 100  # runs with a process: training, waiting or paused
    paused_minutes: float = math.inf  # runs paused for longer are stopped
    server_paths: bool = True  # whether a visitor may name files on the server


OPEN = Limits()
OWNER = replace(  # the remaining limits guard against malicious files, not large ones
    OPEN,
    photo_bytes=1024 * MB,
    photo_pixels=256_000_000,
    video_bytes=2**50,
    video_seconds=math.inf,
    video_side=8192,
    video_rows=2**50,
    video_frames=2**50,
    dataset_bytes=8192 * MB,
    dataset_pictures=2_000_000,
    archive_files=2_000_000,
    archive_bytes=16_384 * MB,
    table_bytes=1024 * MB,
    checkpoint_bytes=1024 * MB,
)
HOSTED = replace(
    OPEN,
    photo_bytes=15 * MB,
    photo_pixels=40_000_000,
    photos=20,
    session_bytes=120 * MB,
    stable_faces=8,
    video_bytes=50 * MB,
    video_seconds=60,
    video_side=2160,
    video_frames=60 * 120,
    videos_at_once=1,
    photos_at_once=2,
    heavy_at_once=1,
    streams=3,
    dataset_bytes=40 * MB,
    dataset_pictures=5_000,
    archive_files=5_000,
    archive_bytes=200 * MB,
    kept_upload_days=1.0,
    kept_upload_bytes=1024 * MB,
    table_bytes=2 * MB,
    train_epochs=12,
    train_pictures=3_000,
    train_models=("mini_xception", "mini_xception_64"),
    train_batch=128,
    train_teachers=1,
    train_waiting=3,
    paused_minutes=10.0,
    server_paths=False,
)


def hosted() -> bool:
    """Whether this is the shared demo."""
    return os.environ.get("FER_HOSTED", "").strip().lower() not in ("", "0", "false", "no", "off")


def limits() -> Limits:
    """The limits of the app and the service."""
    return HOSTED if hosted() else OPEN
