"""How much goes on at once: so many at work, so many waiting, so many bytes held; the others are told to come back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from starlette.requests import Request

from fer.service.problems import BusyError, ClientLeftError

T = TypeVar("T")
Left = Callable[[], bool]  # whether nobody waits for the work any more


class Place:
    """One request's part of what is shared; `hold` counts what it keeps of its body."""

    def __init__(self, shared: Admission) -> None:
        self.held, self._shared = 0, shared

    def hold(self, count: int) -> None:
        """Raises BusyError where all requests together would hold too many bytes."""
        if count > self._shared.bytes_free:
            raise BusyError
        self._shared.bytes_free -= count
        self.held += count


class Admission:
    """How many requests are inside, and how much of their uploads. For one event loop."""

    def __init__(self, places: int, bytes_held: int) -> None:
        self.places, self.bytes_free = places, bytes_held

    @contextmanager
    def admitted(self) -> Iterator[Place]:
        """A place, from before a request's body is read until it is answered. Raises BusyError where there is none."""
        if not self.places:
            raise BusyError
        place = Place(self)
        self.places -= 1
        try:
            yield place
        finally:
            self.places += 1
            self.bytes_free += place.held


class Workers:
    """Threads that work for requests, in the order in which they came."""

    def __init__(self, at_work: int) -> None:
        self._threads = ThreadPoolExecutor(at_work, thread_name_prefix="reading")

    async def run(self, work: Callable[[Left], T], client: asyncio.Task[None] | None = None) -> T:
        """work(has the client left) on a thread. client: ends when it leaves: this raises ClientLeftError then, and the
        work is taken out of the queue or, where it has begun, told.
        """
        left = threading.Event()
        future = self._threads.submit(work, left.is_set)
        done = asyncio.wrap_future(future)
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # seen, though nobody waits
        try:
            waited: set[asyncio.Future[Any]] = {done, client} if client else {done}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not done.done():
                raise ClientLeftError
            return done.result()
        finally:
            left.set()
            future.cancel()

    def close(self) -> None:
        """End the threads, after what they are at."""
        self._threads.shutdown(cancel_futures=True)


@contextmanager
def watched(request: Request) -> Iterator[asyncio.Task[None]]:
    """A task that ends when the client has left; for a request whose body was read."""

    async def until_gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(until_gone())
    try:
        yield task
    finally:
        task.cancel()
