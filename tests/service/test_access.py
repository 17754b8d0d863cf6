"""Who may ask: hosts, origins and the token, for requests and for WebSockets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import WebSocketDenialResponse

from fer.errors import FerError
from fer.service.access import checked_origin, checked_token
from tests.service.conftest import CONFIG, client_of, picture

TOKEN = "s3cret-token_1"


@pytest.fixture(scope="module")
def guarded():
    return client_of(replace(CONFIG, token=TOKEN, hosts=("fer.example.org",), origins=("https://page.example",)))


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:99", "[::1]:8000", "LOCALHOST"])
def test_this_machine_may_be_addressed(client, host):
    assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil:80", "[::1", "a b"])
def test_another_host_may_not(client, host):
    answer = client.get("/health", headers={"Host": host})
    assert answer.status_code == 421 and "--hosts" in answer.json()["detail"]


def test_a_named_host_may(guarded):
    assert guarded.get("/health", headers={"Host": "fer.example.org"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://[", ""])
def test_another_sites_page_may_not_ask(client, origin):
    answer = client.post("/predict", files={"file": ("", picture())}, headers={"Origin": origin})
    assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client.websocket_connect("ws://localhost/live", headers={"Origin": origin}),
    ):
        pass
    assert refused.value.status_code == 403


def test_the_services_own_page_may(client):
    assert client.get("/models", headers={"Origin": "http://localhost"}).status_code == 200


def test_a_named_page_may_and_its_browser_is_told(guarded):
    headers = {"Origin": "https://page.example", "Authorization": f"Bearer {TOKEN}"}
    answer = guarded.get("/models", headers=headers)
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == "https://page.example"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = guarded.options("/predict", headers={"Origin": "https://page.example", **asked})
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == "https://page.example"
    assert guarded.options("/predict", headers={"Origin": "https://evil.example", **asked}).status_code == 400


@pytest.mark.parametrize("given", ["https://Page.example/", "HTTPS://page.example:443", "https://page.example"])
def test_an_origin_may_be_given_in_any_spelling(given):
    assert checked_origin(given) == "https://page.example"
    named = client_of(replace(CONFIG, origins=(given,)))
    answer = named.get("/models", headers={"Origin": "https://page.example"})
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == "https://page.example"
    asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    assert named.options("/predict", headers=asked).status_code == 200


def test_an_origin_keeps_its_port_and_what_is_none_is_a_sentence():
    assert checked_origin("http://[::1]:3000/") == "http://[::1]:3000"
    for given in ("*", "null", "", "page.example", "https://", "https://page.example/app", "https://a@b", "http://a:x"):
        with pytest.raises(FerError, match="--origins needs"):
            checked_origin(given)


@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \u00e9"]
)
def test_without_the_token_nothing_is_read(guarded, authorization):
    headers = {"Authorization": authorization.encode()} if authorization else {}
    answer = guarded.post("/predict", files={"file": ("", picture())}, headers=headers)
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert guarded.get("/models", headers=headers).status_code == 401
    assert guarded.get("/health", headers=headers).status_code == 200


def test_with_the_token_all_is(guarded):
    answer = guarded.post("/predict", files={"file": ("", picture())}, headers={"Authorization": f"bearer {TOKEN}"})
    assert answer.status_code == 200
    described = guarded.get("/openapi.json").json()
    assert described["paths"]["/predict"]["post"]["security"] == [{"token": []}]


def test_a_browsers_websocket_brings_the_token_as_a_subprotocol(guarded):
    with guarded.websocket_connect("ws://localhost/live", subprotocols=["fer", f"bearer.{TOKEN}"]) as socket:
        assert socket.accepted_subprotocol == "fer"
        socket.send_bytes(picture())
        assert socket.receive_json()["faces"]
    with guarded.websocket_connect("ws://localhost/live", headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
        assert socket.accepted_subprotocol is None
    for offered in ([], ["fer"], ["fer", "bearer.wrong"], [TOKEN]):
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            guarded.websocket_connect("ws://localhost/live", offered),
        ):
            pass
        assert refused.value.status_code == 401


def test_a_token_that_a_header_cannot_carry_is_refused_at_the_start():
    assert checked_token("Az09._~+-") == "Az09._~+-"
    with pytest.raises(FerError, match="FER_TOKEN"):
        checked_token("two words")
