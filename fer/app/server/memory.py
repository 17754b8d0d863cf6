"""Run a full garbage collection at most once a minute, not after every poll of a page.

Streamlit collects after each run of a page or fragment, which, over all modules and models, took 80% of the server's
time beside a live stream (`python -m tests.browser.measure_live`). Live objects are therefore frozen between full
collections; a full collection thaws them first, so that it frees what visitors left behind.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from fer.failure_log import log_failure
from fer.memory import return_freed_memory

EVERY_S = 60.0
_lock = threading.Lock()
_last_s = float("-inf")
_timer: threading.Timer | None = None


def collect_every_minute(task: Callable[[], None] = lambda: None) -> None:
    """Call when a page opens: collects if due, and from then on every minute, even without visitors.

    task: more work for each minute.
    """
    collect()
    if _timer is None or not _timer.is_alive():
        _start_timer(task)


def _start_timer(task: Callable[[], None]) -> None:
    global _timer
    _timer = threading.Timer(EVERY_S, _run_upkeep, args=(task,))
    _timer.daemon = True
    _timer.start()


def _run_upkeep(task: Callable[[], None]) -> None:
    """Also frees the last visitor's pictures: Streamlit drops an expired session only when the next one starts."""
    try:
        drop_expired_sessions()
        collect(now=True)
        task()
    except Exception as error:  # the next minute's run must happen anyway
        log_failure("The upkeep failed", error)
    if runtime.exists():
        _start_timer(task)


def drop_expired_sessions() -> None:
    """Drop expired sessions, of visitors who closed the page over two minutes ago."""
    if not runtime.exists():
        return
    sessions = runtime.get_instance()._session_mgr
    if isinstance(sessions, WebsocketSessionManager) and isinstance(sessions._session_storage, MemorySessionStorage):
        with sessions._storage_lock:
            len(sessions._session_storage._cache)  # taking its length drops them


def collect(now: bool = False) -> bool:
    """Collect everything and freeze the rest, if due or `now`; returns whether it did."""
    global _last_s
    if not now and time.monotonic() - _last_s < EVERY_S or not _lock.acquire(blocking=False):
        return False
    try:
        gc.unfreeze()
        gc.collect()
        return_freed_memory()
        gc.freeze()
        _last_s = time.monotonic()
    finally:
        _lock.release()
    return True
