"""Time a call, and put it beside a plain way of doing the same in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

Row = dict[str, object]
ROUNDS = 7


def median_ms(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median over rounds, after one call that warms up."""
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def row(stage: str, ms: float, against: str, against_ms: float, aim_ms: float | None = None) -> Row:
    return {"stage": stage, "ms": round(ms, 2), "against": against, "against_ms": round(against_ms, 2),
            "ratio": round(against_ms / ms, 2), "aim_ms": aim_ms}
