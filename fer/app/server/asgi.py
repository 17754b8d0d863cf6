"""The server for `streamlit run streamlit_app.py`: Streamlit's, with an extra route and a policy for pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from fer.app.predict.browser import assets

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No other host is contacted. Streamlit needs inline scripts and styles, and modules from blobs; the camera's picture
# and charts are data or blobs; frame-src is for Streamlit's components v1. Framing is not restricted, since a Hugging
# Face Space is shown in another site's frame.
PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)


class PagePolicy:
    """Middleware that adds PAGE_POLICY to every HTML page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                if headers.get(b"content-type", b"").startswith(b"text/html"):
                    added = (b"content-security-policy", PAGE_POLICY.encode())
                    message = {**message, "headers": [*message["headers"], added]}
            await send(message)

        await self.app(scope, receive, with_policy if scope["type"] == "http" else send)


def routes() -> list[BaseRoute]:
    return [assets.route()]


def middleware() -> list[Middleware]:
    return [Middleware(PagePolicy)]
