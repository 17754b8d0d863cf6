"""Waiting: for events, in the one place where a test polls, and for coroutines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Found = TypeVar("Found")
Result = TypeVar("Result")
LOOK_S = 0.05


def wait_for(condition: Callable[[], Found], timeout_s: float = 60) -> Found:
    """What the condition returns once that is true; raises AssertionError where it does not become true in time."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain"
        time.sleep(LOOK_S)
    return found


def finish(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """A coroutine's result, from a thread of its own: Playwright has its loop in the tests' own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
