"""The YuNet detector's file: in the cache, or fetched once in the background with its sha256."""

from __future__ import annotations

import hashlib
import logging
import threading
from pathlib import Path

from fer.data.cache import cache_folder

NAME = "face_detection_yunet_2023mar.onnx"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
URLS = (f"https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/{NAME}",
        f"https://huggingface.co/opencv/face_detection_yunet/resolve/main/{NAME}")
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
    file = cache_folder() / NAME
    try:
        stat = file.stat()
        key = (str(file), stat.st_size, stat.st_mtime_ns)
        if key not in _checked:
            if hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
                return None
            _checked.add(key)
        return file
    except OSError:
        return None


def _download() -> None:
    import pooch

    for url in URLS:
        try:
            pooch.retrieve(url, known_hash=f"sha256:{SHA256}", fname=NAME, path=cache_folder(),
                           downloader=pooch.HTTPDownloader(timeout=TIMEOUT_S))
            return
        except Exception as error:  # offline, refused, full disk, wrong bytes: the fallback serves
            logging.getLogger(__name__).info("YuNet was not fetched: %s", type(error).__name__)
