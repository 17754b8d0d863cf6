"""Limit how many requests are in progress and waiting, and how many bytes they hold; others must retry later."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from starlette.requests import Request

from fer.limits import MB
from fer.service.problems import BusyError, ClientLeftError, ProblemError

T = TypeVar("T")
Left = Callable[[], bool]  # whether the client has disconnected


class Place:
    """One request's place; `hold` counts the bytes of its body in memory."""

    def __init__(self, shared: Admission) -> None:
        self.held, self._shared = 0, shared

    def hold(self, count: int) -> None:
        """Count more bytes.

        Raises ProblemError if this request alone holds more than the service does at all, and BusyError if all requests
        together do.
        """
        if self.held + count > self._shared.bytes_held:
            raise ProblemError(
                413,
                f"A request may have at most {self._shared.bytes_held // MB} MB of pictures. Send fewer at a time.",
            )
        if count > self._shared.bytes_free:
            raise BusyError
        self._shared.bytes_free -= count
        self.held += count


class Admission:
    """Free places for requests, and free bytes, of bytes_held in all, for their uploads. For one event loop."""

    def __init__(self, places: int, bytes_held: int) -> None:
        self.places, self.bytes_held, self.bytes_free = places, bytes_held, bytes_held

    @contextmanager
    def admitted(self) -> Iterator[Place]:
        """A place for a request, held until the request is answered. Raises BusyError if none is free."""
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
    """Threads that process requests in order of arrival."""

    def __init__(self, at_work: int) -> None:
        self._threads = ThreadPoolExecutor(at_work, thread_name_prefix="reading")

    async def run(self, work: Callable[[Left], T], client: asyncio.Task[None] | None = None) -> T:
        """Run work(left) on a thread; left() tells whether the client has disconnected.

        client: a task that ends when the client disconnects; then this raises ClientLeftError and removes the work from
        the queue.
        """
        left = threading.Event()
        future = self._threads.submit(work, left.is_set)
        done = asyncio.wrap_future(future)
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # or asyncio logs it as unhandled
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
        """Finish the work in progress, drop the rest and end the threads."""
        self._threads.shutdown(cancel_futures=True)


@contextmanager
def watched(request: Request) -> Iterator[asyncio.Task[None]]:
    """A task that ends when the client disconnects; for a request whose body has been read."""

    async def until_gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(until_gone())
    try:
        yield task
    finally:
        task.cancel()
