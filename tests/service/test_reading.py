"""POST /predict: the answers of `fer predict`, in memory only, and a sentence for all that cannot be read."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from types import SimpleNamespace

import pytest

from fer.cli import main
from fer.limits import HOSTED, MB
from fer.service import body
from tests.conftest import ROOT
from tests.service.conftest import CONFIG, client_of, picture

PROBLEM = "application/problem+json"


def test_one_picture_is_answered_as_the_command_line_prints_it(client, sample, capsys):
    answer = client.post("/predict", files={"file": ("me.jpg", sample.read_bytes())}, data={"detector": "hog"})
    assert main(["predict", str(sample), "--model", "mini_xception", "--detector", "hog", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert answer.status_code == 200 and answer.json() == {**printed, "path": "me.jpg"}


def test_several_are_an_array_and_one_that_is_broken_spoils_no_other(client, sample):
    files = [("file", ("a.jpg", sample.read_bytes())), ("file", ("b.jpg", b"no picture")), ("file", ("c", picture()))]
    first, broken, last = client.post("/predict", files=files).json()
    assert (first["path"], broken["path"], last["path"]) == ("a.jpg", "b.jpg", "c")
    assert first["faces"] and last["faces"] and first["error"] is last["error"] is None
    assert broken["faces"] == [] and broken["error"]["type"] == "ImageError" and broken["width"] is None


@pytest.mark.parametrize("head", ["", "data:image/png;base64,", "data:;base64,"])
def test_base64_and_a_data_url_are_the_same_as_a_file(client, head):
    text = head + base64.b64encode(picture()).decode()
    by_file = client.post("/predict", files={"file": ("", picture())}).json()
    assert client.post("/predict", json={"image": text}).json()["faces"] == by_file["faces"]


def test_model_and_detector_are_chosen_in_the_form_the_json_or_the_query(client, sample):
    data = sample.read_bytes()
    answers = [
        client.post("/predict", files={"file": ("", data)}, data={"model": "compact", "detector": "hog"}),
        client.post("/predict?model=compact&detector=hog", files={"file": ("", data)}),
        client.post("/predict", json={"image": base64.b64encode(data).decode(), "model": "compact", "detector": "hog"}),
    ]
    assert answers[0].json()["faces"][0]["detector"] == "hog"
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert answers[0].json() != client.post("/predict?detector=hog", files={"file": ("", data)}).json()


def post_json(content: bytes) -> dict:
    return {"content": content, "headers": {"Content-Type": "application/json"}}


@pytest.mark.parametrize(
    ("request_", "status", "says"),
    [
        ({"files": {"file": ("x.jpg", b"no picture")}}, 422, "not a picture"),
        ({"files": {"file": ("x.jpg", b"")}}, 422, "empty"),
        ({"files": {"file": ("x.jpg", picture()[:200])}}, 422, "damaged"),
        ({"files": {"picture": ("x.jpg", picture())}}, 422, "Name the field file"),
        ({"files": {"file": (None, b"text")}}, 422, "not a picture"),
        ({"files": {"model": (None, b"compact")}}, 422, "no picture in the form"),
        ({"files": [("file", ("", picture()))] * 21}, 422, "at most 20"),
        ({"files": {"file": ("", picture())}, "data": {"colour": "red"}}, 422, "no field 'colour'"),
        ({"files": {"file": ("", picture())}, "data": {"model": "../x"}}, 422, "no model"),
        ({"files": {"file": ("", picture())}, "data": {"detector": "eyes"}}, 422, "no detector"),
        ({"files": {"file": ("", picture())}, "data": {"model": ["compact", "mini_xception"]}}, 422, "2 values"),
        ({"json": {"image": "https://example.org/me.jpg"}}, 422, "URLs are not fetched"),
        ({"json": {"image": "file:///etc/passwd"}}, 422, "URLs are not fetched"),
        ({"json": {"image": "data:image/png,x"}}, 422, "not base64"),
        ({"json": {"image": "!!!"}}, 422, "not valid base64"),
        ({"json": {"picture": ""}}, 422, "image"),
        ({"json": {"image": "", "model": {}}}, 422, "must be text, a whole number"),
        ({"json": []}, 422, "object"),
        (post_json(b"{"), 400, "not JSON"),
        (post_json(b"[" * 250), 400, "not JSON"),
        (post_json(b"[" * 100_000), 422, "too many fields"),
        (post_json(b'{"image": "", "x": [' + b"[]," * 5000 + b"[]]}"), 422, "too many fields"),
        (post_json(b"\xff"), 400, "not JSON"),
        ({"content": b"x"}, 415, "multipart/form-data"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "boundary"),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_sentence(client, request_, status, says):
    answer = client.post("/predict", **request_)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    told = answer.json()
    assert told["status"] == status and says in told["detail"] and told["type"] == "about:blank" and told["title"]


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("undefined", b"a.jpg"),
        ("unicode_escape", rb"\ud800.jpg"),
        ("utf-7", b"+2AA-.jpg"),
        ("utf-16", b"a"),
        ("", b"\xff"),
    ],
)
def test_a_client_does_not_choose_the_codec_of_its_names(client, charset, name):
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\n\r\n%b\r\n--x--' % (name, picture())
    headers = {"Content-Type": f'multipart/form-data; charset={charset}; boundary="x"'}
    answer = client.post("/predict", content=form, headers=headers)
    assert answer.status_code == 200 and answer.json()["path"] == name.decode("latin-1")


@pytest.mark.parametrize("boundary", ["", '""', '"a\\"b"', "a" * 71])
def test_a_form_without_a_valid_boundary_is_a_problem(client, boundary):
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = client.post("/predict", content=b"--x--", headers=headers)
    assert answer.status_code == 400 and "boundary" in answer.json()["detail"]


def test_a_body_of_json_is_parsed_beside_the_event_loop(client, monkeypatch):
    decode = base64.b64decode

    def beside(*arguments: object, **options: object) -> bytes:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return decode(*arguments, **options)

    monkeypatch.setattr(body, "base64", SimpleNamespace(b64decode=beside))
    spaced = base64.encodebytes(picture()).decode().replace("\n", "\r\n ")
    assert client.post("/predict", json={"image": spaced}).status_code == 200


def test_bytes_are_bounded_and_a_picture_too_large_is_dropped_as_it_comes(monkeypatch):
    small = client_of(replace(CONFIG, limits=replace(HOSTED, photo_bytes=10_000)))
    shared = small.app.state.service.admission
    before, held = shared.bytes_free, []
    from fer.service import work

    hold = work.Place.hold
    monkeypatch.setattr(work.Place, "hold", lambda place, count: (hold(place, count), held.append(place.held)))
    answer = small.post("/predict", files={"file": ("", bytes(3_000_000))})
    assert answer.status_code == 413 and max(held) == 10_000 and shared.bytes_free == before
    assert small.post("/predict", json={"image": "A" * 3_000_000}).status_code == 413
    files = [("file", ("", bytes(3_000_000))), ("file", ("", picture(16)))]
    large, fine = small.post("/predict", files=files).json()
    assert "MB" in large["error"]["message"] and fine["faces"] and shared.bytes_free == before


def test_all_requests_together_hold_no_more_than_the_limit():
    full = client_of(replace(CONFIG, limits=replace(HOSTED, session_bytes=2048)))
    admission, body = full.app.state.service.admission, {"file": ("", bytes(1500))}
    with admission.admitted() as other:
        other.hold(1000)
        answer = full.post("/predict", files=body)
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert full.post("/predict", files=body).status_code == 422 and admission.bytes_free == 2048


def test_a_request_that_would_never_fit_is_told_the_limit_and_not_to_try_again():
    full = client_of(replace(CONFIG, limits=replace(HOSTED, session_bytes=2 * MB)))
    several = [("file", ("", bytes(MB + 1)))] * 2
    for sent in ({"files": several}, {"files": {"file": ("", bytes(2 * MB + 1))}}, {"json": {"image": "A" * 2 * MB}}):
        answer = full.post("/predict", **sent)
        assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
        assert "at most 2 MB" in answer.json()["detail"] and "Retry-After" not in answer.headers
    assert full.app.state.service.admission.bytes_free == 2 * MB


def test_no_upload_touches_the_disk_or_the_log(client, monkeypatch, caplog):
    def on_disk(self) -> None:
        raise AssertionError("an upload goes to disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", on_disk)
    large = picture(1200)
    assert len(large) > 4 * 2**20
    with caplog.at_level(logging.DEBUG):
        answer = client.post("/predict", files={"file": ("holiday.png", large)})
        client.post("/predict", files={"file": ("holiday.png", b"secret")})
    assert answer.status_code == 200
    assert "holiday" not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("fer"))


def test_nothing_is_fetched(client, monkeypatch):
    def connect(*_: object) -> None:
        raise AssertionError("an address was asked")

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert client.post("/predict", json={"image": "http://127.0.0.1:9/x.jpg"}).status_code == 422


def test_a_failure_that_nobody_foresaw_is_a_number(client, monkeypatch, caplog):
    from fer.service import application

    def fails(*_: object) -> None:
        raise RuntimeError("sec" + "ret.jpg")

    monkeypatch.setenv("FER_HOSTED", "1")
    monkeypatch.setattr(application, "read_photo", fails)
    answer = client.post("/predict", files={"file": ("", picture())})
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    (record,) = [record for record in caplog.records if record.name == "fer.failure_log"]
    number = answer.json()["detail"].partition("number ")[2][:6]
    assert number in record.getMessage() and "secret" not in answer.text + record.getMessage()


def test_facts(client):
    health = client.get("/health").json()
    assert health["status"] == "ok" and health["model"] == "mini_xception"
    models = client.get("/models").json()
    assert {model["name"] for model in models} >= {"compact", "mini_xception"}
    (default,) = [model for model in models if model["default"]]
    assert default["name"] == "mini_xception" and "block4" in default["layers"]
    assert client.get("/nowhere").headers["content-type"] == PROBLEM
    assert client.get("/predict").status_code == 405


def test_docs_ask_no_other_host(client):
    page = client.get("/docs").text
    assert "//" not in page.replace("</", "").replace("//-->", "") or "http" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert asset in page and client.get(f"/docs/assets/{asset}").status_code == 200


def test_a_picture_is_read_without_torch():
    code = """
import sys, base64
from starlette.testclient import TestClient
from fer.service.application import ServiceConfig, create_app
client = TestClient(create_app(ServiceConfig("mini_xception", "none")), "http://localhost")
data = open("fer/app/samples/astronaut.jpg", "rb").read()
assert client.post("/predict", files={"file": ("", data)}).status_code == 200
assert client.get("/models").status_code == client.get("/openapi.json").status_code == 200
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
