"""Waiting for events, in the one place where a test polls."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
LOOK_S = 0.05


def wait_for(condition: Callable[[], Found], timeout_s: float = 60) -> Found:
    """What the condition returns once that is true; raises AssertionError where it does not become true in time."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain"
        time.sleep(LOOK_S)
    return found
