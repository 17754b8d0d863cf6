"""Uploads as large as the pages say, never on disk; exceptions in the log without their text."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from streamlit import config
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from fer.app.server import setup
from fer.limits import HOSTED, MB, OPEN
from tests.waiting import finish


def read_form(size: int) -> object:
    """What Streamlit's upload route gets for a file of so many bytes."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + b"a" * size + b"\r\n--x--\r\n"
    )

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "PUT", "headers": [(b"content-type", b"multipart/form-data; boundary=x")]}

    async def read():
        return (await Request(scope, receive).form())["file"]

    return finish(read())


def test_a_phones_photo_stays_in_memory():
    setup.prepare()
    file = read_form(5 * MB)
    assert file.size == 5 * MB and not file.file._rolled


def test_the_server_takes_what_the_pages_offer(monkeypatch):
    setup.prepare()
    assert config.get_option("server.maxUploadSize") * MB == OPEN.dataset_bytes
    monkeypatch.setenv("FER_HOSTED", "1")
    setup.prepare()
    assert config.get_option("server.maxUploadSize") * MB == HOSTED.video_bytes


def test_one_visitor_holds_no_more_than_the_limit(monkeypatch):
    monkeypatch.setenv("FER_HOSTED", "1")
    setup.prepare()
    manager, photo = MemoryUploadedFileManager(""), b"a" * (50 * MB)
    for name in ("1", "2"):
        manager.add_file("visitor", UploadedFileRec(name, name, "image/png", photo))
    manager.add_file("visitor", UploadedFileRec("2", "2", "image/png", photo))  # again: it takes the old one's place
    with pytest.raises(HTTPException) as refused:
        manager.add_file("visitor", UploadedFileRec("3", "3", "image/png", photo))
    assert refused.value.status_code == 413 and len(manager.file_storage["visitor"]) == 2
    manager.add_file("another", UploadedFileRec("3", "3", "image/png", photo))


def test_an_exception_is_logged_without_its_text():
    try:
        raise OSError("secret" + ".jpg")
    except OSError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "Uncaught app execution", None, sys.exc_info())
    assert setup.without_message(record)
    said = logging.Formatter().format(record)
    assert "OSError" in said and "test_setup.py" in said and "secret.jpg" not in said


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    yield
    monkeypatch.undo()
    for name in setup.LOGGERS:
        logging.getLogger(name).removeFilter(setup.without_message)
    setup.prepare()


def test_an_upload_that_was_taken_over_leaves_room_for_the_next(monkeypatch):
    manager = MemoryUploadedFileManager("/upload")
    for name in ("a", "b"):
        manager.add_file("session", UploadedFileRec(name, f"{name}.jpg", "image/jpeg", b"photo"))
    context = SimpleNamespace(uploaded_file_mgr=manager, session_id="session")
    monkeypatch.setattr(setup, "get_script_run_ctx", lambda: context)
    setup.let_go(SimpleNamespace(file_id="a"))
    assert [file.file_id for file in manager.get_files("session", ["a", "b"])] == ["b"]
