"""Files that browsers load from this server: modules, onnxruntime-web, YuNet, models; cached forever by their digest.

Components v2 serve only files of installed packages, and static serving only one folder beside streamlit_app.py; FER
Studio also runs from a checkout, and has these files in three places. Our own route (st.App's `routes`, see
fer/app/server/asgi.py) serves all of them, with their types and a policy, wherever `streamlit run` starts the app.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fer.app.media import base_path

ROUTE = "/in-browser"
KEPT = 16  # assets, including models; the least recently offered are dropped first
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Cross-Origin-Embedder-Policy": "require-corp",  # so that a page isolated by a proxy can start the worker
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # A worker obeys its own file's policy: it compiles WebAssembly and contacts only this server.
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    "worker-src 'self'",
}


@dataclass(frozen=True)
class Asset:
    """Files under one address: names -> compressed contents. digest: of all of them."""

    digest: str
    files: dict[str, bytes]


_offered: OrderedDict[str, Asset] = OrderedDict()
_lock = threading.Lock()
_mounted = threading.Event()


def asset_of(files: dict[str, bytes]) -> Asset:
    """Files served from the same folder."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}:{len(content)}:".encode() + content)
    return Asset(digest.hexdigest()[:32], {name: gzip.compress(content, 6, mtime=0) for name, content in files.items()})


def offer(asset: Asset) -> str:
    """Serve it from now on; returns its folder's address on this server, with a trailing slash."""
    with _lock:
        _offered[asset.digest] = asset
        _offered.move_to_end(asset.digest)
        while len(_offered) > KEPT:
            _offered.popitem(last=False)
    return f"{base_path()}{ROUTE}/{asset.digest}/"


def route() -> Route:
    """The route for the server at startup."""
    _mounted.set()
    return Route(f"{base_path()}{ROUTE}/{{digest}}/{{name}}", _serve)


def is_mounted() -> bool:
    """Whether this server has the route; only one started by `streamlit run` does."""
    return _mounted.is_set()


async def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    with _lock:
        asset = _offered.get(request.path_params["digest"])
    if asset is None or name not in asset.files:
        return PlainTextResponse("This file no longer exists. Reload the page.", 404, {"Cache-Control": "no-store"})
    content, headers = asset.files[name], {**HEADERS, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return Response(content, 200, headers, TYPES.get(Path(name).suffix, "application/octet-stream"))
