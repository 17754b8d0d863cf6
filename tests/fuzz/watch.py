"""Run one input under a clock and a memory meter, and say which promise broke: FerError, 5 s, 1 GB, its own folder."""

from __future__ import annotations

import signal
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fer.errors import FerError
from tests.fuzz.targets import Input, Target

MAX_S = 5.0  # of processor time, so that a busy machine is not taken for a slow reader
WAIT_S = 15.0  # by the clock: for what waits without working
MAX_GROWTH = 2**30
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None


class Hang(BaseException):
    """The time is over; no `except Exception` on the way can take it for its own."""


@dataclass(frozen=True)
class Outcome:
    """seconds: of processor time. grown: bytes of memory at the peak above the start. problem: "" where all is well."""

    seconds: float
    grown: int
    refused: bool
    problem: str


def watched(target: Target, content: Input) -> Outcome:
    """Run the target in a new folder. What it writes may lie in there only."""
    refused, problem = False, ""
    with tempfile.TemporaryDirectory(dir=SCRATCH, prefix="fer-fuzz-") as outer:
        inner = Path(outer) / "inner"
        inner.mkdir()
        start, began = _reset_peak(), time.process_time()
        try:
            with _clock():
                target.run(content, inner)
        except FerError as error:
            refused = True
            problem = "" if error.message else "an empty message"
        except Hang:
            problem = f"Hang: not done after {WAIT_S:g} s"
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            own = [frame for frame in traceback.extract_tb(error.__traceback__) if "/fer/" in frame.filename]
            at = own[-1] if own else place
            problem = f"{type(error).__name__} at {Path(at.filename).name}:{at.lineno}: {str(error)[:200]}"
        seconds, grown = time.process_time() - began, _peak() - start
        if not problem and seconds > MAX_S:
            problem = f"Slow: {seconds:.1f} s"
        if not problem and grown > MAX_GROWTH:
            problem = f"Memory: {grown / 2**20:.0f} MB"
        if not problem and [path.name for path in Path(outer).iterdir()] != ["inner"]:
            problem = "Escape: it wrote outside its folder"
    return Outcome(seconds, grown, refused, problem)


@contextmanager
def _clock() -> Iterator[None]:
    def ring(_number: int, _frame: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, WAIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _reset_peak() -> int:
    """Forget this process's peak memory; returns what it holds now, in bytes (Linux; 0 elsewhere)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(field: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)
