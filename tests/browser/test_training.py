"""A visitor's way in the real Chromium: start, watch, pause, reload, resume, finish, predict with a run, delete it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fer.training.run_directory import RunDirectory
from tests.conftest import ROOT
from tests.serving import await_health, free_port, streamlit_arguments
from tests.waiting import wait_for


@pytest.fixture
def training_server(tmp_path, tmp_path_factory):
    """An app with a runs folder of its own; returns (start the server, the folder)."""
    folder, port, processes = tmp_path / "runs", free_port(), []
    environment = {**os.environ, "FER_CACHE": str(tmp_path_factory.getbasetemp() / "cache"), "FER_RUNS": str(folder)}
    folder.mkdir()

    def start() -> str:
        for process in processes:
            process.terminate()
            process.wait(20)
        processes[:] = [
            subprocess.Popen(
                [sys.executable, "-m", *streamlit_arguments(port)],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        ]
        return await_health(f"http://127.0.0.1:{port}")

    yield start, folder
    for process in processes:
        process.terminate()
        process.wait(20)
    for file in folder.glob("*/config.json"):
        RunDirectory(file.parent).request("stop")
        wait_for(lambda file=file: not RunDirectory(file.parent).is_locked())


def sideways(page) -> bool:
    return page.evaluate("""() => [document.documentElement, document.querySelector('[data-testid=stMain]')]
        .some(e => e && e.scrollWidth > e.clientWidth + 1)""")


def badge(page, state: str):
    return page.get_by_test_id("stMarkdown").filter(has_text=re.compile(rf"{state}$")).first


def test_start_watch_pause_reload_resume_finish_and_predict(training_server, page, sample):
    start, folder = training_server
    address = start()
    page.set_default_timeout(90_000)
    page.goto(f"{address}/training")
    epochs = page.get_by_role("spinbutton", name="Epochs", exact=True)
    epochs.fill("14")  # a fast machine does eight before they can be paused
    epochs.press("Enter")
    expect(page.get_by_text(re.compile("About .* an epoch"))).to_be_visible(timeout=150_000)
    page.wait_for_timeout(1000)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(state="attached")
    page.get_by_role("button", name="Start training").click()
    expect(page).to_have_url(re.compile(r"run=\d{8}-"), timeout=60_000)
    (file,) = folder.glob("*/config.json")
    run = RunDirectory(file.parent)
    assert run.config.epochs == 14
    seen = re.compile(r"After epoch ([3-9]|1\d):")  # three epochs or more, by themselves
    expect(page.get_by_text(seen)).to_be_visible(timeout=150_000)
    assert len(run.records()) >= 3
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()

    page.get_by_role("button", name="Pause").click()
    expect(badge(page, "paused")).to_be_visible(timeout=30_000)
    done = run.status()["epoch"], run.status()["step"]
    page.reload()
    expect(badge(page, "paused")).to_be_visible(timeout=60_000)
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_timeout(500)
    assert not sideways(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    assert (run.status()["epoch"], run.status()["step"]) == done and run.status()["state"] == "paused"

    start()  # the server restarts; the worker lives on
    page.goto(f"{address}/training?run={run.id}")
    page.get_by_role("button", name="Resume").click()
    wait_for(lambda: run.status()["state"] in ("running", "finished"))
    page.close()  # a closed tab harms nothing
    page = page.context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{address}/training?run={run.id}")
    expect(badge(page, "finished")).to_be_visible(timeout=200_000)
    assert run.status()["state"] == "finished" and len(run.records()) == run.config.epochs
    assert max(record.validation_accuracy for record in run.records()) > 0.9

    page.get_by_role("button", name="Use it in Predict").click()
    expect(page.get_by_role("heading", name="Predict", level=1)).to_be_visible()
    page.set_input_files("input[type=file]", [str(sample)])
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    (row,) = json.loads(Path(download.value.path()).read_text())
    assert row["model"] == run.path.name and len(row["faces"]) == 1


def test_a_batch_too_large_trains_its_model_has_a_banner_and_a_deleted_run_comes_back(training_server, page):
    start, folder = training_server
    page.set_default_timeout(90_000)
    page.goto(f"{start()}/training")
    diagram = page.get_by_role("img", name=re.compile("How mini-xception is built.*shortcut conv 1×1"))
    expect(diagram).to_be_visible(timeout=150_000)
    page.get_by_text("More settings").click()
    for label, number in (("Limit pictures", "40"), ("Epochs", "1")):
        box = page.get_by_role("spinbutton", name=label, exact=True)
        box.fill(number)
        box.press("Enter")
    note = page.get_by_text("The data has 40 training pictures, fewer than a batch of 64: each step uses 40.")
    expect(note).to_be_visible()
    expect(page.get_by_text(re.compile("About .* an epoch of 40 pictures"))).to_be_visible()
    expect(page.get_by_text("2 changed")).to_be_visible()
    page.get_by_role("button", name="Start training").click()
    expect(badge(page, "finished")).to_be_visible(timeout=150_000)
    (file,) = folder.glob("*/config.json")
    run = RunDirectory(file.parent)
    assert len(run.records()) == 1

    page.get_by_role("button", name="Use it in Predict").click()
    expect(page.get_by_role("heading", name="Predict", level=1)).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="learned from drawings, not meant for photos")).to_be_visible()
    title = re.compile(r"Synthetic faces, \w+ \d+, \d+:\d\d [AP]M")
    expect(page.get_by_test_id("stSidebar").get_by_role("combobox").first).to_have_value(title)

    page.get_by_test_id("stSidebar").get_by_role("link", name="Training").click()  # opens on the run watched last
    page.get_by_text("Download, rename, delete, settings").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text(re.compile("Deleted: Synthetic faces"))).to_be_in_viewport()
    assert not run.path.exists()
    page.get_by_role("button", name="Undo").click()
    expect(badge(page, "finished")).to_be_visible()
    assert run.best.is_file()
