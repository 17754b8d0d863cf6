"""Give freed memory back: what glibc keeps after a large photo is 100 MB and more, and every thread keeps its own.

Elsewhere than on glibc nothing happens.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

LARGE_PIXELS = 4_000_000  # of a photo from which on what is kept is worth giving back
M_ARENA_MAX = -8  # glibc's name for it in mallopt


def share_arenas(count: int = 2) -> None:
    """Let all threads of this process take memory from so many arenas, rather than from one each."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, count)


def return_freed_memory() -> None:
    """Give freed memory back to the system."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
