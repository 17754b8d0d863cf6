"""Limit heavy work to a few visitors at a time, first come, first served, so that the app stays responsive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer.app.server.visitors import still_there
from fer.limits import limits

LOOK_S = 0.3
LATER, SOON, FIRST = range(3)  # priorities


@dataclass(eq=False)
class _Ticket:
    priority: int


class WorkQueue:
    """Lets `places` in at once; the others wait in order of priority, then arrival. Safe from any thread; do not
    nest.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self._changed = threading.Condition()
        self._inside = 0
        self._queue: list[_Ticket] = []

    @contextmanager
    def entered(self, on_wait: Callable[[int], None] = lambda place: None, priority: int = 0) -> Iterator[None]:
        """Wait for a place, and release it at the end. on_wait(place), from 1, is called every LOOK_S while waiting; it
        may raise to stop waiting.
        """
        ticket = _Ticket(priority)
        with self._changed:
            ahead = sum(other.priority >= priority for other in self._queue)
            self._queue.insert(ahead, ticket)
        taken = False
        try:
            while not taken:
                with self._changed:
                    place = self._queue.index(ticket) + 1
                    taken = place <= self.places - self._inside
                    if taken:
                        self._queue.remove(ticket)
                        self._inside += 1
                    else:
                        self._changed.wait(LOOK_S)
                if not taken:
                    on_wait(place)
            yield
        finally:
            with self._changed:
                if taken:
                    self._inside -= 1
                else:
                    self._queue.remove(ticket)
                self._changed.notify_all()


_heavy = WorkQueue(limits().heavy_at_once)
_photos = WorkQueue(limits().photos_at_once)


def heavy_slot() -> AbstractContextManager[None]:
    """A place for work of seconds, such as an evaluation; ends the page's script if the visitor has left."""
    return _place_in(_heavy, st.empty(), LATER)


def photo_slot() -> AbstractContextManager[None]:
    """A place to read a photo, whose pixels take memory; a separate queue, since labels come first."""
    return _place_in(_photos, st.empty(), SOON)


def follow_up_slot() -> AbstractContextManager[None]:
    """The same for slower results after a photo's label; served after everyone who waits for a label."""
    return _place_in(_photos, st.empty(), LATER)


def interactive_slot() -> AbstractContextManager[None]:
    """A place for work of at most a second that a visitor waits for; served before slow work."""
    return _place_in(_heavy, st.empty(), SOON)


def first_slot() -> AbstractContextManager[None]:
    """A place for work without which a visitor sees nothing; served before everything else."""
    return _place_in(_heavy, st.empty(), FIRST)


@contextmanager
def in_turns() -> Iterator[Callable[[], None]]:
    """A place for slow work of many pieces. Call the yielded function between pieces: it lets others in, then waits
    for the next turn; it ends the page's script if the visitor has left.
    """
    notice = st.empty()
    with ExitStack() as place:

        def next_turn() -> None:
            place.close()
            place.enter_context(_place_in(_heavy, notice, LATER))

        next_turn()
        yield next_turn


@contextmanager
def _place_in(queue: WorkQueue, notice: DeltaGenerator, priority: int) -> Iterator[None]:
    """A place; while waiting, the empty element `notice` shows the visitor's position in the queue."""
    waited = False

    def show(place: int) -> None:
        nonlocal waited
        waited = True
        _stop_if_left()
        notice.info(
            f"Others are using this server. Your place in the queue is {place}; this page continues by itself.",
            icon=":material/hourglass_top:",
        )

    with queue.entered(show, priority):
        _stop_if_left()
        if waited:
            notice.empty()
        yield


def _stop_if_left() -> None:
    if not still_there()():
        st.stop()
