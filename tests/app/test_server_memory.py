"""What visitors leave behind goes within a minute, though what is alive is frozen for the collector."""

from __future__ import annotations

import gc
import time
import weakref
from types import SimpleNamespace

from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from fer.app.server import memory


class Left:
    def __init__(self) -> None:
        self.me = self


def test_what_was_frozen_alive_goes_with_the_next_tidying(monkeypatch):
    left = Left()
    still_there = weakref.ref(left)
    assert memory.tidy(now=True)
    assert gc.get_freeze_count() > 10_000  # Streamlit's own collection has little to look through
    del left
    gc.collect()
    assert still_there() is not None and not memory.tidy()
    monkeypatch.setattr(memory, "EVERY_S", 0.0)
    assert memory.tidy() and still_there() is None
    gc.unfreeze()


def test_a_page_is_tidied_after_once_more(monkeypatch):
    monkeypatch.setattr(memory, "EVERY_S", 0.05)
    monkeypatch.setattr(memory, "_later", None)
    done = []
    monkeypatch.setattr(memory, "tidy", lambda now=False: done.append(now))
    memory.tidy_now_and_then()
    memory.tidy_now_and_then()  # one is waiting already
    memory._later.join(5)
    assert done == [False, False, True]


def test_it_goes_on_every_minute_though_nobody_comes_and_a_chore_fails(monkeypatch):
    monkeypatch.setattr(memory, "EVERY_S", 0.02)
    monkeypatch.setattr(memory, "_later", None)
    monkeypatch.setattr(memory, "let_sessions_go", lambda: None)
    monkeypatch.setattr(memory, "tidy", lambda now=False: None)
    done = []

    def chore():
        done.append(1)
        monkeypatch.setattr(memory.runtime, "exists", lambda: len(done) < 3)
        raise OSError

    memory.tidy_now_and_then(chore)
    deadline = time.monotonic() + 20
    while len(done) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    memory._later.join(5)
    assert len(done) == 3 and not memory._later.is_alive()


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
    memory.let_sessions_go()
    gc.collect()
    assert gone() is None


def test_two_pages_do_not_tidy_at_once():
    with memory._turn:
        assert not memory.tidy(now=True)
