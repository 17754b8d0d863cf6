"""Remove old data from Training: deleted runs, uploads and, on the shared demo, runs."""

from __future__ import annotations

import math
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

from fer.data.uploads import forget_old_uploads
from fer.errors import FerError
from fer.limits import hosted, limits
from fer.training.run_directory import ALIVE, RunDirectory
from fer.training.run_store import UNDO_S, delete_run, list_runs, purge_deleted

EVERY_S = 60.0
DAY_S = 86_400.0
_lock = threading.Lock()
_last_s = float("-inf")


def remove_expired_if_due() -> None:
    """Call when a page opens; runs at most once a minute."""
    global _last_s
    if time.monotonic() - _last_s < EVERY_S or not _lock.acquire(blocking=False):
        return
    try:
        if _last_s == float("-inf"):  # the server has just started, so no page offers an undo
            purge_deleted(math.inf)
        _last_s = time.monotonic()
        remove_expired()
    finally:
        _lock.release()


def remove_expired(now_s: float | None = None) -> None:
    """Remove uploads, and on the shared demo runs, older than fer.limits' kept_upload_days, and deleted runs.

    On one's own machine, runs that were not deleted are never touched.
    """
    days, now_s = limits().kept_upload_days, time.time() if now_s is None else now_s
    purge_deleted(now_s - UNDO_S)
    if not hosted():
        forget_old_uploads(days, now_s)
        return
    living = [run for run in list_runs() if not _forget_ended(run, now_s - DAY_S * days)]
    used = [data for run in living if (data := _data_in_use(run))]
    forget_old_uploads(days, now_s, used)


def _forget_ended(run: RunDirectory, before_s: float) -> bool:
    """Delete a run last active before then; returns whether it is gone. A run with a process stays."""
    status = run.status()
    if status["state"] in ALIVE or status["heartbeat"] >= before_s:
        return False
    with suppress(FerError):
        shutil.rmtree(delete_run(run), ignore_errors=True)
    return not run.path.exists()


def _data_in_use(run: RunDirectory) -> Path | None:
    """The data of a run with a process, else None."""
    try:
        return Path(run.config.data) if run.status()["state"] in ALIVE else None
    except FerError:  # its config.json is damaged
        return None
