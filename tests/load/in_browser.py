"""Visitors whose browsers read their cameras: `python -m tests.load.in_browser` against the real app, on this machine.

Each opens Live, fetches what a browser fetches, and while it "streams" records: a batch of readings every ten seconds,
as the component sends them, of one face at RATE frames a second. Prints the server's processor time meanwhile, how
long a batch takes, and the memory; exit 1 where a visitor costs more than 3% of a core, or anything fails.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import requests
import tyro

from fer.app.predict.browser.constants import PUSH_S
from tests.load.__main__ import memory_mb, serve
from tests.load.visitor import Visitor

RATE = 20
GOAL = 0.03  # of a core a visitor


def readings(first: int, count: int, model: str) -> list[list]:
    """Rows as the component sends them. model: its id."""
    rng = np.random.default_rng(first)
    shares = np.round(rng.dirichlet(np.ones(7), count), 4).tolist()
    boxes = np.round(rng.uniform(20, 400, (count, 5)), 1).tolist()
    times = [round((first + index) / RATE, 3) for index in range(count)]
    return [[time_s, 1, row, box, [], model] for time_s, row, box in zip(times, shares, boxes, strict=True)]


def stream(address: str, number: int, everyone: threading.Barrier, batches: int, waits: list[float]) -> str:
    """One visitor; returns what went wrong, or nothing."""
    visitor = Visitor(address)
    try:
        visitor.open_page("predict", "view=live")
        found = visitor.await_component("fer_browser_live")
        visitor.await_end()
        data = json.loads(found.mixed.json or found.json)
        for path in (data["runtime"]["module"], data["runtime"]["wasm"], data["yunet"], data["model"]["url"]):
            requests.get(address + path, timeout=60).raise_for_status()
        everyone.wait()
        time.sleep(number * PUSH_S / everyone.parties)  # visitors do not start together
        first = 0
        for step in range(batches):
            rows, done = readings(first, round(RATE * PUSH_S), data["model"]["id"]), step == batches - 1
            began = time.monotonic()
            visitor.trigger(found, "rows", {"recording": f"{number}", "first": first, "rows": rows, "done": done})
            visitor.await_end()
            waits.append(time.monotonic() - began)
            first += len(rows)
            if not done:
                time.sleep(max(PUSH_S - (time.monotonic() - began), 0))
        visitor.await_text(rf"^{first} readings of 1 person")  # every number arrived
        return ""
    except Exception as error:  # each failure is told
        everyone.abort()
        return f"visitor {number}: {type(error).__name__}: {error}"
    finally:
        visitor.close()


def main(visitors: int = 20, batches: int = 4) -> None:
    """Measure.

    Args:
        visitors: How many stream at once.
        batches: Of readings that each sends, ten seconds apart.
    """
    waits: list[float] = []
    with tempfile.TemporaryDirectory() as cache:
        server, address = serve(Path(cache))
        try:
            process, began = psutil.Process(server.pid), []
            everyone = threading.Barrier(
                visitors, lambda: began.append((time.monotonic(), sum(process.cpu_times()[:2])))
            )
            with ThreadPoolExecutor(visitors) as pool:
                told = list(pool.map(lambda number: stream(address, number, everyone, batches, waits), range(visitors)))
            if errors := [error for error in told if error]:
                sys.exit("\n".join(errors))
            ((since, before),) = began
            used, passed, memory = sum(process.cpu_times()[:2]) - before, time.monotonic() - since, memory_mb(server)
        finally:
            server.terminate()
            server.wait(20)
    share, (middle, late) = used / passed, 1000 * np.percentile(waits, (50, 95))
    print(
        f"{visitors} visitors, {len(waits)} batches of {round(RATE * PUSH_S)} readings in {passed:.0f} s: the server "
        f"used {share:.1%} of a core, {share / visitors:.2%} a visitor; a batch took {middle:.0f} ms (median), "
        f"{late:.0f} ms (95%); {memory:.0f} MB; no error"
    )
    if share / visitors > GOAL:
        sys.exit(f"A visitor costs more than {GOAL:.0%} of a core.")


if __name__ == "__main__":
    tyro.cli(main)
