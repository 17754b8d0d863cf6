"""Two visitors of the load test come to the real app in hosted mode, which writes nothing of theirs into its log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.browser.in_browser import named_runtime
from tests.load import __main__ as load
from tests.load import in_browser
from tests.load.visitor import Unserved, Visitor


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    """(address, log file, folder) of the app in hosted mode."""
    folder = tmp_path_factory.mktemp("hosted")
    server, address = load.serve(folder)
    yield address, folder / "log.txt", folder
    server.terminate()
    server.wait(20)


def test_visitors_get_label_and_maps_and_the_log_knows_nothing_of_them(hosted, tmp_path, monkeypatch):
    address, log, folder = hosted
    photos = [tmp_path / f"holiday-with-{name}.jpg" for name in ("anna", "omar")]
    for photo, sample in zip(photos, load.PHOTOS):
        photo.write_bytes(sample.read_bytes())
    monkeypatch.setattr(load, "PHOTOS", photos)
    monkeypatch.setattr(load, "READ_S", 0.2)
    before = {path for path in folder.rglob("*") if path.is_file()}
    with ThreadPoolExecutor(2) as pool:
        visits = list(pool.map(lambda number: load.visit(address, 0, number), range(2)))
    assert [visit.error for visit in visits] == ["", ""]
    assert all(visit.label_s > 0 and visit.map_s > 0 for visit in visits)
    text = log.read_text()
    assert "Streamlit app" in text and not any(word in text for word in ("holiday", "anna", ".jpg", "GET ", "PUT "))
    assert {path for path in folder.rglob("*") if path.is_file()} == before  # and nothing is written to disk


def test_a_visitor_whose_browser_reads_sends_numbers_that_all_arrive(hosted, yunet_needed, monkeypatch):
    named_runtime()
    monkeypatch.setattr(in_browser, "PUSH_S", 0.2)
    waits: list[float] = []
    assert in_browser.stream(hosted[0], 0, Barrier(1), 3, waits) == "" and len(waits) == 3


def test_an_upload_without_the_pages_own_token_is_refused(hosted):
    visitor = Visitor(hosted[0])
    visitor.open_page("predict")
    visitor.await_end()
    visitor._http.headers["X-Xsrftoken"] = "forged"
    with pytest.raises(Exception, match="403"):
        visitor.upload("photo.jpg", load.PHOTOS[0].read_bytes())
    visitor.close()


def test_what_is_too_large_is_refused_by_the_server_itself(hosted):
    """The browser's own check can be left out: the bytes are counted again."""
    visitor = Visitor(hosted[0])
    visitor.open_page("predict")
    visitor.await_end()
    try:
        visitor.upload("large.jpg", b"\xff\xd8\xff" + bytes(16 * 2**20))
        assert "the limit is 15 MB" in visitor.await_text("MB")
    except Exception as error:  # already by Streamlit, while it comes in
        assert "413" in str(error) and not isinstance(error, Unserved)
    finally:
        visitor.close()


def test_another_sites_page_cannot_connect(hosted):
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    with pytest.raises(InvalidStatus):
        connect(f"{hosted[0].replace('http', 'ws', 1)}/_stcore/stream", origin="https://evil.example")
