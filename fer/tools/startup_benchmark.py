"""The cost of starting the command line, imports, the server and its pages: stages of `python -m fer benchmark`.

Everything is measured from outside on new processes, alternating with the minimum cost of doing the same.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fer.errors import FerError
from fer.locations import SAMPLES, app_folder, weights_folder
from fer.models import DEFAULT_MODEL
from fer.tools.photo_memory import COUNTS, resident_mb
from fer.tools.timing import Row, missing, row
from fer.vision import yunet_file

HERE = Path(__file__).parent

SAMPLE, OTHER_SAMPLE = SAMPLES / "astronaut.jpg", SAMPLES / "grace-hopper.jpg"

MODULES = {  # imported modules, and the minimum that each needs
    "fer": "sys",
    "fer.vision.images": "numpy, PIL.Image",
    "fer.vision.detection": "cv2",
    "fer.inference.recognizer": "cv2, numpy, onnxruntime",
    "fer.cli": "tyro",
}

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
EMPTY_PAGE = "import streamlit as st\n\nst.title('Empty')\n"
PATIENCE_S, REST_S = 120.0, 5.0


def cold_start(rounds: int = 7) -> list[Row]:
    """`fer predict PHOTO` in a new process: seconds, CPU seconds, peak memory."""
    yunet = _yunet()
    with tempfile.TemporaryDirectory() as folder:
        ours = [sys.executable, "-m", "fer", "predict", str(SAMPLE), "--detector", "yunet" if yunet else "haar"]
        least = _least(Path(folder), yunet)
        pairs = [(cost_of(ours), cost_of(least)) for _ in range(rounds + 1)][1:]  # the first run fills the disk cache
    against = f"OpenCV ({'YuNet' if yunet else 'Haar, without YuNet'}) + ONNX Runtime"
    rows = []
    for name, key, factor, unit in (
        ("", "wall_ms", 2.0, "ms"),
        (", processor time", "busy_ms", 2.0, "ms"),
        (", peak memory", "peak_mb", 1.6, "MB"),
    ):
        value, reference = (statistics.median(each[key] for each in side) for side in zip(*pairs, strict=True))
        rows.append(row(f"fer predict PHOTO, cold start{name}", value, against, reference, factor * reference, unit))
    return rows


def importing(modules: dict[str, str] = MODULES, rounds: int = 3) -> list[Row]:
    """Imports in a new interpreter, including its startup, with their memory and whether they load torch."""
    rows = []
    for module, needed in modules.items():
        ours, least = (
            [sys.executable, "-c", f"import sys, {names}; print('torch' in sys.modules)"] for names in (module, needed)
        )
        pairs = [(cost_of(ours), cost_of(least)) for _ in range(rounds + 1)][1:]
        torch = "with" if "True" in pairs[0][0]["output"] else "without"
        for name, key, unit in (("", "wall_ms", "ms"), (", memory", "peak_mb", "MB")):
            value, reference = (statistics.median(each[key] for each in side) for side in zip(*pairs, strict=True))
            rows.append(row(f"import {module}{name} ({torch} torch)", value, f"import {needed}", reference, None, unit))
    return rows


def large_photos(few: int = COUNTS[0], many: int = COUNTS[1]) -> list[Row]:
    """Resident memory of a process that reads many photos of 12 megapixels, in one thread or each in a new one."""
    rows = []
    for where, flags in (("in one thread", []), ("each in a new thread", ["--threads"])):
        found = json.loads(
            cost_of([sys.executable, "-m", "fer.tools.photo_memory", "--few", str(few), "--many", str(many), *flags])[
                "output"
            ]
        )
        stage, early, late = f"memory, {many} photos of 12 MP {where}", found[str(few)], found[str(many)]
        rows.append(
            missing(stage, "there is no /proc")
            if math.isnan(late)
            else row(stage, late, f"after {few}", early, 1.1 * early, "MB")
        )
    return rows


def server_at_rest() -> list[Row]:
    """Resident memory of the server after Home was opened and closed."""
    stage = "server at rest, Home opened once"
    if reason := _no_browser():
        return [missing(stage, reason)]
    found = []
    with tempfile.TemporaryDirectory() as name, _chromium() as browser:
        for script in (app_folder() / "streamlit_app.py", _empty_page(Path(name))):
            with serving(script, Path(name)) as (address, process):
                _open(browser, address, _settled)
                time.sleep(REST_S)
                found.append(resident_mb(process))
    return [row(stage, found[0], "an empty Streamlit page", found[1], 300, "MB")]


def page_timings(rounds: int = 3) -> list[Row]:
    """Predict and Training on new servers, and a photo added to a warm Predict, in Chromium."""
    stages = (
        "fresh server, Predict settled",
        "photo in the page to its answer, warm",
        "Training page, first open on a fresh server",
    )
    if reason := _no_browser():
        return [missing(stage, reason) for stage in stages]
    app, empties, predicts, answers, trainings = app_folder() / "streamlit_app.py", [], [], [], []
    with tempfile.TemporaryDirectory() as name, _chromium() as browser:
        folder = Path(name)
        with serving(_empty_page(folder), folder) as (address, _):
            _open(browser, address, _settled)  # Chromium's own first page
        for _ in range(rounds):
            with serving(_empty_page(folder), folder) as (address, _):
                empties.append(_open(browser, address, _settled))
            with serving(app, folder) as (address, _):
                predicts.append(_open(browser, f"{address}/predict", _uploader))
                _answer_ms(browser, address, OTHER_SAMPLE)
                answers += [_answer_ms(browser, address, SAMPLE) for _ in range(rounds)]
            with serving(app, folder) as (address, _):
                trainings.append(_open(browser, f"{address}/training", _start_button))
        least_ms = json.loads(cost_of([*_least(folder, _yunet()), "20"])["output"])["warm_ms"]
    empty, predict, answer, training = map(statistics.median, (empties, predicts, answers, trainings))
    return [
        row(stages[0], predict, "an empty Streamlit page", empty, 1.5 * empty),
        row(stages[1], answer, "OpenCV + ONNX Runtime, no page", least_ms, 400),
        row(stages[2], training, "an empty Streamlit page", empty, 2000),
    ]


def cost_of(command: list[str], **settings: str) -> dict:
    """A command's cost, see fer.tools.process_cost. Raises FerError if it failed.

    settings: environment variables.
    """
    helper = [sys.executable, "-S", str(HERE / "process_cost.py"), *command]
    environment = {**_environment(), **settings}
    ran = subprocess.run(helper, cwd=app_folder(), env=environment, capture_output=True, check=True)
    found = json.loads(ran.stdout)
    if found["code"]:
        raise FerError(f"{' '.join(command)} ended with {found['code']}: {found['errors'].strip()[-500:]}")
    return found


@contextmanager
def serving(script: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """A Streamlit server for this script on its own port: its address and process id. Runs and cache are empty."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory(dir=folder) as own:
        environment = {**_environment(), "FER_CACHE": f"{own}/cache", "FER_RUNS": f"{own}/runs"}
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                script.name,
                "--server.headless=true",
                "--server.address=127.0.0.1",
                f"--server.port={port}",
                "--browser.gatherUsageStats=false",
            ],
            cwd=script.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await_health(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.terminate()
            server.wait(20)


def _await_health(address: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise FerError(f"No answer from {address} within {PATIENCE_S:.0f} s.")


def _yunet() -> Path | None:
    return yunet_file.obtain()


def _environment() -> dict[str, str]:
    """Give every process the same copy of YuNet, if available."""
    return {**os.environ, **({"FER_YUNET": str(file)} if (file := _yunet()) else {})}


def _least(folder: Path, yunet: Path | None) -> list[str]:
    """The command that reads the sample with only OpenCV and ONNX Runtime."""
    model = weights_folder() / f"{DEFAULT_MODEL}.onnx"
    if not model.is_file():
        model = folder / model.name
        cost_of([sys.executable, "-m", "fer", "export", DEFAULT_MODEL, "--out", str(model), "--data", "synthetic"])
    return [sys.executable, str(HERE / "bare_predict.py"), str(SAMPLE), str(model), str(yunet or "")]


def _empty_page(folder: Path) -> Path:
    script = folder / "empty.py"
    script.write_text(EMPTY_PAGE)
    return script


def _no_browser() -> str:
    """Why pages cannot be timed here; empty if they can."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright is not installed (requirements-dev.txt)"
    return "" if CHROMIUM else "Chromium is not installed"


@contextmanager
def _chromium() -> Iterator:
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.callback(browser.close)
        yield browser


@contextmanager
def _visit(browser) -> Iterator:
    """A page with an empty cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        yield page
    finally:
        context.close()


def _open(browser, address: str, wait: Callable[..., None]) -> float:
    """Milliseconds from opening the address to the event that `wait` waits for."""
    with _visit(browser) as page:
        began = time.perf_counter()
        page.goto(address, wait_until="commit")
        wait(page)
        return 1000 * (time.perf_counter() - began)


def _answer_ms(browser, address: str, photo: Path) -> float:
    """Milliseconds from a photo in Predict's uploader to the heading with its face's expression."""
    with _visit(browser) as page:
        page.goto(f"{address}/predict")
        _uploader(page)
        began = time.perf_counter()
        page.locator("input[type=file]").first.set_input_files(str(photo))
        page.get_by_role("heading", level=2).first.wait_for()
        return 1000 * (time.perf_counter() - began)


def _settled(page) -> None:
    page.get_by_role("heading", level=1).first.wait_for()
    page.locator(SETTLED).wait_for(state="attached")


def _uploader(page) -> None:
    page.locator("[data-testid=stFileUploader]").first.wait_for()
    page.locator(SETTLED).wait_for(state="attached")


def _start_button(page) -> None:
    page.get_by_role("button", name="Start training").wait_for()
