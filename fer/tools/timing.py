"""Time a call, and compare it with a plain way of doing the same in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

Row = dict[str, object]
ROUNDS = 7


def median_ms(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median over rounds, after one warm-up call."""
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def row(stage: str, ms: float, against: str, against_ms: float, aim_ms: float | None = None, unit: str = "ms") -> Row:
    """unit: of all three values, if not milliseconds."""
    return {
        "stage": stage,
        "ms": round(ms, 2),
        "against": against,
        "against_ms": round(against_ms, 2),
        "ratio": round(against_ms / ms, 2),
        "aim_ms": aim_ms and round(aim_ms, 2),
        "unit": unit,
    }


def missing(stage: str, reason: str) -> Row:
    """A row for a stage that could not be measured here."""
    return {**row(stage, 1, f"not measured: {reason}", 1), "ms": None, "against_ms": None, "ratio": None}


def line(found: Row) -> str:
    """A row, formatted for the command line."""
    if found["ms"] is None:
        return f"{found['stage']:<62}{found['against']}"
    return f"{found['stage']:<62}{found['ms']:>9.1f} {found['unit']}   {found['ratio']:>6.2f} x {found['against']}" + (
        f"   (aim {found['aim_ms']:.0f} {found['unit']})" if found["aim_ms"] else ""
    )
