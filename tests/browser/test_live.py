"""A camera that shows two people in turn, through WebRTC to the panel and back; all traffic on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.camera import STREAM_FLAGS
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.test_predict import sideways
from tests.conftest import ROOT
from tests.serving import await_health, free_port
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def live_server(tmp_path_factory):
    """(address, file with the names of the server's threads) of an app whose WebRTC stays on loopback."""
    port, threads = free_port(), tmp_path_factory.mktemp("threads") / "threads.json"
    environment = {**os.environ, "FER_CACHE": str(tmp_path_factory.getbasetemp() / "cache")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.browser.loopback_app", str(port), str(threads)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield await_health(f"http://127.0.0.1:{port}"), threads
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="module")
def live_page(browser, camera):
    """A page in a browser of its own, with the fake camera."""
    chromium = browser.browser_type.launch(
        executable_path=CHROMIUM, args=[*FLAGS, *STREAM_FLAGS, f"--use-file-for-fake-video-capture={camera}"]
    )
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    yield page
    chromium.close()


def working_threads(file: Path) -> list[str]:
    return [name for name in json.loads(file.read_text()) if name.startswith("async_media_processor")]


def panel_labels(page, seconds: float) -> set[str]:
    """All headings that the panel shows in that time, without their percentages."""
    seen, end = set(), time.monotonic() + seconds
    while time.monotonic() < end:
        for text in page.locator("h2").all_inner_texts():
            seen.add(re.sub(r" \d+%$", "", text).lower())
        page.wait_for_timeout(250)
    return seen


def frames_flow(page) -> bool:
    """Whether frames come, however slowly: within 30 s a second has some, and none is missed."""
    for _ in range(60):
        text = page.get_by_text("frames per second ·").first.inner_text()
        if float(text.split()[0]) > 0 and not page.get_by_text("No frames are arriving").is_visible():
            return True
        page.wait_for_timeout(500)
    return False


def await_threads(file: Path, count: int) -> None:
    """Wait until the server works on that many streams."""
    wait_for(lambda: len(working_threads(file)) == count, 45)


def test_a_live_stream_from_camera_to_panel(live_server, live_page, two_people):
    (address, threads), page, (_, labels) = live_server, live_page, two_people
    page.goto(f"{address}/predict?view=live")
    page.get_by_role("button", name="Start the camera").click()
    expect(page.get_by_text("frames per second ·")).to_be_visible()

    seen = panel_labels(page, 15)  # frames flow for 15 s, both people among them
    assert set(labels) <= seen, (labels, seen)
    assert frames_flow(page)
    await_threads(threads, 1)
    assert not sideways(page)

    page.get_by_role("button", name="Record", exact=True).click()
    stop = page.get_by_role("button", name=re.compile("Stop recording"))
    expect(stop).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("combobox").first.click()  # another model in mid-stream
    other = (
        page.get_by_role("option")
        .filter(has_text=re.compile("compact|mini"))
        .locator("visible=true")
        .filter(has_not_text=re.compile("nothing"))
    )
    names = other.all_inner_texts()
    current = page.get_by_test_id("stSidebar").get_by_role("combobox").first.input_value() or ""
    page.get_by_role("option", name=next(name for name in names if name != current)).click()
    seen = panel_labels(page, 8)
    assert seen - {"no face"} and frames_flow(page)
    await_threads(threads, 1)

    stop.click()
    expect(page.get_by_role("heading", name="Your recording")).to_be_visible()
    moment = page.get_by_role("slider", name="Moment of the recording")
    bars = page.get_by_role("heading", name=re.compile(r"^Person \d.*: ", re.I), level=3).first
    expect(bars).to_be_visible()
    shown = moment.get_attribute("aria-valuetext")
    moment.press("End")
    expect(moment).not_to_have_attribute("aria-valuetext", shown)
    expect(bars).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV", exact=True).click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert rows[0].startswith("input,time_s,person,") and len(rows) > 10

    page.get_by_test_id("stSidebar").get_by_role("link", name="Home").click()  # leaving frees the worker
    expect(page.get_by_role("heading", name="FER Studio", level=1)).to_be_visible()
    await_threads(threads, 0)


def test_leaving_the_tab_stops_the_stream_and_it_starts_again(live_server, live_page):
    (address, threads), page = live_server, live_page
    page.goto(f"{address}/predict?view=live")
    for _ in range(2):
        page.get_by_role("button", name="Start the camera").click()
        expect(page.get_by_text("frames per second ·")).to_be_visible()
        page.get_by_role("tab", name="Photos").click()
        await_threads(threads, 0)
        page.get_by_role("tab", name="Live").click()


@pytest.mark.long
def test_two_tabs_at_once(live_server, live_page):
    (address, threads), page = live_server, live_page
    second = page.context.new_page()
    second.set_default_timeout(60_000)
    for one in (page, second):
        one.goto(f"{address}/predict?view=live")
        one.get_by_role("button", name="Start the camera").click()
        expect(one.get_by_text("frames per second ·")).to_be_visible()
    await_threads(threads, 2)
    second.get_by_role("button", name="Record", exact=True).click()
    expect(second.get_by_role("button", name=re.compile("Stop recording"))).to_be_visible()
    second.close()  # in mid-recording
    await_threads(threads, 1)
    expect(page.get_by_text("frames per second ·")).to_be_visible()
    assert frames_flow(page)
    page.goto("about:blank")


def test_a_snapshot_is_read(live_server, live_page, two_people):
    (address, _), page, (_, labels) = live_server, live_page, two_people
    page.goto(f"{address}/predict?view=camera")
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")  # before that a click is lost
    page.get_by_role("button", name="Take Photo").click()
    names = "|".join(label.capitalize() for label in labels)  # one of the two is before the camera
    expect(page.get_by_role("heading", name=re.compile(f"^({names})"))).to_be_visible()
    expect(page.get_by_alt_text(re.compile("The photo with its faces marked: "))).to_be_visible()
    assert not sideways(page)
    page.goto("about:blank")


def test_a_camera_that_is_refused_leads_to_the_snapshot(live_server, browser):
    address, _ = live_server
    chromium = browser.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, "--deny-permission-prompts"])
    page = chromium.new_context(viewport={"width": 390, "height": 900}).new_page()
    try:
        page.goto(f"{address}/predict?view=live")
        page.get_by_role("button", name="Start the camera").click()
        expect(page.get_by_text("The camera sent no picture within")).to_be_visible()
        expect(page.get_by_role("tab", name="Camera")).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("button", name="Try live again")).to_be_visible()
        assert not sideways(page)
    finally:
        chromium.close()
