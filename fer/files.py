"""Write a file whole or not at all: to a temporary name beside it, then renamed over it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def replace_file(path: Path, content: bytes | str, mode: int = 0o644) -> None:
    """Put `content` at `path`, synced to disk before the rename. Makes the folder. Raises OSError.

    A reader sees the old file or the new one, never a part.
    """
    with replacing(path, mode) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """The same for content that comes in pieces: a file to write, put at `path` where the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as temporary:
        try:
            yield temporary.file
            temporary.flush()
            os.fsync(temporary.fileno())
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary.name)
            raise
    try:
        os.chmod(temporary.name, mode)  # temporary files are private to their maker
        os.replace(temporary.name, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary.name)
        raise
