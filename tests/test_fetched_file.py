"""Files that are fetched once, against a server on this machine."""

from __future__ import annotations

import hashlib
import http.server
import threading

import pytest

from fer.fetched_file import FetchedFile

CONTENT = b"the right bytes"


@pytest.fixture
def served(tmp_path, monkeypatch):
    """(a folder that is served, its address); fetching is allowed, the cache is empty."""
    monkeypatch.undo()
    folder = tmp_path / "served"
    folder.mkdir()
    handler = lambda *args: http.server.SimpleHTTPRequestHandler(*args, directory=str(folder))  # noqa: E731
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_CACHE", str(tmp_path / "cache"))
        yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def file_of(*urls: str) -> FetchedFile:
    return FetchedFile("data.bin", hashlib.sha256(CONTENT).hexdigest(), urls, "FER_TEST_FILE")


def test_wrong_bytes_are_refused_and_right_ones_fetched_once(served):
    folder, address = served
    (folder / "wrong").write_bytes(b"other bytes")
    (folder / "right").write_bytes(CONTENT)
    file = file_of(f"{address}/wrong", f"{address}/right")
    assert file.obtain(10).read_bytes() == CONTENT and not file.coming
    (folder / "right").unlink()
    assert file.obtain(0).read_bytes() == CONTENT
    assert file_of(f"{address}/wrong").fetch_into(folder / "other") is False


def test_a_local_copy_is_named_as_the_file_or_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data.bin").write_bytes(CONTENT)
    for named in (tmp_path, tmp_path / "data.bin"):
        monkeypatch.setenv("FER_TEST_FILE", str(named))
        assert file_of().obtain(0) == tmp_path / "data.bin"
    (tmp_path / "data.bin").write_bytes(b"something else")
    assert file_of().obtain(0) is None
