"""What many visitors at once cost: `python -m tests.load` against the real app in hosted mode, on this machine.

Each round 20 sessions open Predict within ARRIVE_S seconds, put a photo in, read its label for READ_S seconds, open
Explain, look at the map for READ_S seconds and leave while the slow measurements go on; up to three of them are real
Chromiums, the others speak the websocket. Prints a table, exit 1 where a goal is missed. Goals on two cores: no
error, from upload to label and from Explain to the first map 3 s (median) and 8 s (95th percentile), under 3 GB,
memory back within 10% of its start after all have left. The start is taken after two visitors have had the models
loaded. The rounds follow each other at once; memory is looked at when all of the last one have left.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import tyro

from deploy.rehearse import steps
from fer.app.server.memory import EVERY_S
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.in_browser import DIST
from tests.conftest import ROOT, YUNET
from tests.load.visitor import Visitor
from tests.serving import await_health, free_port

PHOTOS = [ROOT / "fer" / "app" / "samples" / name for name in ("astronaut.jpg", "grace-hopper.jpg")]
ARRIVE_S = 20.0
READ_S = 4.0
LEFT_S = 125.0  # Streamlit keeps a session that went away for two minutes, in case it comes back
SLOW_MS = 120_000


@dataclass
class Visit:
    """What one visitor saw, in seconds; error: the sentence, where something went wrong."""

    kind: str
    label_s: float = float("nan")
    map_s: float = float("nan")
    error: str = ""


def by_socket(address: str, photo: Path) -> Visit:
    visit, visitor = Visit("websocket"), Visitor(address)
    try:
        visitor.open_page("predict")
        visitor.await_end()
        began = time.monotonic()
        visitor.upload(photo.name, photo.read_bytes())
        visitor.await_text("^## ")
        visit.label_s = time.monotonic() - began
        visitor.await_end()
        time.sleep(READ_S)
        began = time.monotonic()
        visitor.click("Explain this face")
        visitor.await_component("fer_large_map")
        visit.map_s = time.monotonic() - began
        time.sleep(READ_S)
    finally:
        visitor.close()
    return visit


def by_browser(address: str, photo: Path) -> Visit:
    from playwright.sync_api import sync_playwright

    visit = Visit("Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = browser.new_page()
            page.set_default_timeout(SLOW_MS)
            page.goto(f"{address}/predict")
            chooser = page.locator("input[type=file]").first
            chooser.wait_for(state="attached")
            began = time.monotonic()
            chooser.set_input_files(str(photo))
            page.get_by_alt_text(re.compile("its faces marked")).wait_for()
            visit.label_s = time.monotonic() - began
            page.wait_for_timeout(1000 * READ_S)
            began = time.monotonic()
            page.get_by_role("button", name="Explain this face").click()
            page.get_by_alt_text(re.compile("map for .*, large")).wait_for()
            visit.map_s = time.monotonic() - began
            page.wait_for_timeout(1000 * READ_S)
        finally:
            browser.close()
    return visit


def visit(address: str, browsers: int, number: int, arrive_s: float = 0) -> Visit:
    time.sleep(arrive_s)
    way = by_browser if number < browsers else by_socket
    try:
        return way(address, PHOTOS[number % len(PHOTOS)])
    except Exception as error:  # each failure is a row of the table
        return Visit(way.__name__, error=f"{type(error).__name__}: {str(error).splitlines()[0]}")


def memory_mb(server: subprocess.Popen) -> float:
    """Resident memory of the server and of what it started."""
    process = psutil.Process(server.pid)
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True))) / 2**20


class Peak:
    """The highest memory seen while it watches."""

    def __init__(self, server: subprocess.Popen) -> None:
        self.mb, self._server, self._over = 0.0, server, threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self.mb = max(self.mb, memory_mb(self._server))

    def close(self) -> None:
        self._over.set()


def serve(cache: Path) -> tuple[subprocess.Popen, str]:
    """The app in hosted mode, started as the Dockerfile does, with its log in the cache folder (log.txt)."""
    port = free_port()
    if YUNET.is_file():
        shutil.copy(YUNET, cache)
    image = dict(rest.split("=", 1) for name, rest in steps((ROOT / "Dockerfile").read_text()) if name == "ENV")
    malloc = {name: value for name, value in image.items() if name.startswith("MALLOC_")}
    environment = {**os.environ, **malloc, "FER_HOSTED": "1", "FER_CACHE": str(cache), "FER_RUNS": str(cache / "runs")}
    environment.setdefault("FER_ORT_WEB", str(DIST))
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "streamlit_app.py",
        "--server.headless=true",
        "--server.address=127.0.0.1",
        f"--server.port={port}",
    ]
    with open(cache / "log.txt", "w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    return server, await_health(f"http://127.0.0.1:{port}")


def main(
    sessions: int = 20,
    browsers: int = 3,
    rounds: int = 3,
    arrive_s: float = ARRIVE_S,
    seed: int = 0,
    between: bool = False,
) -> None:
    """Measure.

    Args:
        sessions: Visitors of a round, all there at once.
        browsers: How many of them are real Chromiums.
        rounds: How often all come and leave.
        arrive_s: Seconds over which they arrive.
        seed: Of the times of arrival.
        between: Let all leave after each round, and look at the memory, not after the last one only.
    """
    rng = random.Random(seed)
    browsers = min(browsers, sessions) if CHROMIUM else 0
    with tempfile.TemporaryDirectory() as cache:
        server, address = serve(Path(cache))
        try:
            missed = measure(server, address, sessions, browsers, rounds, arrive_s, rng, between)
        finally:
            server.terminate()
            server.wait(20)
    print("; ".join(missed) if missed else "all goals held")
    sys.exit(1 if missed else 0)


def measure(
    server: subprocess.Popen,
    address: str,
    sessions: int,
    browsers: int,
    rounds: int,
    arrive_s: float,
    rng: random.Random,
    between: bool,
) -> list[str]:
    """Prints the table; returns the goals that were missed."""
    everyone, missed = [], []
    for name in range(2):
        first = visit(address, browsers, browsers + name)  # loads the models, by both photos
        if first.error:
            raise SystemExit(first.error)
    start = settled_mb(server, address, browsers)
    print(
        f"start: {start:.0f} MB\n| round | visits | errors | upload to label: median | 95% | "
        "Explain to first map: median | 95% | peak MB | MB after all left |\n|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for number in range(1, rounds + 1):
        peak, times = Peak(server), [rng.uniform(0, arrive_s) for _ in range(sessions)]
        with ThreadPoolExecutor(sessions) as pool:
            visits = list(pool.map(partial(visit, address, browsers), range(sessions), times))
        left = settled_mb(server, address, browsers) if between or number == rounds else 0.0
        peak.close()
        everyone += visits
        print(row_of(str(number), visits) + f" {peak.mb:.0f} | {f'{left:.0f}' if left else ''} |", flush=True)
        if peak.mb > 3 * 1024:
            missed.append(f"round {number} took {peak.mb:.0f} MB")
        if left > 1.1 * start:
            missed.append(f"round {number} left {left:.0f} MB of {start:.0f}")
    print(row_of("all", everyone) + " | |")
    for error in sorted({each.error for each in everyone if each.error}):
        missed.append(error)
    for field, what in (("label_s", "labels"), ("map_s", "first maps")):
        times = [getattr(each, field) for each in everyone if not each.error]
        for share, goal in ((50, 3.0), (95, 8.0)):
            if times and np.percentile(times, share) > goal:
                missed.append(f"{share}% of the {what} came within {np.percentile(times, share):.1f} s, not {goal:.0f}")
    return missed


def settled_mb(server: subprocess.Popen, address: str, browsers: int) -> float:
    """The server's memory once all have left, by itself or through the next visitor, and the app has tidied up."""
    time.sleep(LEFT_S)
    visit(address, browsers, browsers)  # a session lets those that ran out go
    time.sleep(EVERY_S + 10)
    return memory_mb(server)


def row_of(name: str, visits: list[Visit]) -> str:
    fine = [each for each in visits if not each.error]
    cells = [
        f"{np.percentile([getattr(each, field) for each in fine], share):.1f} s" if fine else "-"
        for field in ("label_s", "map_s")
        for share in (50, 95)
    ]
    return f"| {name} | {len(visits)} | {len(visits) - len(fine)} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    tyro.cli(main)
