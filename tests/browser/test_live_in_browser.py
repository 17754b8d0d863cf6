"""A camera that shows two people in turn, read in the browser itself: panel, recorder, faults, and what leaves it."""

from __future__ import annotations

import csv
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.camera import STREAM_FLAGS
from tests.browser.conftest import CHROMIUM, FLAGS, running_app
from tests.browser.in_browser import named_runtime
from tests.browser.test_live import frames_flow, panel_labels
from tests.browser.test_predict import sideways
from tests.conftest import YUNET

# What goes wrong at a visitor's, done to the page before its own scripts run.
KEEP_STREAM = """const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => (window.stream = await real(wanted));"""
REFUSE = "navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{}'); }};"


@pytest.fixture(scope="module")
def demo(tmp_path_factory, yunet_at_hand):
    """The address of a shared demo that has onnxruntime-web."""
    folder = tmp_path_factory.mktemp("demo")
    settings = {"FER_YUNET": str(YUNET), "FER_ORT_WEB": str(named_runtime()), "FER_HOSTED": "1"}
    with running_app(FER_CACHE=str(folder / "cache"), FER_RUNS=str(folder / "runs"), **settings) as address:
        yield address


@pytest.fixture(scope="module")
def yunet_at_hand():
    if not YUNET.is_file():
        pytest.skip("the YuNet file is not at hand (FER_SHARED)")


@pytest.fixture(scope="module")
def camera_browser(browser, camera):
    """A browser with the fake camera."""
    chromium = browser.browser_type.launch(
        executable_path=CHROMIUM, args=[*FLAGS, *STREAM_FLAGS, f"--use-file-for-fake-video-capture={camera}"]
    )
    yield chromium
    chromium.close()


@pytest.fixture
def visit(camera_browser, demo):
    """Opens Live as a new visitor; script runs on the page before its own."""
    contexts = []

    def visit(script: str = "", width: int = 1280):
        context = camera_browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        if script:
            page.add_init_script(script)
        page.goto(f"{demo}/predict?view=live")
        expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
        return page

    yield visit
    for context in contexts:
        context.close()


def start(page) -> None:
    page.get_by_role("button", name="Start the camera").click()


def test_from_camera_to_panel_and_only_numbers_leave(visit, demo, two_people):
    page = visit()
    asked, sent = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(len(data))))
    page.reload()
    start(page)
    expect(page.get_by_text("frames per second ·")).to_be_visible()
    seen = panel_labels(page, 14)
    assert set(two_people[1]) <= seen, (two_people[1], seen)
    assert not sideways(page)

    before = len(sent)
    page.wait_for_timeout(3000)
    assert len(sent) == before  # nothing at all, while nothing is recorded
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(12_000)  # a batch goes every ten seconds
    page.get_by_role("button", name=re.compile("Stop recording")).click()
    expect(page.get_by_role("heading", name="Your recording")).to_be_visible()
    assert 3 <= len(sent) - before <= 8 and max(sent[before:]) < 120_000
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV", exact=True).click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert len(rows) > 10 and {row["quality"] for row in rows} == {"ok"}
    times = [float(row["time_s"]) for row in rows]
    assert times == sorted(times) and times[-1] > 8  # no batch was lost or came twice
    assert frames_flow(page)  # the camera went on
    hosts = {url.split("/")[2] for url in asked if url.startswith(("http", "ws"))}
    assert hosts == {demo.partition("//")[2]}, hosts

    page.get_by_role("button", name="Stop the camera").click()
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
    expect(page.get_by_text("Start the camera to see here")).to_be_visible()


def test_another_model_in_mid_stream(visit):
    page = visit()
    start(page)
    expect(page.get_by_text("frames per second ·")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("combobox").first.click()
    with page.expect_response(re.compile("model.onnx")):
        page.get_by_role("option", name=re.compile("mini-xception")).click()
    expect(page.get_by_text("Loading mini-xception")).to_have_count(0)
    assert panel_labels(page, 3) - {"no face"} and frames_flow(page)
    expect(page.get_by_role("button", name="Stop the camera")).to_be_visible()


def test_a_recording_outlives_its_tab_and_two_tabs_do_not_meet(visit):
    first, second = visit(), visit(width=390)
    for page in (first, second):
        start(page)
        expect(page.get_by_text("frames per second ·")).to_be_visible()
    assert not sideways(second)
    first.get_by_role("button", name="Record", exact=True).click()
    expect(first.get_by_role("button", name=re.compile(r"Stop recording \([1-9]"))).to_be_visible()
    first.get_by_role("tab", name="Photos").click()
    first.wait_for_timeout(1500)
    first.get_by_role("tab", name="Live").click()
    expect(first.get_by_role("heading", name="Your recording")).to_be_visible()
    expect(first.get_by_role("button", name="Start the camera")).to_be_visible()
    assert frames_flow(second) and second.get_by_role("heading", name="Your recording").count() == 0


def test_a_hidden_tab_pauses(visit):
    page = visit()
    start(page)
    expect(page.get_by_text("frames per second ·")).to_be_visible()
    show = (
        "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden }); "
        "document.dispatchEvent(new Event('visibilitychange')); }"
    )
    page.evaluate(show, True)
    expect(page.get_by_text("Paused while this tab is hidden.")).to_be_visible()
    page.evaluate(show, False)
    expect(page.get_by_text("Paused while this tab is hidden.")).to_have_count(0)
    assert frames_flow(page)


def test_a_camera_that_is_taken_away(visit):
    page = visit(KEEP_STREAM)
    start(page)
    expect(page.get_by_text("frames per second ·")).to_be_visible()
    page.evaluate("stream.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    expect(page.get_by_text("The camera was disconnected")).to_be_visible()
    start(page)
    expect(page.get_by_text("frames per second ·")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NotAllowedError", "Your browser blocked the camera"),
        ("NotFoundError", "No camera was found"),
        ("NotReadableError", "another program or browser tab may be using it"),
    ],
)
def test_no_camera_leads_to_the_photos(visit, name, said):
    page = visit(REFUSE.format(name), width=390)
    start(page)
    expect(page.get_by_text(said)).to_be_visible()
    assert not sideways(page)
    page.get_by_role("button", name="Upload a photo instead").click()
    expect(page.get_by_role("tab", name="Photos")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("delete globalThis.WebAssembly", "does not support WebAssembly"),
        ("delete HTMLCanvasElement.prototype.transferControlToOffscreen", "does not support OffscreenCanvas"),
    ],
)
def test_a_browser_that_cannot_read_leads_to_the_server(visit, script, said):
    page = visit(script)
    start(page)
    expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_text("Frames go to this server")).to_be_visible()
    expect(page.get_by_role("radio", name="On the server")).to_be_checked()
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()  # by itself no frame goes there


def test_a_model_that_does_not_come_leads_to_the_server(camera_browser, demo):
    context = camera_browser.new_context()
    context.route(re.compile("model.onnx"), lambda route: route.abort())  # before the page fetches it in advance
    page = context.new_page()
    page.goto(f"{demo}/predict?view=live")
    start(page)
    expect(page.get_by_text("could not be loaded into this browser")).to_be_visible()
    context.close()


def test_the_first_answer_comes_soon(visit):
    page = visit()
    page.wait_for_timeout(4000)  # a visitor reads what it says there
    began = time.monotonic()
    start(page)
    expect(page.get_by_text("frames per second ·")).to_be_visible()
    assert time.monotonic() - began < 12  # 3 s on a machine that does nothing else
