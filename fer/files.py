"""Write a file whole or not at all: to a temporary name beside it, then renamed over it."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, content: bytes | str, mode: int = 0o644) -> None:
    """Put `content` at `path`, synced to disk before the rename. Makes the folder. Raises OSError.

    A reader sees the old file or the new one, never a part.
    """
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as temporary:
        try:
            temporary.write(data)
            temporary.flush()
            os.fsync(temporary.fileno())
        except OSError:
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
