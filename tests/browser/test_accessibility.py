"""Every page by axe, light and dark, wide and narrow, and the hosts that it asks; and Predict by keyboard alone."""

from __future__ import annotations

import re
import subprocess
import sys
from threading import Event

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.browser.conftest import running_app
from tests.browser.test_explain import settled
from tests.conftest import ROOT

COLORS = ["color-contrast"]  # the one rule whose answer the scheme changes
LOOKS = (("light", 1280, None), ("dark", 1280, COLORS), ("dark", 390, None), ("light", 390, COLORS))
GROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 20, 28)"}  # .streamlit/config.toml


@pytest.fixture(scope="module")
def finished_run(runs):
    """A short run on synthetic faces in the server's folder."""
    out = runs / "short"
    command = [
        sys.executable,
        "-m",
        "fer",
        "train",
        "--data",
        "synthetic",
        "--epochs",
        "2",
        "--limit",
        "140",
        "--batch-size",
        "32",
        "--threads",
        "1",
        "--out",
        str(out),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def demo(tmp_path_factory, runs):
    """The address of the app in hosted mode."""
    with running_app(FER_CACHE=str(tmp_path_factory.mktemp("demo")), FER_RUNS=str(runs), FER_HOSTED="1") as address:
        yield address


def home(page, _run) -> None:
    expect(page.get_by_role("heading", name="How good is it?")).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    page.get_by_text("Limits and the law").click()
    expect(page.get_by_text("Artificial Intelligence Act")).to_be_visible()


def predict(page, _run) -> None:
    page.get_by_role("button", name="Grace Hopper").click()
    expect(page.get_by_role("heading", name="All faces")).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()


def predict_view(words: str):
    return lambda page, _run: expect(page.get_by_text(words).first).to_be_visible()


def explain(page, _run) -> None:
    settled(page)


def training_run(page, _run) -> None:
    expect(page.get_by_text("After epoch 2:")).to_be_visible()
    page.get_by_text("Download, rename, delete, settings").click()
    expect(page.get_by_role("button", name="Weights")).to_be_visible()


def training_form(page, _run) -> None:
    page.get_by_role("button", name="New run").click()
    expect(page.get_by_role("heading", name="What is in this data?")).to_be_visible()
    expect(page.get_by_alt_text(re.compile("labeled neutral"))).to_be_visible()
    page.get_by_text("More settings").click()
    expect(page.get_by_text("About", exact=False).first).to_be_visible()


def training_comparison(page, _run) -> None:
    page.get_by_role("button", name="Compare runs").click()
    expect(page.get_by_text("Runs in the chart")).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()


def evaluate_card(page, _run) -> None:
    expect(page.get_by_text("Choose data above to see its mistakes")).to_be_visible()


def evaluate_synthetic(page, _run) -> None:
    page.get_by_text("Synthetic faces", exact=True).click()
    expect(page.get_by_role("button", name="Download report")).to_be_visible()


PAGES = {
    "home": ("/", home),
    "predict photos": ("/predict", predict),
    "predict camera": ("/predict?view=camera", predict_view("Allow the camera when your browser asks. This server")),
    "predict live": ("/predict?view=live", predict_view("Allow the camera when your browser asks, and watch")),
    "predict video": ("/predict?view=video", predict_view("Get the video back")),
    "explain": ("/explain", explain),
    "training run": ("/training?run=short", training_run),
    "training form": ("/training?run=short", training_form),
    "training comparison": ("/training?run=short", training_comparison),
    "evaluate card": ("/evaluate", evaluate_card),
    "evaluate synthetic faces": ("/evaluate", evaluate_synthetic),
}


def found_by_axe(page, rules: list[str] | None = None) -> list[str]:
    """What axe calls serious or critical, by all its rules or by some: rule, place, and why."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    found = page.evaluate("options => axe.run(document, options)", options)
    assert found["passes"], "axe has checked nothing"
    return [
        f"{rule['id']} ({rule['impact']}) {node['target']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_and_no_other_host_is_asked(server, page, finished_run, name):
    path, ready = PAGES[name]
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server + path)
    ready(page, finished_run)
    # A browser without a window fetches no icon: where it would is asked of the page.
    asked += page.locator("link[rel~=icon]").evaluate_all("links => links.map(link => link.href)")
    hosts = {url.split("/")[2] for url in asked if url.startswith(("http", "ws"))}
    assert hosts == {server.partition("//")[2]}
    expect(page.locator("[data-stale=true]")).to_have_count(0)  # what fades while a page is drawn anew is faint
    page.evaluate(AXE_SCRIPT)
    found = {}
    for scheme, width, rules in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", GROUND[scheme])
        page.wait_for_timeout(700)  # colors fade over
        if serious := found_by_axe(page, rules):
            found[scheme, width] = serious
    assert not found


@pytest.mark.parametrize("name", ["predict photos"])
def test_axe_finds_nothing_serious_on_the_demo(demo, page, finished_run, name):
    test_axe_finds_nothing_serious_and_no_other_host_is_asked(demo, page, finished_run, name)
    assert page.get_by_text("A shared demo").count()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")  # at 390


def test_axe_sees_bad_contrast_and_a_missing_name(page):
    """The check itself: it would find what it is to find."""
    page.set_content("<html lang=en><title>A</title><main><h1>A</h1><p style='color:#aaa'>faint</p><button></button>")
    page.evaluate(AXE_SCRIPT)
    assert {line.split()[0] for line in found_by_axe(page)} == {"color-contrast", "button-name"}


def tab_to(page, name: str, most: int = 40) -> None:
    """Press Tab until the element of that name has the focus; every stop on the way must be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate("""() => { const e = document.activeElement, box = e.getBoundingClientRect(),
            style = getComputedStyle(e), holds = ['MAIN', 'BODY'].includes(e.tagName);
            return {name: holds ? e.tagName : e.getAttribute('aria-label') || e.innerText,
            seen: box.width > 0 && box.height > 0 && style.visibility === 'visible'} }""")
        assert focused["seen"], f"the focus is on something unseen: {focused}"
        if name in focused["name"]:
            return
    raise AssertionError(f"{most} times Tab did not reach {name}")


def drawn(page) -> None:
    """Wait until the page is whole: what is drawn anew under the focus loses it."""
    for _ in range(2):  # a run of the page may follow the one before at once
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        expect(page.locator("[data-stale=true]")).to_have_count(0)
        page.wait_for_timeout(500)


def wait_until(page, true, what: str) -> None:
    """Poll for a minute, the page going on meanwhile."""
    for _ in range(120):
        if true():
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"not within a minute: {what}")


def press_enter_on(page, name: str) -> None:
    """Enter on what has the focus, which must still be what Tab reached."""
    focused = page.evaluate("document.activeElement.innerText")
    assert name in focused, f"the focus went from {name} to {focused[:80]!r}"
    page.keyboard.press("Enter")


def test_predict_and_explain_by_keyboard(server, page):
    chosen = Event()
    page.on("filechooser", lambda _: chosen.set())  # from the start on: Chromium has long been told to ask us
    page.goto(server + "/predict")
    expect(page.get_by_role("button", name="Grace Hopper")).to_be_visible()
    drawn(page)
    tab_to(page, "Explain")  # the sidebar's link comes before the page's own parts
    tab_to(page, "Photos")
    tab_to(page, "Upload")
    press_enter_on(page, "Upload")
    wait_until(page, chosen.is_set, "Enter on Upload opens the system's dialog")
    tab_to(page, "Grace Hopper", most=4)
    press_enter_on(page, "Grace Hopper")
    expect(page.get_by_role("button", name="Download JSON", exact=True)).to_be_visible()  # the page's last element
    drawn(page)
    tab_to(page, "Explain this face", most=80)
    press_enter_on(page, "Explain this face")
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
