"""Return freed memory to the system: after a large photo glibc keeps 100 MB or more, separately for each thread.

Does nothing where the C library is not glibc.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

LARGE_PIXELS = 4_000_000  # after a photo of at least this size, returning memory pays off
M_ARENA_MAX = -8  # mallopt's parameter number in glibc


def share_arenas(count: int = 2) -> None:
    """Limit this process to `count` memory arenas, which its threads share instead of having one each."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, count)


def return_freed_memory() -> None:
    """Return freed memory to the system."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
