"""A visitor's way: open, upload, read the label, change the page, download."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect


def sideways(page) -> bool:
    return page.evaluate("""() => [document.documentElement, document.querySelector('[data-testid=stMain]')]
        .some(e => e && e.scrollWidth > e.clientWidth + 1)""")


def test_upload_a_photo_and_read_its_label(server, page, sample):
    page.goto(server)
    expect(page.get_by_role("heading", name="FER Studio", level=1)).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Predict").click()
    expect(page.get_by_role("heading", name="Predict", level=1)).to_be_visible()
    page.set_input_files("input[type=file]", [str(sample)])
    expect(page.get_by_role("heading", name="Happy")).to_be_visible()
    expect(page.get_by_alt_text("The photo with its faces marked: happy")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    with open(download.value.path()) as file:
        (row,) = json.load(file)
    assert row["path"] == "astronaut.jpg" and row["faces"][0]["expression"] == "happy"


@pytest.mark.parametrize("path", ["/", "/predict"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_scrolls_sideways(server, page, width, path):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(server + path)
    if path == "/predict":
        page.get_by_role("button", name="Grace Hopper").click()
        expect(page.get_by_role("heading", name="All faces")).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    assert not sideways(page)
