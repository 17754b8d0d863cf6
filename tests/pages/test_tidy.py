"""What visitors leave behind goes within a minute, though what is alive is frozen for the collector."""

from __future__ import annotations

import gc
import weakref

from fer.app import tidy


class Left:
    def __init__(self) -> None:
        self.me = self


def test_what_was_frozen_alive_goes_with_the_next_tidying(monkeypatch):
    left = Left()
    still_there = weakref.ref(left)
    assert tidy.tidy(now=True)
    assert gc.get_freeze_count() > 10_000          # Streamlit's own collection has little to look through
    del left
    gc.collect()
    assert still_there() is not None and not tidy.tidy()
    monkeypatch.setattr(tidy, "EVERY_S", 0.0)
    assert tidy.tidy() and still_there() is None
    gc.unfreeze()


def test_a_page_is_tidied_after_once_more(monkeypatch):
    monkeypatch.setattr(tidy, "EVERY_S", 0.05)
    monkeypatch.setattr(tidy, "_later", None)
    done = []
    monkeypatch.setattr(tidy, "tidy", lambda now=False: done.append(now))
    tidy.tidy_now_and_then()
    tidy.tidy_now_and_then()                                 # one is waiting already
    tidy._later.join(5)
    assert done == [False, False, True]


def test_two_pages_do_not_tidy_at_once():
    with tidy._turn:
        assert not tidy.tidy(now=True)
