"""How soon Explain answers, on this machine: `python -m tests.browser.measure_explain [--rounds 3]`.

In headless Chromium, with a face from Predict: from the click on "Explain this face" to the first map, to the verdict
on it and to the end of all that the page does by itself; then how long another layer, another class and occlusion
take. Each round is another photo, after one that loads the models. Prints a row a round.
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

import tyro
from playwright.sync_api import Page, expect, sync_playwright

import fer
from fer.explanation.subject import explainer_for
from tests.browser.conftest import CHROMIUM, FLAGS, running_app
from tests.browser.test_explain import choose, settled
from tests.conftest import ROOT

PHOTOS = [ROOT / "fer" / "app" / "samples" / name for name in ("astronaut.jpg", "grace-hopper.jpg")]
TIMES = ("first map", "verdict", "all measured", "another layer", "another class", "occlusion")


def since(began: float) -> float:
    return time.monotonic() - began


def visit(page: Page, address: str, photo: Path, layers: list[str]) -> list[float]:
    """Seconds, in the order of TIMES."""
    page.goto(f"{address}/predict")
    page.set_input_files("input[type=file]", [str(photo)])
    button = page.get_by_role("button", name="Explain this face")
    button.wait_for()
    page.wait_for_timeout(3000)  # a visitor reads the answer
    began, found = time.monotonic(), []
    button.click()
    page.get_by_alt_text(re.compile("map for .*, large")).wait_for()
    found.append(since(began))
    page.get_by_text(re.compile("Can you trust this map")).wait_for()
    expect(page.get_by_text("Checking…")).to_have_count(0)
    found.append(since(began))
    settled(page)
    found.append(since(began))
    for label, option in (("Layer", layers[1]), ("Class", "sad"), ("Method", "Occlusion")):
        large = page.get_by_alt_text(re.compile("map for .*, large"))
        before = large.get_attribute("src")
        began = time.monotonic()
        choose(page, label, option)
        expect(large).not_to_have_attribute("src", before or "")
        found.append(since(began))
        settled(page)
    return found


def main(rounds: int = 2) -> None:
    """Measure.

    Args:
        rounds: Photos that are explained one after the other.
    """
    layers = list(explainer_for(fer.load()).layers)
    expect.set_options(timeout=120_000)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with running_app(FER_CACHE=f"{folder}/cache", FER_RUNS=f"{folder}/runs") as address:
            print(f"| photo | {' | '.join(TIMES)} |\n|---|{'---|' * len(TIMES)}")
            for number in range(rounds + 1):
                page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
                page.set_default_timeout(120_000)
                photo = PHOTOS[number % len(PHOTOS)]
                cells = " | ".join(f"{seconds:.1f} s" for seconds in visit(page, address, photo, layers))
                print(f"| {photo.stem}{', models cold' if number == 0 else ''} | {cells} |", flush=True)
                page.context.close()
        browser.close()


if __name__ == "__main__":
    tyro.cli(main)
