"""From a model to its confusion matrix, a face of a cell in Explain and back, and the report without network."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


@pytest.fixture
def evaluated(server, page, small_csv):
    page.goto(f"{server}/evaluate")
    expect(page.get_by_role("heading", name="Published results")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("combobox").first.click()
    page.get_by_role("option", name="compact").click()
    expect(page.get_by_text("accuracy on FER2013")).to_be_visible()
    page.get_by_text("A path on this server", exact=True).click()
    box = page.get_by_label("Path of fer2013.csv")
    box.fill(str(small_csv))
    box.press("Enter")
    expect(page.get_by_role("heading", name="compact on 28 faces")).to_be_visible()
    return page


def test_a_cell_opens_a_face_in_explain_and_the_report_is_still_there_on_return(evaluated):
    page = evaluated
    page.get_by_text("Confusion", exact=True).click()
    expect(page.get_by_text("Click a cell, or choose one")).to_be_visible()
    chart = page.get_by_test_id("stPlotlyChart").locator(".main-svg").first
    expect(chart).to_be_visible()
    page.wait_for_timeout(1500)
    cells = page.evaluate("""() => { const plot = document.querySelector('.js-plotly-plot');
        const box = plot.querySelector('.nsewdrag').getBoundingClientRect();
        return plot.layout.annotations.flatMap((note, at) => note.text === '0' ? [] : [{truth: note.y,
            predicted: note.x, x: box.x + box.width * (at % 7 + .5) / 7,
            y: box.y + box.height * (Math.floor(at / 7) + .5) / 7}]) }""")
    page.mouse.move(cells[0]["x"], cells[0]["y"])
    page.mouse.click(cells[0]["x"], cells[0]["y"])
    shown = page.get_by_text(f"labeled {cells[0]['truth']}, predicted {cells[0]['predicted']}")
    expect(shown).to_be_visible()
    page.get_by_role("button", name="Explain").first.click()
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    expect(page.get_by_text(f"Labeled {cells[0]['truth']}")).to_be_visible()
    page.get_by_role("link", name="Back to the evaluation").click()
    expect(page.get_by_role("heading", name="compact on 28 faces")).to_be_visible()
    expect(page.get_by_role("radio", name="Confusion")).to_be_checked()
    expect(shown).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Predict").click()
    expect(page.get_by_role("heading", name="Predict", level=1)).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Evaluate").click()
    expect(shown).to_be_visible()
    page.reload()  # another session: the address has the path
    expect(page.get_by_role("heading", name="compact on 28 faces")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 900})
    table = page.get_by_role("table", name="Precision, recall and F1 of each class")
    expect(table.get_by_role("row")).to_have_count(8)  # cards are rows to a screen reader, too
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert table.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")


def test_the_report_opens_without_network(evaluated, browser, tmp_path):
    with evaluated.expect_download() as download:
        evaluated.get_by_role("button", name="Download report").click()
    path = tmp_path / "report.html"
    download.value.save_as(path)
    context = browser.new_context(offline=True)
    report = context.new_page()
    failures = []
    report.on("requestfailed", lambda request: failures.append(request.url))
    report.goto(path.as_uri())
    expect(report.get_by_role("heading", name="Evaluation")).to_be_visible()
    expect(report.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    assert report.locator(".js-plotly-plot").count() >= 7 and not failures
    context.close()
