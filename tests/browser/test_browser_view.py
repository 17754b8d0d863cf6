"""The component of Live in the browser, on an empty page with a fake camera, worker and clock."""

from __future__ import annotations

import math

import pytest
import streamlit as st

from fer.app.predict.browser import assets, component, state
from fer.app.predict.browser.constants import constants
from fer.inference.recognizer import load
from tests.browser.in_browser import served

# In the camera's and the worker's place: `grant()` answers the permission prompt, `hear()` is what the worker says.
FAKES = """
    window.sent = [];
    window.tracks = [];
    navigator.mediaDevices.getUserMedia = () => new Promise((resolve) => {
        window.grant = async () => {
            const canvas = document.createElement("canvas");
            canvas.getContext("2d");
            const stream = canvas.captureStream(0);  // no frame comes, so that the real play() waits
            tracks.push(...stream.getTracks());
            resolve(stream);
            await settled();
        };
    });
    window.settled = () => new Promise((resolve) => {  // once every promise that can go on has
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = resolve;
        port2.postMessage(0);
    });
    window.realPlay = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = async () => {};
    window.workers = [];
    window.Worker = class {
        constructor() { this.messages = []; workers.push(this); }
        postMessage(message) { this.messages.push(message); }
        terminate() { this.terminated = true; }
    };
    window.hear = (message) => workers.at(-1).onmessage({ data: message });
    window.face = (changes) => ({
        person: 1, box: { x: 1, y: 2, width: 30, height: 40, score: 0.9, landmarks: [] }, reasons: [],
        label: 3, sure: true, set: [3], probabilities: [0, 0, 0, 0.9, 0, 0, 0.1], ...changes,
    });
    window.faces = (...faces) => hear({
        kind: "faces", faces, timeS: (performance.now() - beganMs) / 1000, width: 640, height: 480, ms: 9,
    });
    window.show = async (changes) => {
        Object.assign(data, changes);
        const { default: show } = await import(modules + "view.js");
        return show({ data: { ...data }, parentElement: document.body, setTriggerValue: (...said) => sent.push(said) });
    };
    window.words = () => document.body.innerText;
    window.press = (label) =>
        [...document.querySelectorAll("button")].find((one) => one.textContent.startsWith(label)).click();
    window.started = async () => {
        window.beganMs = performance.now();
        window.end = await show();
        hear({ kind: "loaded", model: data.model, threads: 1 });
        press("Start the camera");
        await grant();
    };
"""


@pytest.fixture(scope="module")
def address():
    with served({}) as address:
        yield address


@pytest.fixture
def page(browser, address):
    page = browser.new_page()
    page.clock.install(time=0)
    page.goto(address)
    page.clock.pause_at(60)  # from here only tests move it
    page.set_content('<div class="live"></div>')
    data = {
        "modules": "",
        "constants": constants(),
        "runtime": {"module": "/module", "wasm": "/wasm"},
        "yunet": "/yunet",
        "model": {"id": "the model", "name": "compact", "url": "/model", "card": {}},
        "settings": {"smoothingS": 0.4, "mirror": True, "parts": [], "longSide": 320},
        "recording": None,
        "open": True,
    }
    page.evaluate(
        "given => Object.assign(window, given)", {"modules": assets.offer(component._modules()), "data": data}
    )
    page.add_script_tag(content=FAKES)
    yield page
    page.close()


LEAVE = {"the page": "window.end()", "the tab, recording": "show({ open: false })", "the button": "press('Stop')"}


@pytest.mark.parametrize("leave", [LEAVE["the page"], LEAVE["the tab, recording"]])
def test_a_camera_that_is_allowed_after_its_visitor_left_is_stopped(page, leave):
    page.evaluate("async () => { window.end = await show(); press('Start the camera'); }")
    page.evaluate(leave)
    page.evaluate("grant()")
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["ended"]
    assert page.evaluate("document.querySelector('video').srcObject") is None
    assert "Start the camera" in page.evaluate("words()") and "could not be started" not in page.evaluate("words()")


@pytest.mark.parametrize("leave", LEAVE.values())
def test_a_camera_whose_picture_is_still_awaited_can_be_stopped(page, leave):
    page.evaluate(
        """async () => {
            HTMLMediaElement.prototype.play = realPlay;
            window.end = await show();
            press('Start the camera');
            await grant();
        }"""
    )
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["live"]
    assert "Stop the camera" in page.evaluate("words()")
    page.evaluate(leave)
    page.evaluate("settled()")
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["ended"]
    assert "AbortError" not in page.evaluate("words()")


def test_a_model_that_fails_before_the_camera_opens_leaves_it_off(page):
    page.evaluate("async () => { await show(); press('Start the camera'); }")
    page.evaluate("hear({ kind: 'failed', what: 'files', words: 'a download failed' })")
    page.evaluate("grant()")
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["ended"]
    assert page.evaluate("sent") == [["unfit", "files"]]


def test_a_second_start_outlives_the_first(page):
    """The first prompt is answered after the second: one camera stays on, and it has its button."""
    page.evaluate(
        """async () => {
            await show();
            press('Start the camera');
            const first = grant;
            await show({ open: false });
            await show({ open: true });
            press('Start the camera');
            await grant();
            await first();
        }"""
    )
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["live", "ended"]
    assert "Stop the camera" in page.evaluate("words()")


def test_the_last_minute_empties_when_everyone_has_left(page):
    page.evaluate("async () => { await started(); faces(face()); }")
    page.clock.run_for(1500)
    page.evaluate("faces()")
    assert page.get_by_text("The last 60 s").is_visible()
    for _ in range(70):
        page.clock.fast_forward(1000)
        page.evaluate("faces()")
    assert not page.get_by_text("The last 60 s").is_visible()
    assert page.evaluate("document.querySelector('.who').textContent") == ""


NO_FRAMES = "No frames are arriving"


def test_a_stream_that_stalls_says_so_and_forgets_its_last_answer(page):
    page.evaluate("async () => { await started(); faces(face()); }")
    assert "Happy 90%" in page.evaluate("words()") and "frames per second" in page.evaluate("words()")
    page.clock.run_for(1900)
    assert "Happy 90%" in page.evaluate("words()") and NO_FRAMES not in page.evaluate("words()")
    page.clock.run_for(1100)
    said = page.evaluate("words()")
    assert NO_FRAMES in said and "No face found" in said
    assert "Happy" not in said.split("The last 60 s")[0] and "frames per second" not in said
    page.evaluate("faces(face())")
    assert "Happy 90%" in page.evaluate("words()") and NO_FRAMES not in page.evaluate("words()")


def test_frames_that_cannot_be_read_arrive_and_show_nobody(page):
    page.evaluate("async () => { await started(); faces(face()); }")
    for _ in range(5):
        page.clock.run_for(1000)
        page.evaluate("hear({ kind: 'failed', what: 'frame', words: '' })")
    said = page.evaluate("words()")
    assert "5 frames could not be read" in said and "No face found" in said
    assert NO_FRAMES not in said and "frames per second" not in said


def test_a_model_that_takes_long_to_load_is_no_stall(page):
    page.evaluate("async () => { await show(); press('Start'); await grant(); }")
    page.clock.run_for(5000)
    assert "Loading compact, once." in page.evaluate("words()") and NO_FRAMES not in page.evaluate("words()")


def test_a_hidden_tab_is_silent_without_a_fault(page):
    hide = "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden }); "
    hide += "document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate("async () => { await started(); faces(face()); }")
    page.evaluate(hide, True)
    page.clock.run_for(10_000)
    assert NO_FRAMES not in page.evaluate("words()") and "Paused" in page.evaluate("words()")
    page.evaluate(hide, False)
    page.clock.run_for(1100)
    assert NO_FRAMES not in page.evaluate("words()") and "Paused" not in page.evaluate("words()")


def test_a_worker_that_died_is_replaced_when_the_camera_starts_again(page):
    page.evaluate(
        """async () => {
            Object.defineProperty(HTMLVideoElement.prototype, "videoWidth", { get: () => 640 });
            window.createImageBitmap = async () => ({});
            await started();
            await settled();
        }"""
    )
    frames = "workers.map(({ messages }) => messages.filter(({ kind }) => kind === 'frame').length)"
    assert page.evaluate(frames) == [1]
    page.clock.run_for(4000)  # it does not answer
    assert NO_FRAMES in page.evaluate("words()")
    page.evaluate("async () => { press('Stop'); press('Start'); await grant(); await settled(); }")
    assert page.evaluate(frames) == [1, 1] and page.evaluate("workers[0].terminated")
    assert page.evaluate("workers[1].messages.map(({ kind }) => kind)") == ["canvas", "load", "frame"]
    assert page.locator("canvas[role=img]").count() == 2  # the picture and the last minute
    page.evaluate("async () => { faces(); press('Stop'); press('Start'); await grant(); await settled(); }")
    assert page.evaluate(frames) == [1, 2]  # one that answers stays


@pytest.mark.parametrize(
    ("pause_ms", "count", "rate"),
    [(4000, 3, "0 frames per second"), (1000, 8, "1 frames per second"), (125, 50, "8 frames per second")],
)
def test_the_frame_rate_counts_over_three_seconds(page, pause_ms, count, rate):
    """As Python's does: one frame every four seconds is no frame per second, not two."""
    page.evaluate("async () => { await started(); faces(face()); }")
    for _ in range(count):
        page.clock.fast_forward(pause_ms)
        page.evaluate("faces(face())")
    assert page.evaluate("document.querySelector('.panel .note').textContent").startswith(rate)


def test_a_model_that_loads_makes_up_for_one_that_did_not(page):
    page.evaluate("async () => { await show(); hear({ kind: 'failed', what: 'files', words: '' }); }")
    page.evaluate(
        "async () => { hear({ kind: 'loaded', model: data.model, threads: 1 }); press('Start'); await grant(); }"
    )
    assert page.evaluate("sent") == [] and "Stop the camera" in page.evaluate("words()")


def test_a_recording_is_judged_as_the_screen_was(page, monkeypatch):
    """At the threshold's edge, where four digits would say sure."""
    name, card = "compact", load("compact").card
    leading = math.nextafter(card.threshold, 0)
    probabilities = [leading, *[(1 - leading) / 6] * 6]
    page.evaluate("async () => { await started(); press('Record'); }")
    page.clock.run_for(1000)
    page.evaluate("given => faces(face({ label: 0, sure: false, probabilities: given }))", probabilities)
    page.evaluate("press('Stop recording')")
    monkeypatch.setattr(st, "session_state", {})
    state.cards.get()["the model"] = (name, card)
    for _, batch in page.evaluate("sent"):
        found = state.take(batch)
    (row,) = found.rows
    assert row.prediction.probabilities == tuple(probabilities) and row.prediction.answer == "not sure"
    assert found.done
