"""Nothing that a visitor did is lost: photos over page changes, faces over a reload, and Home, where all begins."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from fer.limits import MB
from tests.conftest import ROOT

PASTE = """async ([bytes, into]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], 'image.png', {type: 'image/jpeg'}));
    const where = into ? document.querySelector(into) : document.body;
    const event = into?.startsWith('[data-testid=stMain') ? new DragEvent('drop', {dataTransfer: data, bubbles: true,
        cancelable: true}) : new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true,
        composed: true});
    where.dispatchEvent(event);
    return event.defaultPrevented;
}"""


def open_page(page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name="FER Studio" if name == "Home" else name, level=1)).to_be_visible()


def removal(page, name: str):
    return page.get_by_role("button", name=f"Remove {name}")


def test_photos_stay_and_faces_reopen(server, page, sample, tmp_path):
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(31 * MB))
    page.goto(server)
    expect(page.get_by_alt_text("The photo with its faces marked: happy")).to_be_visible()  # a sample's
    page.set_input_files("input[type=file]", [str(ROOT / "fer/app/samples/joe-biden.jpg"), str(sample)])
    expect(page.get_by_role("heading", name="Predict", level=1)).to_be_visible()  # several open there
    expect(removal(page, "joe-biden.jpg")).to_be_visible()
    page.get_by_role("button", name="Remove all").click()
    expect(page.get_by_role("heading", name="All faces")).to_have_count(0)

    own = {"name": "own photo.jpg", "mimeType": "image/jpeg", "buffer": sample.read_bytes() + b"own"}
    open_page(page, "Home")
    page.set_input_files("input[type=file]", [own])  # one is answered in place
    expect(page.get_by_role("button", name="Remove this photo")).to_be_visible()
    expect(page.get_by_role("heading", name="Happy")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    for part in (page.get_by_role("heading", name="Happy"), page.get_by_alt_text(re.compile("faces marked: happy"))):
        expect(part).to_be_in_viewport(ratio=0.5)
    page.set_viewport_size({"width": 1280, "height": 900})

    open_page(page, "Predict")
    expect(removal(page, "own photo.jpg")).to_be_visible()
    page.get_by_role("button", name="Explain this face").click()
    expect(page).to_have_url(re.compile(r"/explain\?photo=upload$"))  # no name of it
    page.get_by_role("button", name="Back to this photo in Predict").click()
    expect(page.get_by_role("heading", name="Predict", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="Happy")).to_be_visible()
    page.get_by_role("button", name="Add photos").click()
    page.set_input_files("input[type=file]", [str(large), str(ROOT / "fer/app/samples/joe-biden.jpg")])
    expect(removal(page, "joe-biden.jpg")).to_be_visible()
    expect(page.get_by_text("large.jpg is 31.0 MB; the limit is 30 MB")).to_be_visible()
    expect(page.get_by_text("Choose, drop or paste photos, up to 30 MB each")).to_have_count(0)  # the popover is closed
    page.get_by_role("button", name="Remove all").click()
    expect(page.get_by_role("heading", name="Happy")).to_have_count(0)
    expect(page.get_by_text("large.jpg")).to_have_count(0)

    page.get_by_role("button", name="Joe Biden").click()
    page.get_by_role("button", name="Explain this face").click()
    expect(page).to_have_url(re.compile(r"/explain\?sample=joe-biden$"))
    page.reload()
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    expect(page.get_by_alt_text(re.compile("map for neutral, large"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"/explain\?sample=joe-biden$"))

    page.get_by_text("Explain another face").click()
    page.set_input_files("input[type=file]", [own])
    expect(page).to_have_url(re.compile(r"/explain\?photo=upload$"))
    expect(page.get_by_alt_text(re.compile("map for happy, large"))).to_be_visible()
    page.reload()
    expect(page.get_by_text("Reloading ended that session")).to_be_visible()
    expect(page.get_by_alt_text(re.compile("map for happy, large"))).to_be_visible()  # a sample's


def test_a_photo_can_be_pasted_or_dropped_anywhere_and_samples_clicked(server, page):
    page.goto(server)
    expect(page.get_by_role("button", name="Grace Hopper")).to_be_visible()
    page.get_by_role("button", name="Grace Hopper").click()
    expect(page.get_by_alt_text(re.compile("^The photo with its faces marked: (not sure|neutral)$"))).to_be_visible()
    data = list((ROOT / "fer/app/samples/four-portraits.jpg").read_bytes())
    assert not page.evaluate(PASTE, [data, "input[role=combobox]"])  # a field keeps what is pasted into it
    assert page.evaluate(PASTE, [data, None])
    expect(page.get_by_text("Click a face, or see all 4 in Predict")).to_be_visible()
    page.get_by_role("button", name="Remove this photo").click()
    expect(page.get_by_alt_text(re.compile("^The photo with its faces marked: (not sure|neutral)$"))).to_be_visible()
    assert page.evaluate(PASTE, [data, "[data-testid=stMain]"])  # the browser does not leave the page for it
    expect(page.get_by_text("Click a face, or see all 4 in Predict")).to_be_visible()
