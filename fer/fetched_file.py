"""A file that is downloaded once and verified by its sha256."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from fer.locations import cache_folder

TIMEOUT_S = 8.0
logger = logging.getLogger(__name__)


@dataclass(eq=False)
class FetchedFile:
    """A file with known contents. named_by: the environment variable that names the file or its folder."""

    name: str
    sha256: str
    urls: tuple[str, ...]
    named_by: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _fetch: threading.Thread | None = None
    _checked: set[tuple[str, int, int]] = field(default_factory=set)

    def obtain(self, wait_s: float) -> Path | None:
        """The file named by the variable, from the cache, or downloaded within wait_s.

        Otherwise None; the download continues in the background.
        """
        if (file := self._present()) is not None:
            return file
        with self._lock:
            if self._fetch is None:  # one attempt per process: an offline server must not keep retrying
                self._fetch = threading.Thread(target=self._download, name=f"fetch-{self.name}", daemon=True)
                self._fetch.start()
        self._fetch.join(wait_s)
        return self._present()

    @property
    def coming(self) -> bool:
        """Whether the download is running."""
        return self._fetch is not None and self._fetch.is_alive()

    def fetch_into(self, folder: Path) -> bool:
        """Download the file into an image that is being built; returns whether the folder now has the intact file."""
        self._download(folder)
        file = folder / self.name
        if self._is_whole(file):
            file.chmod(0o644)  # pooch lets only the owner read it; the image may run as another user
            return True
        return False

    def _present(self) -> Path | None:
        places = [cache_folder() / self.name]
        if named := os.environ.get(self.named_by):
            places[:0] = [Path(named), Path(named) / self.name]
        return next((file for file in places if self._is_whole(file)), None)

    def _is_whole(self, file: Path) -> bool:
        try:
            stat = file.stat()
            key = (str(file), stat.st_size, stat.st_mtime_ns)
            if key not in self._checked:
                if hashlib.sha256(file.read_bytes()).hexdigest() != self.sha256:
                    return False
                self._checked.add(key)
            return True
        except OSError:
            return False

    def _download(self, folder: Path | None = None) -> None:
        import pooch

        for url in self.urls:
            try:
                pooch.retrieve(
                    url,
                    known_hash=f"sha256:{self.sha256}",
                    fname=self.name,
                    path=folder or cache_folder(),
                    downloader=pooch.HTTPDownloader(timeout=TIMEOUT_S),
                )
                return
            except Exception as error:  # offline, refused, full disk, wrong contents: callers have a fallback
                logger.info("%s could not be downloaded: %s", self.name, type(error).__name__)
        logger.warning(
            "%s could not be downloaded. Download it from %s and name it in %s.", self.name, self.urls[0], self.named_by
        )
