"""STUN and TURN settings against providers played on loopback: fetched, kept while fresh, asked again, and refused."""

from __future__ import annotations

import base64
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest

from fer.app.predict import ice_servers, webcam
from fer.app.predict.ice_servers import STUN, IceSource, parse_plain

TURN = {"urls": ["turn:turn.example.org:3478"], "username": "u", "credential": "c"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provider():
    """(address, requests seen, answers by path: (status, JSON))."""
    seen, answers = [], {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, body))
            status, answer = answers.get(self.path, (404, {}))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen, answers
    server.shutdown()
    server.server_close()


def source(address: str, settings: dict, clock=None) -> IceSource:
    return IceSource(settings, {"cloudflare": address, "twilio": address, "hf": address}, clock or Clock())


def test_cloudflare_is_asked_with_its_key_and_a_time_to_live(provider):
    address, seen, answers = provider
    path = "/v1/turn/keys/key%2F1/credentials/generate-ice-servers"
    answers[path] = (201, {"iceServers": [TURN]})
    found = source(address, {"CLOUDFLARE_TURN_KEY_ID": "key/1", "CLOUDFLARE_TURN_KEY_API_TOKEN": "secret"}).get()
    assert found.servers == [TURN] and found.relay and found.source == "Cloudflare" and not found.note
    command, _, headers, body = seen[0]
    assert command == "POST" and headers["authorization"] == "Bearer secret"
    assert json.loads(body) == {"ttl": ice_servers.LIFETIME_S}


def test_twilio_and_hugging_face(provider):
    address, seen, answers = provider
    answers["/2010-04-01/Accounts/AC1/Tokens.json"] = (201, {"ice_servers": [{**TURN, "url": "turn:x"}]})
    found = source(address, {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t"}).get()
    assert found.servers == [TURN] and base64.b64decode(seen[0][2]["authorization"].split()[1]) == b"AC1:t"
    assert seen[0][3] == f"Ttl={ice_servers.LIFETIME_S}".encode()
    answers["/credentials"] = (200, {"username": "u", "credential": "c"})
    found = source(address, {"HF_TOKEN": "hf_x"}).get()
    assert found.relay and found.servers[0]["username"] == "u" and seen[1][2]["x-hf-access-token"] == "hf_x"


def test_credentials_are_kept_while_fresh_and_asked_for_again(provider):
    address, seen, answers = provider
    answers["/credentials"] = (200, {"username": "u", "credential": "c"})
    clock = Clock()
    kept = source(address, {"HF_TOKEN": "x"}, clock)
    kept.get(), kept.get()
    assert len(seen) == 1
    clock.now = ice_servers.RENEW_S - 1
    kept.get()
    assert len(seen) == 1
    clock.now = ice_servers.RENEW_S
    kept.get()
    assert len(seen) == 2 and ice_servers.RENEW_S < ice_servers.LIFETIME_S


def test_a_provider_that_refuses_leaves_stun_and_is_tried_again_soon(provider, caplog):
    address, seen, answers = provider
    clock = Clock()
    kept = source(address, {"HF_TOKEN": "hf_secret"}, clock)
    found = kept.get()
    assert found.servers == STUN and not found.relay and "check the keys" in found.note
    assert "hf_secret" not in caplog.text
    clock.now = ice_servers.RETRY_S
    answers["/credentials"] = (200, {"username": "u", "credential": "c"})
    assert kept.get().relay and len(seen) == 2
    answers["/credentials"] = (200, ["nonsense"])
    assert source(address, {"HF_TOKEN": "x"}).get().servers == STUN


def test_a_plain_list_needs_no_network():
    listed = IceSource({"FER_ICE_SERVERS": "stun:a.org:1, turn:b.org:2"}).get()
    assert listed.servers == [{"urls": ["stun:a.org:1"]}, {"urls": ["turn:b.org:2"]}] and listed.relay
    assert parse_plain(json.dumps([{**TURN, "other": 1}])) == [TURN]
    for wrong in ("http://x.org", "[]", "[1]", '[{"urls": []}]', "{", "turn:", "stun://a.org"):
        with pytest.raises(ValueError):
            parse_plain(wrong)
    assert IceSource({"FER_ICE_SERVERS": "[broken"}).get().note
    assert IceSource({}).get() == ice_servers.Ice(STUN, "STUN only")


def test_an_answer_that_is_no_http_leaves_stun():
    server = socket.create_server(("127.0.0.1", 0))

    def answer():
        connection, _ = server.accept()
        connection.recv(1000)
        connection.sendall(b"nonsense\r\n\r\n")
        connection.close()

    threading.Thread(target=answer, daemon=True).start()
    found = source(f"http://127.0.0.1:{server.getsockname()[1]}", {"HF_TOKEN": "x"}).get()
    server.close()
    assert found.servers == STUN and found.note


@pytest.mark.parametrize(
    ("address", "secure", "local"),
    [
        ("http://localhost:8501/predict", True, True),
        ("http://[::1]:8501/", True, True),
        ("http://app.localhost/", True, True),
        ("http://127.0.0.1:8501", True, True),
        ("https://localhost.example.org/", True, False),
        ("https://fer.example.org/", True, False),
        ("http://0.0.0.0:8501/", False, False),
        ("http://192.168.0.7:8501/", False, False),
    ],
)
def test_where_a_camera_is_given_and_where_servers_are_needed(monkeypatch, address, secure, local):
    monkeypatch.setattr(webcam.st, "context", SimpleNamespace(url=address))
    monkeypatch.setattr(webcam, "_settings", lambda: {"HF_TOKEN": "x"})
    asked = []
    monkeypatch.setattr(webcam, "_source", lambda settings: asked.append(settings) or IceSource({}))
    assert (webcam.secure(), webcam.local()) == (secure, local)
    assert bool(webcam.ice_servers().servers) is not local and bool(asked) is not local  # no key leaves a laptop


def test_settings_come_from_the_secrets_before_the_environment(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "of the environment")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC1")
    monkeypatch.setattr(webcam.st, "secrets", {"HF_TOKEN": "of the secrets"})
    assert webcam._settings() == {"HF_TOKEN": "of the secrets", "TWILIO_ACCOUNT_SID": "AC1"}


def test_a_failed_renewal_leaves_what_still_holds(provider):
    address, seen, answers = provider
    answers["/credentials"] = (200, {"username": "u", "credential": "c"})
    clock = Clock()
    kept = source(address, {"HF_TOKEN": "x"}, clock)
    given = kept.get()
    answers["/credentials"] = (503, {})
    clock.now = ice_servers.RENEW_S
    assert kept.get() is given and len(seen) == 2
    clock.now += ice_servers.RETRY_S
    assert kept.get() is given and len(seen) == 3  # asked again each minute
    clock.now = ice_servers.LIFETIME_S - ice_servers.SPARE_S
    assert kept.get().servers == STUN and kept.get().note  # too old to give to anybody
