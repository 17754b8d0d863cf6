"""STUN and TURN servers to connect a browser with this server, from secrets or the environment.

Credentials are requested with a time to live and renewed before they expire; streamlit-webrtc's own copy would reach
the browser as it was on the first run.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

LIFETIME_S = 2 * 3600  # requested from the provider
RENEW_S = 3600  # a visitor who connects just before renewal has an hour left
RETRY_S = 60  # after a provider's failure
SPARE_S = 600  # credentials that expire sooner are not used
TIMEOUT_S = 5
Server = dict[str, str | list[str]]
STUN: list[Server] = [{"urls": ["stun:stun.cloudflare.com:3478"]}]
NAMES = (
    "FER_ICE_SERVERS",
    "CLOUDFLARE_TURN_KEY_ID",
    "CLOUDFLARE_TURN_KEY_API_TOKEN",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "HF_TOKEN",
)
CLOUDFLARE, TWILIO, HUGGING_FACE = (
    "https://rtc.live.cloudflare.com",
    "https://api.twilio.com",
    "https://fastrtc-turn-server-login.hf.space",
)

ADDRESS = re.compile(r"(stuns?|turns?):[^\s:?/]")  # scheme and first characters of a host


@dataclass(frozen=True)
class Ice:
    """servers: in RTCPeerConnection's format. relay: whether one of them is TURN. note: a sentence about a failure."""

    servers: list[Server]
    source: str
    note: str = ""

    @property
    def relay(self) -> bool:
        return any(str(url).startswith("turn") for server in self.servers for url in _urls(server))


class IceSource:
    """The configured servers, requested when needed and cached until they expire; safe from any thread.

    settings: of NAMES. bases: the providers' addresses. Never raises: if a provider fails, returns STUN with a note.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        bases: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._clock, self._lock = settings, clock, threading.Lock()
        self._bases = {"cloudflare": CLOUDFLARE, "twilio": TWILIO, "hf": HUGGING_FACE, **(bases or {})}
        self._cached: tuple[float, Ice] | None = None  # expiry time, and servers
        self._last_answer: tuple[float, Ice] | None = None  # time and content of a provider's last answer

    def get(self) -> Ice:
        with self._lock:
            if self._cached is None or self._clock() >= self._cached[0]:
                ice, now = self._fetch(), self._clock()
                lasts_s = RETRY_S if ice.note else RENEW_S
                if not ice.note:
                    self._last_answer = now, ice
                elif self._last_answer and now - self._last_answer[0] < LIFETIME_S - SPARE_S:
                    ice = self._last_answer[1]  # the provider does not answer, but its last answer is still valid
                self._cached = now + lasts_s, ice
            return self._cached[1]

    def _fetch(self) -> Ice:
        value = self._settings.get
        try:
            if plain := value("FER_ICE_SERVERS"):
                return Ice(parse_plain(plain), "the list in FER_ICE_SERVERS")
            if value("CLOUDFLARE_TURN_KEY_ID") and value("CLOUDFLARE_TURN_KEY_API_TOKEN"):
                return Ice(self._cloudflare(), "Cloudflare")
            if value("TWILIO_ACCOUNT_SID") and value("TWILIO_AUTH_TOKEN"):
                return Ice(self._twilio(), "Twilio")
            if value("HF_TOKEN"):
                return Ice(self._hugging_face(), "Hugging Face")
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            # key rejected, no network, or unexpected answer
            logging.getLogger(__name__).warning("Could not get TURN credentials: %s", type(error).__name__)
            return Ice(STUN, "STUN only", "The TURN provider did not give credentials: check the keys in the secrets.")
        return Ice(STUN, "STUN only")

    def _cloudflare(self) -> list[Server]:
        key = urllib.parse.quote(self._settings["CLOUDFLARE_TURN_KEY_ID"], safe="")
        found = _ask(
            f"{self._bases['cloudflare']}/v1/turn/keys/{key}/credentials/generate-ice-servers",
            {
                "Authorization": f"Bearer {self._settings['CLOUDFLARE_TURN_KEY_API_TOKEN']}",
                "Content-Type": "application/json",
            },
            json.dumps({"ttl": LIFETIME_S}).encode(),
        )
        return _checked(found["iceServers"])

    def _twilio(self) -> list[Server]:
        account = self._settings["TWILIO_ACCOUNT_SID"]
        login = base64.b64encode(f"{account}:{self._settings['TWILIO_AUTH_TOKEN']}".encode()).decode()
        found = _ask(
            f"{self._bases['twilio']}/2010-04-01/Accounts/{urllib.parse.quote(account, safe='')}/Tokens.json",
            {"Authorization": f"Basic {login}"},
            f"Ttl={LIFETIME_S}".encode(),
        )
        return _checked(found["ice_servers"])

    def _hugging_face(self) -> list[Server]:
        found = _ask(f"{self._bases['hf']}/credentials", {"X-HF-Access-Token": self._settings["HF_TOKEN"]})
        return _checked([{"urls": "turn:gradio-turn.com:80", **found}, *STUN])


def parse_plain(text: str) -> list[Server]:
    """A JSON list of servers, or comma-separated addresses. Raises ValueError for anything else."""
    text = text.strip()
    if text.startswith("["):
        return _checked(json.loads(text))
    return _checked([{"urls": [url.strip()]} for url in text.split(",") if url.strip()])


def _urls(server: Server) -> list[str]:
    urls = server.get("urls", [])
    return [urls] if isinstance(urls, str) else list(urls)


def _checked(servers: object) -> list[Server]:
    """Keep only fields that RTCPeerConnection knows. Raises ValueError if it is not a list of servers."""
    if isinstance(servers, dict):
        servers = [servers]
    if not isinstance(servers, list) or not servers:
        raise ValueError("not a list of servers")
    checked: list[Server] = []
    for server in servers:
        urls = _urls(server) if isinstance(server, dict) else []
        if not urls or not all(isinstance(url, str) and ADDRESS.match(url) for url in urls):
            raise ValueError("an address is not stun: or turn:")
        login = {name: str(server[name]) for name in ("username", "credential") if server.get(name)}
        checked.append({"urls": urls, **login})
    return checked


def _ask(address: str, headers: dict[str, str], body: bytes | None = None) -> dict[str, Any]:
    request = urllib.request.Request(address, body, {"User-Agent": "fer-studio", **headers})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return json.loads(answer.read(100_000))
