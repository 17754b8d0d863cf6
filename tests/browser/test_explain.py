"""A visitor's way through Explain: photo, grid, another layer and method, the mouth covered, the downloads."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import TimeoutError, expect

import fer
from fer.explanation.faithfulness import gray
from fer.explanation.methods import METHODS
from fer.explanation.regions import REGIONS
from fer.explanation.subject import explainer_for, subject
from fer.expressions import NAMES
from fer.vision.images import read_image
from fer.visualization import maps
from fer.visualization.maps import Look
from tests.browser.test_predict import sideways

SLOW = 90_000


def settled(page) -> None:
    """All rows are there, and what the chosen map is worth."""
    expect(page.get_by_role("img", name=re.compile("^Score-CAM, "))).to_have_count(7, timeout=SLOW)
    expect(page.get_by_text("Can you trust this map?")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Checking…")).to_have_count(0, timeout=SLOW)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0, timeout=SLOW)


def row(page, method: str) -> list[str]:
    """The pictures of one row of the grid."""
    return [
        page.get_by_role("img", name=f"{METHODS[method].label}, {name}", exact=True).get_attribute("src")
        for name in NAMES
    ]


def choose(page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def downloaded(page, label: str) -> bytes:
    """What a download button gives; asked for again where the page drew itself anew under the click."""
    for _ in range(6):
        try:
            with page.expect_download(timeout=15_000) as download:
                page.get_by_role("button", name=label).click()
        except TimeoutError:
            continue
        with open(download.value.path(), "rb") as file:
            return file.read()
    raise AssertionError(f"{label} gave no file")


def test_from_a_photo_to_the_grid_and_back(server, page, sample):
    page.goto(server + "/predict")
    page.set_input_files("input[type=file]", [str(sample)])
    page.get_by_role("button", name="Explain this face").click()
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    expect(page.get_by_text("predicted", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Grad-CAM, "))).to_have_count(7)
    before, layer = row(page, "grad_cam"), list(explainer_for(fer.load()).layers)[1]
    choose(page, "Layer", layer)
    expect(page).to_have_url(re.compile(f"layer={layer}"))
    choose(page, "Method", "Occlusion")
    expect(page.get_by_alt_text("Occlusion map for happy, large")).to_be_visible()
    grid = page.get_by_role("button", name="Occlusion, happy", exact=True)
    grid.focus()
    grid.press("ArrowRight")  # one tab stop; arrow keys go on from there
    expect(page.get_by_role("button", name="Occlusion, sad", exact=True)).to_be_focused()
    page.get_by_role("button", name="Guided backpropagation, surprise").click()  # a click makes it large
    expect(page.get_by_alt_text("Guided backpropagation map for surprise, large")).to_be_visible()
    expect(page).to_have_url(re.compile("class=surprise"))
    settled(page)
    for method in METHODS:
        assert len(set(row(page, method))) == 7, method  # seven columns that differ
    assert not set(row(page, "grad_cam")) & set(before)
    page.reload()  # the address reopens the map
    expect(page.get_by_alt_text("Guided backpropagation map for surprise, large")).to_be_visible()


@pytest.fixture
def astronaut(server, page, sample):
    """The page as it opens, and the same face by the engine."""
    page.goto(server + "/explain")
    recognizer = fer.load()
    image_rgb = read_image(sample)
    return subject(recognizer, image_rgb, recognizer.predict(image_rgb)[0])


def test_a_dragged_cover_moves_the_bars_as_the_engine_computes(page, astronaut):
    size, k = astronaut.size, NAMES.index("happy")

    def computed(mask: np.ndarray) -> float:
        return 100 * astronaut.probabilities(gray(astronaut.batch.numpy(), mask[None]))[0][k]

    def expect_shown(mask: np.ndarray) -> None:
        near = "|".join(str(round(computed(mask)) + step) for step in (-1, 0, 1))
        bar = page.get_by_role("img", name=re.compile(rf"^happy ({near})% "))
        expect(bar).to_be_visible()

    page.get_by_role("button", name="Stop", exact=True).click()  # the other maps are not what this is about
    expect(page.get_by_role("button", name="Continue", exact=True)).to_be_visible()
    nothing = np.zeros((size, size), bool)
    expect_shown(astronaut.regions == REGIONS.index("mouth"))  # the page opens with the mouth covered
    page.get_by_role("button", name="mouth", exact=True).click()
    expect_shown(nothing)
    face = page.get_by_role("group", name=re.compile("^The face. Drag"))
    box = face.bounding_box()
    pixel = box["width"] / size

    def at(x: int, y: int) -> tuple[float, float]:
        return box["x"] + (x + 0.5) * pixel, box["y"] + (y + 0.5) * pixel

    page.mouse.move(*at(10, 26))
    page.mouse.down()
    page.mouse.move(*at(22, 34), steps=4)
    page.mouse.move(*at(33, 40), steps=4)
    page.mouse.up()
    dragged = nothing.copy()
    dragged[26:41, 10:34] = True
    assert abs(computed(dragged) - computed(nothing)) > 5  # the two can be told apart
    expect_shown(dragged)
    face.press("ArrowUp")
    expect_shown(np.roll(dragged, -1, 0))
    page.get_by_role("button", name="Undo", exact=True).click()
    expect_shown(nothing)
    page.get_by_role("button", name="Find the smallest patch that changes the answer").click()
    expect(
        page.get_by_text(re.compile("enough: with .* covered, the answer is|Covering up to half of the face"))
    ).to_be_visible(timeout=SLOW)


def test_the_downloaded_grid_is_the_downloaded_maps(page, astronaut):
    page.get_by_text("Map alone", exact=True).click()
    settled(page)
    numbers = json.loads(downloaded(page, "Download JSON"))
    assert numbers["opacity"] is None and len(numbers["methods"]) == len(METHODS)
    grid = np.asarray(Image.open(io.BytesIO(downloaded(page, "Download PNG"))).convert("RGB"))
    assert downloaded(page, "Download SVG").count(b"<image ") == 7 * len(METHODS)
    with np.load(io.BytesIO(downloaded(page, "Download NPZ")), allow_pickle=False) as file:
        found = {key: file[key] for key in file}
    assert set(found) == set(numbers["grid"]) == {f"{method}/{name}" for method in METHODS for name in NAMES}
    for method in METHODS:
        whole = np.stack([found[f"{method}/{name}"] for name in NAMES])
        tiles = maps.tiles(whole, method, np.zeros((8, 8, 3), np.uint8), Look(alone=True))
        for name, tile in zip(NAMES, tiles, strict=True):
            x, y, width, height = numbers["grid"][f"{method}/{name}"]
            assert np.array_equal(grid[y : y + height, x : x + width], tile), (method, name)
    x, y, width, height = numbers["grid"]["grad_cam/happy"]
    light = grid[y : y + height, x : x + width].astype(float) @ [0.299, 0.587, 0.114]  # more evidence is lighter
    assert np.corrcoef(light[2::4, 2::4].ravel(), found["grad_cam/happy"].ravel())[0, 1] > 0.9


@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_scrolls_sideways(server, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(server + "/explain")
    settled(page)
    assert not sideways(page)
