"""What the live view costs, on this machine: `python -m tests.browser.measure_live [--minutes 10]`.

The same page, camera and browser: with a callback that gives each frame back as it came, read on the server by WebRTC
without and with the evidence overlay, and read in the browser with both models. Prints frames a second, the latency
that reading adds, in the browser also how soon the first answer comes and what the server does meanwhile; with
--minutes the server's memory over a stream.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import psutil
import tyro
from playwright.sync_api import sync_playwright

from fer.vision.images import read_image
from tests.browser.camera import STREAM_FLAGS, on_canvas
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.in_browser import DIST
from tests.conftest import ROOT, YUNET
from tests.serving import await_health, free_port

RATE, SECONDS = 30, 20
AHEAD = -18  # nice, of a session's group of processes


def write_camera(path: Path) -> None:
    """A minute of one face that moves a little, 640x480 at 30 frames a second."""
    frame = on_canvas(read_image(ROOT / "fer/app/samples/astronaut.jpg"))
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W640 H480 F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for index in range(4 * RATE):
            moved = np.roll(frame, round(12 * np.sin(index * np.pi / 60)), 1)
            file.write(
                b"FRAME\n" + cv2.cvtColor(np.ascontiguousarray(moved[..., ::-1]), cv2.COLOR_BGR2YUV_I420).tobytes()
            )


def serve(folder: Path, echo: bool, **settings: str) -> tuple[subprocess.Popen, str, Path]:
    port, told = free_port(), folder / f"told-{echo}.json"
    environment = {
        **os.environ,
        "FER_MEASURE": str(folder / f"frames-{echo}.json"),
        "FER_ECHO": "1" if echo else "",
    } | settings
    if YUNET.is_file():
        environment.setdefault("FER_YUNET", str(YUNET))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.browser.loopback_app", str(port), str(told)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, await_health(f"http://127.0.0.1:{port}"), folder / f"frames-{echo}.json"


def memory_mb(process: subprocess.Popen) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def start_stream(page, address: str, counts: Path) -> None:
    page.goto(f"{address}/predict?view=live")
    page.get_by_text("More settings").click()
    page.get_by_role("button", name="Start the camera").click()
    for _ in range(240):
        if counts.is_file():
            break
        page.wait_for_timeout(250)


def rate(page, counts: Path, seconds: float) -> tuple[float, float]:
    """Frames a second that the callback got, and the milliseconds from arrival to answer, over `seconds`."""
    page.wait_for_timeout(5000)
    before, began = json.loads(counts.read_text()), time.monotonic()
    page.wait_for_timeout(1000 * seconds)
    after, passed = json.loads(counts.read_text()), time.monotonic() - began
    frames = after["frames"] - before["frames"]
    return frames / passed, 1000 * (after["seconds"] - before["seconds"]) / max(frames, 1)


def processor_s(process: subprocess.Popen) -> float:
    """The processor's seconds that the server has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def in_browser(page, process: subprocess.Popen, address: str, model: str, seconds: float) -> str:
    """A line about one model, read in the browser."""
    page.goto(f"{address}/predict?view=live")
    start = page.get_by_role("button", name="Start the camera")
    start.wait_for()
    picker = page.get_by_test_id("stSidebar").get_by_role("combobox").first
    if picker.input_value() != model:
        picker.click()
        page.get_by_role("option", name=model, exact=True).click()
    page.wait_for_timeout(5000)
    began = time.monotonic()
    start.click()
    page.locator("h2", has_text=re.compile("%|sure")).first.wait_for()
    first_s = time.monotonic() - began
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(5000)
    used_s, since, rates, waits = processor_s(process), time.monotonic(), [], []
    while time.monotonic() - since < seconds:
        page.wait_for_timeout(1000)
        found = re.match(r"(\d+) frames per second · (\d+) ms", page.get_by_text("frames per second ·").inner_text())
        rates.append(int(found[1]))
        waits.append(int(found[2]))
    share = (processor_s(process) - used_s) / (time.monotonic() - since)
    page.get_by_role("button", name="Stop the camera").click()
    return (
        f"in the browser, {model}: {np.mean(rates):.1f} frames a second, {np.mean(waits):.0f} ms each; first answer "
        f"after {first_s:.1f} s; the server used {share:.1%} of a core, recording"
    )


@contextmanager
def measured(playwright, folder: Path, echo: bool, ahead: bool, **settings: str):
    """(page, server, its address, the file that counts frames): one server and one browser with the camera."""
    process, address, counts = serve(folder, echo, **settings)
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[*FLAGS, *STREAM_FLAGS, f"--use-file-for-fake-video-capture={folder / 'camera.y4m'}"],
    )
    try:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        if ahead:
            for each in psutil.Process().children(recursive=True):
                Path(f"/proc/{each.pid}/autogroup").write_text(str(AHEAD))
        yield page, process, address, counts
    finally:
        browser.close()
        process.terminate()
        process.wait(20)


def main(minutes: float = 0.0, seconds: float = SECONDS, ahead: bool = False) -> None:
    """Measure.

    Args:
        minutes: Also stream for so long and tell the server's memory at the start and the end.
        seconds: Of each of the five measurements.
        ahead: Server and browser go before what else the machine does (Linux, as root).
    """
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder, found = Path(name), {}
        write_camera(folder / "camera.y4m")
        for echo in (True, False):
            with measured(playwright, folder, echo, ahead) as (page, process, address, counts):
                start_stream(page, address, counts)
                found[echo] = rate(page, counts, seconds)
                if not echo:
                    page.get_by_role("button", name="Evidence (Grad-CAM)").click()
                    page.get_by_text("Loading PyTorch").wait_for(state="detached")
                    with_heat, with_heat_ms = rate(page, counts, seconds)
                if not echo and minutes:
                    tell_memory(page, process, minutes)
        hosted = {"FER_HOSTED": "1", "FER_ORT_WEB": str(DIST)}
        with measured(playwright, folder, False, ahead, **hosted) as (page, process, address, _):
            lines = [in_browser(page, process, address, model, seconds) for model in ("compact", "mini-xception")]
    (bare, bare_ms), (read, read_ms) = found[True], found[False]
    print(
        f"echo: {bare:.1f} frames a second, {bare_ms:.1f} ms each; read and drawn: {read:.1f} frames a second, "
        f"{read_ms:.1f} ms each; {read / bare:.0%} of the echo's frames, {read_ms - bare_ms:.0f} ms more"
    )
    print(
        f"with the evidence overlay: {with_heat:.1f} frames a second, {with_heat_ms:.1f} ms each; "
        f"{with_heat / read:.0%} of the frames without it"
    )
    print("\n".join(lines))


def tell_memory(page, process: subprocess.Popen, minutes: float) -> None:
    start = memory_mb(process)
    print(f"memory at the start: {start:.0f} MB", flush=True)
    for minute in range(1, round(minutes) + 1):
        page.wait_for_timeout(60_000)
        print(f"after {minute} min: {memory_mb(process):.0f} MB", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
