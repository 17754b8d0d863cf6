"""A visitor's way through a group photo: by mouse, by keys, by name, by the table's rows, and on to Explain."""

from __future__ import annotations

import re

import cv2
import numpy as np
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from fer.vision.images import read_image
from tests.browser.test_accessibility import COLORS, GROUND, found_by_axe
from tests.browser.test_predict import sideways
from tests.conftest import ROOT

CHART_INK = {"light": "rgb(70, 74, 91)", "dark": "rgb(201, 205, 219)"}  # of .streamlit/config.toml


def group_photo() -> bytes:
    """Three faces from left to right, of three sizes: the middle one is the largest, the right one the smallest."""
    astronaut, hopper = (read_image(ROOT / "fer/app/samples" / f"{name}.jpg") for name in ("astronaut", "grace-hopper"))
    portraits = [(hopper[:512, :512], 0.4), (astronaut[:512, :512], 1.0), (astronaut[:512, 511::-1], 0.5)]
    canvas = np.full((512, 1000, 3), 128, np.uint8)
    left = 0
    for portrait, scale in portraits:
        small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas[: len(small), left : left + small.shape[1]] = small
        left += small.shape[1] + 10
    return cv2.imencode(".png", canvas[:, :, ::-1])[1].tobytes()


class Faces:
    """What a page shows of the selected face."""

    def __init__(self, page) -> None:
        self.page = page
        self.picture = page.get_by_role("radiogroup", name="Faces in the photo")
        self.table = page.get_by_role("table", name="All faces")
        self.names = page.get_by_role("radiogroup", name="3 faces", exact=True)

    def on_picture(self, number: int):
        return self.picture.get_by_role("radio", name=re.compile(f"^Face {number}: "))

    def by_name(self, number: int):
        return self.names.get_by_role("radio", name=re.compile(f"^{number} "))

    def expect_selected(self, number: int) -> str:
        """In the picture, by name, in the table and in words; returns what the picture says of it."""
        expect(self.on_picture(number)).to_be_checked()
        expect(self.by_name(number)).to_be_checked()
        expect(self.row(number)).to_have_attribute("aria-pressed", "true")
        expect(self.table.locator("button[aria-pressed=true]")).to_have_count(1)
        label = self.on_picture(number).get_attribute("aria-label").partition(": ")[2]
        expect(self.page.get_by_role("heading", level=2).first).to_have_text(label.capitalize())
        return label

    def row(self, number: int):
        return self.table.get_by_role("button", name=f"Face {number}")


def test_a_face_is_chosen_on_the_photo_by_keys_by_name_and_in_the_table_and_explained(server, page):
    page.goto(server + "/predict")
    page.set_input_files("input[type=file]", [{"name": "group.png", "mimeType": "image/png", "buffer": group_photo()}])
    faces = Faces(page)
    expect(page.get_by_role("button", name="Download JSON", exact=True)).to_be_visible()  # the page's last element
    expect(faces.picture.get_by_role("radio")).to_have_count(3)
    places = [faces.on_picture(number).bounding_box()["x"] for number in (2, 1, 3)]
    assert places == sorted(places)  # 2 1 3, from left to right
    faces.expect_selected(1)

    faces.on_picture(3).click()
    faces.expect_selected(3)
    faces.picture.get_by_text("2", exact=True).click()  # its dot
    faces.expect_selected(2)

    expect(faces.on_picture(2)).to_be_focused()
    page.keyboard.press("ArrowRight")
    faces.expect_selected(1)
    expect(faces.on_picture(1)).to_be_focused()  # still, after the page has run
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # there is none further right
    faces.expect_selected(3)
    page.keyboard.press("Home")
    faces.expect_selected(1)
    assert faces.picture.get_by_role("radio").evaluate_all("all => all.map(one => one.tabIndex)") == [0, -1, -1]

    faces.by_name(2).click()
    faces.expect_selected(2)
    faces.table.get_by_role("row").nth(3).get_by_text("ok").click()  # at any cell
    faces.expect_selected(3)
    faces.row(1).focus()
    page.keyboard.press("Enter")
    faces.expect_selected(1)
    expect(faces.row(1)).to_be_focused()  # still, after the page has run
    faces.table.get_by_role("row").nth(3).get_by_text("ok").click()  # at the same cell again
    told = faces.expect_selected(3)

    page.evaluate(AXE_SCRIPT)
    for scheme, width in (("light", 1280), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", GROUND[scheme])
        page.wait_for_timeout(700)  # colors fade over
        expect(page.locator(".js-plotly-plot .ytick text").first).to_have_css("fill", CHART_INK[scheme])
        assert not found_by_axe(page, COLORS if scheme == "light" else None)
        assert not sideways(page)

    page.get_by_role("button", name="Explain this face").click()
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    expect(faces.on_picture(3)).to_be_checked()
    expect(page.get_by_role("heading", level=2).first).to_have_text(told.capitalize())
    faces.on_picture(2).click()
    told = faces.on_picture(2).get_attribute("aria-label").partition(": ")[2]
    expect(faces.by_name(2)).to_be_checked()
    expect(page.get_by_role("heading", level=2).first).to_have_text(told.capitalize())
