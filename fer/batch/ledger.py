"""What is done, line by line: whatever happens to the batch, a finished input is in it whole or not at all."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from fer.batch.inputs import Input
from fer.batch.reading import Reading, file_state
from fer.errors import FerError

SYNC_S = 1.0  # what a power cut may take, where a killed process loses nothing


@dataclass(frozen=True)
class _Entry:
    offset: int
    key: str
    size: int
    changed_ns: int


class Ledger:
    """An append-only file of readings, one JSON line each, held by one batch at a time; use it as a context.

    Only where each input's line begins is kept in memory. Raises FerError where the file cannot be written or another
    batch holds it.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "a+b")  # noqa: SIM115  closed by close
        except OSError as error:
            raise FerError(
                f"The folder {path.parent.name} cannot be written: {error.strerror}. Choose another --out."
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise FerError(
                f"Another batch is writing to {path.parent.name}. Wait until it ends, or choose another --out."
            ) from None
        self._entries: dict[str, _Entry] = {}
        self._synced_s = time.monotonic()
        self._end = 0
        self._load()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        os.fsync(self._file.fileno())
        self._file.close()

    def holds(self, given: Input, key: str) -> bool:
        """Whether the input was read with these settings and its file is as it was then."""
        entry = self._entries.get(given.name)
        return entry is not None and (entry.key, (entry.size, entry.changed_ns)) == (key, file_state(given))

    def add(self, reading: Reading) -> None:
        """Keep a finished input."""
        self._note(reading, self._end)
        line = reading.to_line().encode() + b"\n"
        try:
            self._file.write(line)
            self._file.flush()
            if time.monotonic() - self._synced_s > SYNC_S:
                os.fsync(self._file.fileno())
                self._synced_s = time.monotonic()
        except OSError as error:
            raise FerError(f"The results cannot be written: {error.strerror}. The results so far are kept.") from None
        self._end += len(line)

    def readings(self, inputs: Iterable[Input], key: str) -> Iterator[Reading]:
        """What is known of these inputs under these settings, in their order, one at a time."""
        for given in inputs:
            entry = self._entries.get(given.name)
            if entry is not None and entry.key == key:
                self._file.seek(entry.offset)
                yield Reading.from_line(self._file.readline())

    def _load(self) -> None:
        self._file.seek(0)
        for line in self._file:
            if not line.endswith(b"\n"):
                break  # the batch was killed while it wrote this
            with suppress(ValueError):  # a disk's fault costs this input only
                self._note(Reading.from_line(line), self._end)
            self._end += len(line)
        self._file.truncate(self._end)

    def _note(self, reading: Reading, offset: int) -> None:
        self._entries[reading.input] = _Entry(offset, reading.key, reading.size, reading.changed_ns)
