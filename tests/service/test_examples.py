"""The examples of docs/api.md and docs/batch.md, run as they stand against a running service."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.conftest import ROOT
from tests.service.conftest import CONFIG, serving

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "localhost:8000"


def blocks(language: str, page: str = PAGE) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


@pytest.fixture(scope="module")
def own():
    """A service with the demo's own limits, and its address."""
    with serving(CONFIG) as served:
        yield served.address.replace("127.0.0.1", "localhost").removeprefix("http://")


@pytest.fixture
def here(tmp_path, monkeypatch, sample):
    for name in ("photo.jpg", "other.jpg"):
        shutil.copy(sample, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_curl(own, here):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (block,) = blocks("bash")
    answers = []
    for line in block.replace(ADDRESS, own).splitlines():
        if "/explain" in line:
            pytest.importorskip("torch", reason="the extra train is not installed")
        done = subprocess.run(line, shell=True, capture_output=True, check=True, timeout=60)
        answers.append(json.loads(done.stdout))
    one, several, explained = answers
    assert one["faces"] and [each["path"] for each in several] == ["photo.jpg", "other.jpg"]
    assert [each["class"] for each in explained["maps"]] == ["happy", "sad"]


def test_python(own, here, capsys):
    (code,) = blocks("python")
    exec(compile(code.replace(ADDRESS, own), "api.md", "exec"), {})  # noqa: S102  the page's own code
    predicted, live = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"[\w ]+ [\d.]+", predicted) and live.startswith("1 ")


def test_javascript(own, here):
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    (code,) = blocks("javascript")
    photo = list((here / "photo.jpg").read_bytes())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = browser.new_page()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"http://{own}/docs")
            page.get_by_text("/predict").first.wait_for()  # the page's own scripts have drawn it
            found, live, error = page.evaluate(
                f"""async (photo) => {{
                {code.replace(ADDRESS, own)}
                const file = new Blob([new Uint8Array(photo)]);
                const read = await predict(file);
                const seen = await new Promise((done) => {{
                  const replies = [];
                  const socket = live(async () => file, (faces) => {{
                    replies.push(faces[0].person);
                    if (replies.length === 3) {{ socket.close(); done(replies); }}
                  }});
                }});
                const failed = await predict(new Blob(["no picture"])).catch((error) => error.message);
                return [read, seen, failed];
                }}""",
                photo,
            )
        finally:
            browser.close()
    assert found[0]["answer"] and live == [1, 1, 1] and "not a picture" in error
    assert asked and all(url.startswith((f"http://{own}/", "data:", "blob:")) for url in asked)


def test_the_batch_from_python(here, capsys):
    (code,) = blocks("python", (ROOT / "docs" / "batch.md").read_text(encoding="utf-8"))
    exec(compile(code, "batch.md", "exec"), {})  # noqa: S102  the page's own code
    assert capsys.readouterr().out.startswith("1  photo.jpg,,1,")
