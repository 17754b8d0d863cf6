"""Take the documentation's pictures anew: `python -m tests.browser.screenshots` writes docs/screenshots/*.jpg.

Needs Chromium, YuNet (FER_SHARED) and onnxruntime-web (tests/browser/node_modules). It takes a few minutes.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fer.app.layout import accuracy_line
from fer.app.model_choice import ShippedModel
from tests.browser.camera import STREAM_FLAGS
from tests.browser.conftest import CHROMIUM, FLAGS, running_app
from tests.browser.in_browser import DIST
from tests.browser.measure_live import serve, write_camera
from tests.browser.test_explain import settled
from tests.conftest import ROOT, YUNET

FOLDER = ROOT / "docs" / "screenshots"
PORTRAITS = ROOT / "fer" / "app" / "samples" / "four-portraits.jpg"


def save(name: str, picture: bytes) -> None:
    Image.open(io.BytesIO(picture)).convert("RGB").save(FOLDER / f"{name}.jpg", quality=82, optimize=True)
    print(name, flush=True)


@contextmanager
def opened(browser: Browser, address: str, width: int = 1280, height: int = 900) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    yield page
    context.close()


def at_rest(page: Page) -> None:
    """Wait until the page's script has ended and its charts have been drawn."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(state="attached")
    page.wait_for_timeout(2500)


def shoot(page: Page, name: str) -> None:
    at_rest(page)
    save(name, page.screenshot())


def pages(browser: Browser, address: str) -> None:
    with opened(browser, address, height=860) as page:
        page.get_by_alt_text(re.compile("faces marked")).wait_for()
        shoot(page, "home")
    with opened(browser, f"{address}/predict", height=980) as page:
        page.set_input_files("input[type=file]", [str(PORTRAITS)])
        page.get_by_alt_text(re.compile("faces marked")).wait_for()
        page.get_by_text(re.compile("slightly changed copies")).first.wait_for()
        shoot(page, "predict")
    with opened(browser, f"{address}/explain", height=1500) as page:
        settled(page)
        shoot(page, "explain")
    with opened(browser, f"{address}/evaluate", height=1080) as page:
        page.get_by_test_id("stPlotlyChart").nth(1).wait_for()
        shoot(page, "evaluate")
        picker = page.get_by_test_id("stSidebar").get_by_role("combobox").first
        picker.click()
        page.get_by_role("option", name="mini-xception", exact=True).click()
        page.get_by_text(accuracy_line(ShippedModel("mini_xception"))).wait_for()
        at_rest(page)
        charts = page.get_by_test_id("stPlotlyChart")
        save("confusion", charts.nth(0).screenshot())
        save("reliability", charts.nth(1).screenshot())
    with opened(browser, f"{address}/training", height=1300) as page:
        page.get_by_role("button", name="Start training").click()
        badge = page.get_by_test_id("stMarkdown").filter(has_text=re.compile("finished$"))
        expect(badge.first).to_be_visible(timeout=300_000)
        shoot(page, "training")


def live(browser: Browser, address: str, name: str, width: int = 1280) -> None:
    with opened(browser, f"{address}/predict?view=live", width) as page:
        page.get_by_role("button", name="Start the camera").click()
        page.get_by_role("heading", name=re.compile("Happy")).first.wait_for()
        page.wait_for_timeout(12_000)  # some of the last minute's timeline
        save(name, page.screenshot())


def main() -> None:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        write_camera(folder / "camera.y4m")
        camera = f"--use-file-for-fake-video-capture={folder / 'camera.y4m'}"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *STREAM_FLAGS, camera])
        settings = {"FER_YUNET": str(YUNET), "FER_ORT_WEB": str(DIST), "FER_CACHE": f"{folder}/cache"}
        with running_app(FER_RUNS=f"{folder}/runs", **settings) as address:
            pages(browser, address)
        process, address, _ = serve(folder, False, FER_ORT_WEB=str(DIST))  # WebRTC on loopback
        try:
            live(browser, address, "live")
        finally:
            process.terminate()
            process.wait(20)
        with running_app(FER_RUNS=f"{folder}/hosted", FER_HOSTED="1", **settings) as address:
            live(browser, address, "live-in-browser")
            live(browser, address, "live-in-browser-390", width=390)
        browser.close()


if __name__ == "__main__":
    main()
