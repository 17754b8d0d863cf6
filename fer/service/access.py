"""Access control: check the host, the page's origin and the token before reading a request."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fer.errors import FerError
from fer.failure_log import log_failure
from fer.service.problems import ClientLeftError, ProblemError, problem, problem_of

OPEN_PATHS = ("/health", "/docs", "/openapi.json")  # need no token
SUBPROTOCOL = "fer"
DEFAULT_PORTS = {"http": 80, "https": 443}  # browsers leave them out
LOOPBACK = ("localhost", "127.0.0.1", "::1")
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def checked_token(token: str) -> str:
    """Raises FerError for a token that headers or WebSocket subprotocols cannot carry."""
    if not re.fullmatch(r"[A-Za-z0-9._~+-]*", token):
        raise FerError(
            "FER_TOKEN may contain only letters, digits and . _ ~ + -. Make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return token


def checked_origin(text: str) -> str:
    """An origin as browsers send it, such as https://example.org. Raises FerError for any other text."""
    try:
        parts = urlsplit(text.lower())
        host, port = parts.hostname or "", parts.port
    except ValueError:  # not an address or a port
        parts, host, port = urlsplit(""), "", None
    more = parts.path.removeprefix("/") or parts.query or parts.fragment or parts.username is not None
    if not parts.scheme or not host or more:
        raise FerError(f"--origins needs web origins such as https://example.org, got {text[:80]!r}.")
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + ("" if port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{port}")


class Access:
    """ASGI middleware: rejects other hosts (421), other origins (403) and missing tokens (401), and answers any error.

    hosts: host names that clients may use. origins: of pages that may call the service, as `checked_origin` returns
    them; the service's own pages always may.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], origins: Iterable[str], token: str) -> None:
        self.app, self.token = app, token
        self.hosts = frozenset(host.lower() for host in hosts)
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
            await self.app(scope, receive, noted)
        except ClientLeftError:
            return
        except FerError as error:
            if not begun:
                await answer(problem_of(error), scope, receive, noted)
        except Exception as error:  # unexpected: the client gets a number, the log the details
            number = log_failure("A request failed", error)
            if not begun:
                await answer(
                    problem(500, f"Something went wrong on the server. To report it, give the number {number}."),
                    scope,
                    receive,
                    noted,
                )

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name(host) not in self.hosts:
            raise ProblemError(
                421, "This service does not accept this host. Allow it with --hosts when starting the service."
            )
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in self.origins and not _same(origin, host):
            raise ProblemError(
                403,
                "Pages from this origin may not call the service. Allow it with --origins when starting the service.",
            )
        open_to_all = scope["path"] in OPEN_PATHS or scope["path"].startswith("/docs/")
        if self.token and not open_to_all and not self._knows_token(headers):
            raise ProblemError(
                401,
                "A token is required. Send the header Authorization: Bearer TOKEN.",
                {"WWW-Authenticate": "Bearer"},
            )

    def _knows_token(self, headers: Headers) -> bool:
        offered = [
            word.strip().removeprefix("bearer.")
            for word in headers.get("sec-websocket-protocol", "").split(",")
            if word.strip().startswith("bearer.")
        ]
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            offered.append(token.strip())
        return any(hmac.compare_digest(each.encode(), self.token.encode()) for each in offered)


async def answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response, even to a WebSocket that is not accepted yet."""
    if scope["type"] == "http":
        await response(scope, receive, send)
    elif "websocket.http.response" in scope.get("extensions", {}):
        start = {"status": response.status_code, "headers": response.raw_headers}
        await send({"type": "websocket.http.response.start", **start})
        await send({"type": "websocket.http.response.body", "body": bytes(response.body)})
    else:
        await send({"type": "websocket.close", "code": 1008})


def _name(host: str) -> str:
    """A Host header's name, without the port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _same(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False
