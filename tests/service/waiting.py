"""Hold the service's workers up, and wait for what it does meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fer.service.work import Workers


def until(condition: Callable[[], bool], most_s: float = 20) -> None:
    """Return as soon as it holds; fails after most_s."""
    ends = time.monotonic() + most_s
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.005)


@contextmanager
def held_up(workers: Workers) -> Iterator[Callable[[], int]]:
    """All threads of the workers are busy inside the block; gives how many pieces of work wait for one."""
    release, busy = threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        busy.release()
        release.wait(60)

    threads = workers._threads
    for _ in range(threads._max_workers):
        threads.submit(hold)
    for _ in range(threads._max_workers):
        busy.acquire()
    try:
        yield threads._work_queue.qsize
    finally:
        release.set()
