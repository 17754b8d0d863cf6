"""The YuNet detector's file: where FER_YUNET says, in the cache, or fetched once in the background with its sha256.

python -m fer.vision.yunet_file FOLDER      fetches it into a folder, for an image that is built; 1: it did not come
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import threading
from pathlib import Path

from fer.locations import cache_folder

NAME = "face_detection_yunet_2023mar.onnx"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
URLS = (
    f"https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/{NAME}",
    f"https://huggingface.co/opencv/face_detection_yunet/resolve/main/{NAME}",
)
TIMEOUT_S = 8.0
SHORT_TRY_S = 4.0

_lock = threading.Lock()
_fetch: threading.Thread | None = None
_checked: set[tuple[str, int, int]] = set()


def obtain(wait_s: float = SHORT_TRY_S) -> Path | None:
    """The file where it is there, or comes within wait_s; else None, while the one try goes on in the background."""
    global _fetch
    if (file := _present()) is not None:
        return file
    with _lock:
        if _fetch is None:  # one try a process: a server without network does not ask again and again
            _fetch = threading.Thread(target=_download, name="fetch-yunet", daemon=True)
            _fetch.start()
    _fetch.join(wait_s)
    return _present()


def _present() -> Path | None:
    places = [cache_folder() / NAME]
    if named := os.environ.get("FER_YUNET"):
        places.insert(0, Path(named))
    return next((file for file in places if _is_whole(file)), None)


def _is_whole(file: Path) -> bool:
    try:
        stat = file.stat()
        key = (str(file), stat.st_size, stat.st_mtime_ns)
        if key not in _checked:
            if hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
                return False
            _checked.add(key)
        return True
    except OSError:
        return False


def _download(folder: Path | None = None) -> None:
    import pooch

    for url in URLS:
        try:
            pooch.retrieve(
                url,
                known_hash=f"sha256:{SHA256}",
                fname=NAME,
                path=folder or cache_folder(),
                downloader=pooch.HTTPDownloader(timeout=TIMEOUT_S),
            )
            return
        except Exception as error:  # offline, refused, full disk, wrong bytes: the fallback serves
            logging.getLogger(__name__).info("YuNet was not fetched: %s", type(error).__name__)


def fetch_into(folder: Path) -> bool:
    """Fetch the file for whoever runs the image, not its builder alone; returns whether it is there and whole."""
    _download(folder)
    file = folder / NAME
    if _is_whole(file):
        file.chmod(0o644)  # pooch leaves it to its owner
        return True
    return False


if __name__ == "__main__":
    sys.exit(0 if fetch_into(Path(sys.argv[1])) else f"YuNet could not be fetched from {URLS[0]}")
