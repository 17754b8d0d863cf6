"""The real app in the real Chromium: one server and one browser for all browser tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.browser.camera import camera, two_people  # noqa: F401  (fixtures)
from tests.conftest import ROOT
from tests.serving import await_health, free_port, streamlit_arguments

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """The folder of the app's runs: none of the developer's own."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def server(tmp_path_factory, runs):
    """The address of a running app."""
    with running_app(FER_CACHE=str(tmp_path_factory.getbasetemp() / "cache"), FER_RUNS=str(runs)) as address:
        yield address


@contextmanager
def running_app(**settings: str) -> Iterator[str]:
    """The address of an app with these environment variables."""
    port = free_port()
    with running(
        ["-m", *streamlit_arguments(port)],
        port,
        **settings,
    ) as address:
        yield address


@contextmanager
def running(arguments: list[str], port: int, **settings: str) -> Iterator[str]:
    """The address of an app that Python starts with these arguments and environment variables."""
    command, environment = [sys.executable, *arguments], {**os.environ, **settings}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield await_health(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; .ci/run installs Debian's")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # the first page after a start loads models, on a machine that may be busy
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()
