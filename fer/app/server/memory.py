"""Run a full garbage collection at most once a minute, not after every poll of a page.

Streamlit collects after each run of a page and of a polled part: over all modules and models that took 80% of the
server's time beside a live stream (`python -m tests.browser.measure_live`). What is alive is therefore frozen for the
collector between two full collections, which thaw it, so that what visitors leave behind goes with the next one.
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
    """For each page that is opened: collect where it is due, and from then on every minute, though nobody comes.

    task: what else is to be done each minute.
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
    """The last visitor's pictures go as well: Streamlit forgets a session that ran out when the next one comes."""
    try:
        drop_expired_sessions()
        collect(now=True)
        task()
    except Exception as error:  # the next minute must come all the same
        log_failure("The upkeep failed", error)
    if runtime.exists():
        _start_timer(task)


def drop_expired_sessions() -> None:
    """Drop the sessions that ran out, of visitors who closed the page over two minutes ago."""
    if not runtime.exists():
        return
    sessions = runtime.get_instance()._session_mgr
    if isinstance(sessions, WebsocketSessionManager) and isinstance(sessions._session_storage, MemorySessionStorage):
        with sessions._storage_lock:
            len(sessions._session_storage._cache)  # asked for its length, it lets go of those


def collect(now: bool = False) -> bool:
    """Collect everything and freeze what stays; returns whether it was time to, which `now` says it is."""
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
