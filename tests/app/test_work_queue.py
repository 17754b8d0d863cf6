"""The queue: first come first served, the urgent first, and nobody is held up by who leaves."""

from __future__ import annotations

import threading

import pytest

from fer.app.work_queue import WorkQueue
from tests.waiting import wait_for


def test_the_queue_is_first_come_first_served():
    queue, order, places = WorkQueue(1), [], []
    leave = threading.Event()

    def visitor(name: str) -> None:
        with queue.entered(lambda place: places.append((name, place))):
            order.append(name)
            leave.wait(10)

    threads = []
    for waiting, name in enumerate(("first", "second", "third")):
        threads.append(threading.Thread(target=visitor, args=(name,)))
        threads[-1].start()
        wait_for(lambda count=waiting: order and len(queue._queue) == count, 10)
    wait_for(lambda: {name for name, _ in places} == {"second", "third"}, 10)
    leave.set()
    [thread.join(10) for thread in threads]
    assert order == ["first", "second", "third"] and ("third", 2) in places and ("second", 1) in places


def test_what_has_priority_goes_first_and_equals_in_the_order_they_came():
    queue, order = WorkQueue(1), []

    def visitor(name: str, priority: int) -> None:
        with queue.entered(priority=priority):
            order.append(name)

    with queue.entered():
        threads = []
        for waiting, (name, priority) in enumerate(
            (("slow", 0), ("quick", 1), ("second quick", 1), ("first map", 2), ("second first map", 2)), 1
        ):
            threads.append(threading.Thread(target=visitor, args=(name, priority)))
            threads[-1].start()
            wait_for(lambda count=waiting: len(queue._queue) == count, 10)
    [thread.join(10) for thread in threads]
    assert order == ["first map", "second first map", "quick", "second quick", "slow"]


def test_who_leaves_the_queue_holds_nobody_up():
    queue = WorkQueue(1)

    def leave(place: int) -> None:
        raise KeyboardInterrupt

    with queue.entered(), pytest.raises(KeyboardInterrupt), queue.entered(leave):
        pass
    with queue.entered():
        pass
    with pytest.raises(ValueError), queue.entered():
        raise ValueError
    with queue.entered():
        pass
