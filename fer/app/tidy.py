"""Garbage is looked for among all that is loaded once a minute at most, not after every poll of a page.

Streamlit collects after each run of a page and of a polled part: over all modules and models that took 80 % of the
server's time beside a live stream (`python -m tests.browser.measure_live`). What is alive is therefore frozen for the
collector between two tidyings, which thaw it, so that what visitors leave behind goes with the next one.
"""

from __future__ import annotations

import ctypes
import gc
import threading
import time
from contextlib import suppress

EVERY_S = 60.0
_turn = threading.Lock()
_last_s = float("-inf")
_later: threading.Timer | None = None


def tidy_now_and_then() -> None:
    """For each page that is opened: tidy where it is due, and once more when its visitor may have left."""
    global _later
    tidy()
    if _later is None or not _later.is_alive():
        _later = threading.Timer(EVERY_S, tidy, kwargs={"now": True})
        _later.daemon = True
        _later.start()


def tidy(now: bool = False) -> bool:
    """Collect everything and freeze what stays; returns whether it was time to, which `now` says it is."""
    global _last_s
    if not now and time.monotonic() - _last_s < EVERY_S or not _turn.acquire(blocking=False):
        return False
    try:
        gc.unfreeze()
        gc.collect()
        with suppress(OSError, AttributeError):  # glibc alone has it: freed memory goes back to the system
            ctypes.CDLL(None).malloc_trim(0)
        gc.freeze()
        _last_s = time.monotonic()
    finally:
        _turn.release()
    return True
