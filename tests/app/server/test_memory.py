"""What visitors leave behind goes within a minute, though what is alive is frozen for the collector."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace

from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from fer.app.server import memory
from tests.waiting import wait_for


class Left:
    def __init__(self) -> None:
        self.me = self


def test_what_was_frozen_alive_goes_with_the_next_collection(monkeypatch):
    left = Left()
    still_there = weakref.ref(left)
    assert memory.collect(now=True)
    assert gc.get_freeze_count() > 10_000  # Streamlit's own collection has little to look through
    del left
    gc.collect()
    assert still_there() is not None and not memory.collect()
    monkeypatch.setattr(memory, "EVERY_S", 0.0)
    assert memory.collect() and still_there() is None
    gc.unfreeze()


def test_after_a_page_there_is_one_more_collection(monkeypatch):
    monkeypatch.setattr(memory, "EVERY_S", 0.05)
    monkeypatch.setattr(memory, "_timer", None)
    done = []
    monkeypatch.setattr(memory, "collect", lambda now=False: done.append(now))
    memory.collect_every_minute()
    memory.collect_every_minute()  # one is waiting already
    memory._timer.join(5)
    assert done == [False, False, True]


def test_it_goes_on_every_minute_though_nobody_comes_and_a_task_fails(monkeypatch):
    monkeypatch.setattr(memory, "EVERY_S", 0.02)
    monkeypatch.setattr(memory, "_timer", None)
    monkeypatch.setattr(memory, "drop_expired_sessions", lambda: None)
    monkeypatch.setattr(memory, "collect", lambda now=False: None)
    done = []

    def task():
        done.append(1)
        monkeypatch.setattr(memory.runtime, "exists", lambda: len(done) < 3)
        raise OSError

    memory.collect_every_minute(task)
    wait_for(lambda: len(done) == 3, 20)
    memory._timer.join(5)
    assert len(done) == 3 and not memory._timer.is_alive()


def test_sessions_that_ran_out_go_without_another_visitor(monkeypatch):
    """By Streamlit's own classes, whose names are not public: another release may have others."""
    storage = MemorySessionStorage(ttl_seconds=0)
    manager = WebsocketSessionManager(storage, None, None, None)
    monkeypatch.setattr(memory.runtime, "exists", lambda: True)
    monkeypatch.setattr(memory.runtime, "get_instance", lambda: SimpleNamespace(_session_mgr=manager))
    session = Left()
    session.id = "one"
    gone = weakref.ref(session)
    storage.save(SimpleNamespace(session=session))
    del session
    gc.collect()
    assert gone() is not None
    memory.drop_expired_sessions()
    gc.collect()
    assert gone() is None


def test_two_pages_do_not_collect_at_once():
    with memory._lock:
        assert not memory.collect(now=True)
