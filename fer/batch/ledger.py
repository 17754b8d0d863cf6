"""Record finished inputs, one line each, so that an interrupted batch can resume without partial results."""

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

SYNC_S = 1.0  # the most work that a power cut may lose; a killed process loses none


@dataclass(frozen=True)
class _Entry:
    offset: int
    key: str
    size: int
    changed_ns: int


class Ledger:
    """An append-only file of readings, one JSON line each, locked by one batch at a time; a context manager.

    Memory holds only where each input's line begins. Raises FerError if the file cannot be written or another batch has
    locked it.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "a+b")  # noqa: SIM115  closed by close
        except OSError as error:
            raise FerError(
                f"The folder {path.parent.name} is not writable: {error.strerror}. Choose another --out."
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise FerError(
                f"Another batch is writing to {path.parent.name}. Wait for it to finish, or choose another --out."
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
        """Raises FerError if the disk does not take the last lines."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(error) from None
        finally:
            self._file.close()

    def holds(self, given: Input, key: str) -> bool:
        """Whether the input was read with these settings and its file has not changed since."""
        entry = self._entries.get(given.name)
        return entry is not None and (entry.key, (entry.size, entry.changed_ns)) == (key, file_state(given))

    def add(self, reading: Reading) -> None:
        """Append a finished input. Raises FerError."""
        line = reading.to_line().encode() + b"\n"
        unwritten = memoryview(line)
        try:
            while unwritten:  # past the file's buffer, which would try a failed line again when it is closed
                unwritten = unwritten[os.write(self._file.fileno(), unwritten) :]
            if time.monotonic() - self._synced_s > SYNC_S:
                os.fsync(self._file.fileno())
                self._synced_s = time.monotonic()
        except OSError as error:
            raise _unwritable(error) from None
        self._note(reading, self._end)
        self._end += len(line)

    def readings(self, inputs: Iterable[Input], key: str) -> Iterator[Reading]:
        """The readings of these inputs with these settings, in the inputs' order, one at a time."""
        for given in inputs:
            entry = self._entries.get(given.name)
            if entry is not None and entry.key == key:
                self._file.seek(entry.offset)
                yield Reading.from_line(self._file.readline())

    def _load(self) -> None:
        self._file.seek(0)
        for line in self._file:
            if not line.endswith(b"\n"):
                break  # the batch was killed while writing this line
            with suppress(ValueError):  # a corrupt line loses only this input
                self._note(Reading.from_line(line), self._end)
            self._end += len(line)
        self._file.truncate(self._end)

    def _note(self, reading: Reading, offset: int) -> None:
        self._entries[reading.input] = _Entry(offset, reading.key, reading.size, reading.changed_ns)


def _unwritable(error: OSError) -> FerError:
    return FerError(
        f"The results cannot be written: {error.strerror}. Results so far are saved. Run the command again to continue."
    )
