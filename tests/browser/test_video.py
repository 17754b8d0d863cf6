"""A video in the browser: put in, read, played, annotated, downloaded; and one that is none."""

from __future__ import annotations

import json
import re

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from fer.vision.video import VideoWriter, frames
from tests.browser.test_accessibility import GROUND, found_by_axe
from tests.browser.test_predict import sideways
from tests.inference.test_video import portrait


def test_a_video_is_read_played_annotated_and_downloaded(server, page, tmp_path):
    with VideoWriter(tmp_path / "holiday.mp4", 320, 240, 10) as writer:
        for index in range(20):
            writer.write(portrait("astronaut.jpg"), index / 10)
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{server}/predict?view=video")
    expect(page.get_by_role("tab", name="Video")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("Get the video back")).to_be_visible()  # else the last uploader is that for photos
    page.locator("input[type=file]").last.set_input_files(str(tmp_path / "holiday.mp4"))
    expect(page.get_by_role("heading", name="Strongest moments")).to_be_visible()
    expect(page.get_by_text("faces read in 20 of 20 frames")).to_be_visible()
    timeline = page.get_by_role("slider", name="Moment of the video")
    wait_for_video(page, "video.videoWidth === 320 && video.duration > 1.5")  # the browser decodes it
    assert not sideways(page)

    annotate(page, timeline)
    page.evaluate(AXE_SCRIPT)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", GROUND[scheme])
        page.wait_for_timeout(700)  # colors fade over
        assert not found_by_axe(page)
    page.set_viewport_size({"width": 1280, "height": 900})  # where the sidebar is beside the page, not over it
    page.get_by_test_id("stSidebar").get_by_role("link", name="Home").click()  # what was noted stays
    expect(page.get_by_role("heading", name="FER Studio", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Name of person 1")).to_have_value("Ada")
    page.get_by_role("button", name="Jump to she laughs, 0:00.5").click()
    wait_for_video(page, "Math.abs(video.currentTime - 0.5) < 0.05")
    assert page.locator("video").count() == 1

    with page.expect_download() as download:
        page.get_by_role("button", name="Annotated video").click()
    assert len(list(frames(download.value.path()))) == 20
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").click()
    with open(download.value.path()) as file:
        told = json.load(file)
    assert {row["expression"] for row in told["rows"]} == {"happy"}
    assert told["names"] == {"1": "Ada"} and told["events"] == [{"time_s": 0.5, "name": "she laughs"}]

    (tmp_path / "text.mp4").write_text("I am no video.")
    page.get_by_role("button", name="Choose another video").click()
    page.locator("input[type=file]").last.set_input_files(str(tmp_path / "text.mp4"))
    expect(page.get_by_text("This is not a video in a supported format")).to_be_visible()


def annotate(page, timeline) -> None:
    """Jump, play, mark and name, by mouse and keys: `she laughs` at 0.5 s, and Ada."""
    timeline.click(position={"x": timeline.bounding_box()["width"] * 0.75, "y": 10})
    wait_for_video(page, "Math.abs(video.currentTime - 1.5) < 0.15 && !video.seeking && video.readyState >= 2")
    expect(timeline).to_have_attribute("aria-valuetext", re.compile(r"0:01\.\d of 0:02\.0\. Person 1: happy"))
    timeline.press("Home")
    wait_for_video(page, "video.currentTime === 0")
    timeline.press("ArrowRight")
    wait_for_video(page, "Math.abs(video.currentTime - 0.5) < 0.05")
    timeline.press("m")
    mark = page.get_by_label("Name of the mark at 0:00.5")
    mark.fill("she laughs")
    mark.press("Enter")
    timeline.press("Space")
    wait_for_video(page, "video.currentTime > 0.6")  # it plays, and the playhead goes along
    expect(timeline).not_to_have_attribute("aria-valuenow", "0.5")
    page.get_by_role("button", name="Mark this moment").click()
    page.get_by_role("button", name=re.compile("Delete Mark 1")).click()
    name = page.get_by_label("Name of person 1")
    name.fill("Ada")
    name.press("Enter")


def wait_for_video(page, condition: str) -> None:
    """Wait until that is true of the viewer's `video`, which is in a shadow tree."""
    page.locator("video").wait_for()
    handle = page.locator("video").element_handle()
    page.wait_for_function(f"video => {condition}", arg=handle)
