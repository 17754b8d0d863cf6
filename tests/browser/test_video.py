"""A video in the browser: put in, read, played, downloaded; and one that is none."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from fer.vision.video import VideoWriter, frames
from tests.browser.test_predict import sideways
from tests.inference.test_video import portrait


def test_a_video_is_read_played_and_downloaded(server, page, tmp_path):
    with VideoWriter(tmp_path / "holiday.mp4", 320, 240, 10) as writer:
        for index in range(20):
            writer.write(portrait("astronaut.jpg"), index / 10)
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{server}/predict?view=video")
    expect(page.get_by_role("tab", name="Video")).to_have_attribute("aria-selected", "true")
    page.locator("input[type=file]").last.set_input_files(str(tmp_path / "holiday.mp4"))
    expect(page.get_by_role("heading", name="Strongest moments")).to_be_visible()
    expect(page.get_by_text("20 frames, faces read 20 times")).to_be_visible()
    page.wait_for_function("document.querySelector('video')?.videoWidth === 320")  # the browser decodes it
    assert page.evaluate("document.querySelector('video').duration") > 1.5
    assert not sideways(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Annotated video").click()
    assert len(list(frames(download.value.path()))) == 20
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    with open(download.value.path()) as file:
        rows = json.load(file)["rows"]
    assert {row["expression"] for row in rows} == {"happy"}

    (tmp_path / "text.mp4").write_text("I am no video.")
    page.locator("input[type=file]").last.set_input_files(str(tmp_path / "text.mp4"))
    expect(page.get_by_text("This is not a video that can be read")).to_be_visible()
