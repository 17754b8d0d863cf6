"""Write files atomically: to a temporary file in the same folder, which is then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def replace_file(path: Path, content: bytes | str, mode: int = 0o644) -> None:
    """Write `content` to `path`, synced to disk before the rename. Creates the folder. Raises OSError.

    Readers see the old file or the new one, never part of one. Text is UTF-8, in which a byte of a file's name that is
    not becomes `\\udcff`, as in what the commands print.
    """
    with replacing(path, mode) as file:
        file.write(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Like `replace_file`, but yields a file to write to; it replaces `path` if the block ends without an error.

    Follows links. A device or a pipe, such as /dev/stdout, is written to instead.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        with open(path, "wb") as file:
            yield file
        return
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
        os.chmod(temporary.name, mode)  # temporary files are readable only by their owner
        os.replace(temporary.name, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary.name)
        raise
