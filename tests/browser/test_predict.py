"""A visitor's way: open, upload, read the label, change the page, download."""

from __future__ import annotations

import csv
import io
import json

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from fer.records import set_words
from fer.vision.images import read_image
from fer.wording import percent
from tests.browser.conftest import running
from tests.serving import free_port


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
        page.get_by_role("button", name="Download JSON").click()
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


@pytest.mark.parametrize("width", [1280, 390])
def test_the_answer_is_there_while_the_rest_is_made_and_nothing_moves_then(browser, tmp_path, width):
    go, port = tmp_path / "go", free_port()
    with running(
        ["-m", "tests.browser.held_app", str(port), str(go)],
        port,
        FER_CACHE=str(tmp_path / "cache"),
        FER_RUNS=str(tmp_path / "runs"),
    ) as address:
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.goto(address + "/predict")
        page.get_by_role("button", name="Eileen Collins").click()
        expect(page.get_by_role("heading", name="Happy")).to_be_visible()
        expect(page.get_by_alt_text("The photo with its faces marked: happy")).to_be_visible()
        expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
        explain = page.get_by_role("button", name="Explain this face")
        steps = page.get_by_alt_text("The face, step: Standardized, to come")
        expect(steps).to_be_visible()
        expect(page.get_by_role("heading", name="All faces")).to_have_count(0)
        expect(page.get_by_role("button", name="Download CSV")).to_have_count(0)
        before = places(explain, steps)
        go.touch()
        expect(page.get_by_role("heading", name="All faces")).to_be_visible()
        expect(page.get_by_text("slightly changed copies")).to_be_visible()
        made = page.get_by_alt_text("The face, step: Standardized", exact=True)
        expect(made).to_be_visible()
        assert places(explain, made) == before
        context.close()


def places(*parts) -> list[tuple[int, int]]:
    """Where they stand on the page, wherever it is scrolled to, to 4 pixels."""
    return [
        tuple(
            part.evaluate("""e => { const box = e.getBoundingClientRect();
        const main = document.querySelector('[data-testid=stMain]');
        return [Math.round(box.left / 4), Math.round((box.top + main.scrollTop) / 4)]; }""")
        )
        for part in parts
    ]


def test_photo_table_csv_and_json_tell_the_same_of_a_face(server, page, sample, tmp_path):
    """One face that is whole, and the same one cut by the frame."""
    image_rgb = read_image(sample)
    cut = tmp_path / "cut.png"
    cut.write_bytes(cv2.imencode(".png", np.ascontiguousarray(image_rgb[:, 215:, ::-1]))[1].tobytes())
    page.goto(server + "/predict")
    page.set_input_files("input[type=file]", [str(sample), str(cut)])
    expect(page.get_by_role("heading", name="All faces")).to_be_visible()
    expect(page.get_by_text("slightly changed copies")).to_have_count(2)
    texts = {}
    for kind in ("CSV", "JSON"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Download {kind}", exact=True).click()
        texts[kind] = download.value.path().read_text(encoding="utf-8")
    rows = page.get_by_role("table", name="All faces").get_by_role("row").all()
    columns, *cells = [row.locator("th, td").all_inner_texts() for row in rows]
    table = [dict(zip(columns, values)) for values in cells]
    lines = list(csv.DictReader(io.StringIO(texts["CSV"])))
    faces = [photo["faces"][0] for photo in json.loads(texts["JSON"])]
    assert [row["answer"] for row in lines] == ["happy", "not sure"] and len(table) == len(faces) == 2
    for shown, line, face in zip(table, lines, faces):
        assert shown["answer"] == line["answer"] == face["answer"]
        assert line["expression"] == face["expression"] == "happy"
        assert shown["best guess"] == f"happy {percent(face['confidence'])}"
        assert line["sure"] == str(face["sure"]) == str(face["answer"] != "not sure")
        assert float(line["confidence"]) == face["confidence"] == max(face["probabilities"].values())
        assert line["set"].split("|") == face["set"] and shown["set"] == set_words(face["set"])
        assert float(line["stability"]) == face["stability"]
        expect(page.get_by_role("heading", name=face["answer"].capitalize())).to_be_visible()
        label = page.get_by_alt_text(f"The photo with its faces marked: {face['answer']}")
        assert label.count() == 1 and (face["quality"]["ok"] or "cut off by the frame" in label.get_attribute("alt"))
