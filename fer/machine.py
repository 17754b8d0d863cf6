"""The machine's resources that this process may use."""

from __future__ import annotations

import os


def cores() -> int:
    """The number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share_of_cores(processes: int, spare: int = 0) -> int:
    """The number of cores for each of several processes, at least one. spare: cores to leave to others."""
    return max((cores() - spare) // processes, 1)
