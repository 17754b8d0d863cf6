"""What a browser fetches from this server: modules, onnxruntime-web, YuNet, a model; by content, so cached for good.

Components v2 serve files of installed packages alone, and static serving those of one folder beside streamlit_app.py;
FER Studio runs from a checkout, too, and has these files in three places. A route of our own (st.App's `routes`, see
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
KEPT = 16  # assets, models among them: what no page offered for long goes first
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Cross-Origin-Embedder-Policy": "require-corp",  # else a page that a proxy isolates could not start the worker
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # A worker is held to the policy that its own file comes with: it compiles WebAssembly and asks this server alone.
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    "worker-src 'self'",
}


@dataclass(frozen=True)
class Asset:
    """Files under one address: names -> what they hold, compressed. digest: of them all."""

    digest: str
    files: dict[str, bytes]


_offered: OrderedDict[str, Asset] = OrderedDict()
_lock = threading.Lock()
_mounted = threading.Event()


def asset_of(files: dict[str, bytes]) -> Asset:
    """Files that are served beside each other."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}:{len(content)}:".encode() + content)
    return Asset(digest.hexdigest()[:32], {name: gzip.compress(content, 6, mtime=0) for name, content in files.items()})


def offer(asset: Asset) -> str:
    """Serve it from now on; returns its folder's address on this server, with a slash at the end."""
    with _lock:
        _offered[asset.digest] = asset
        _offered.move_to_end(asset.digest)
        while len(_offered) > KEPT:
            _offered.popitem(last=False)
    return f"{base_path()}{ROUTE}/{asset.digest}/"


def route() -> Route:
    """For the server that starts."""
    _mounted.set()
    return Route(f"{base_path()}{ROUTE}/{{digest}}/{{name}}", _serve)


def is_mounted() -> bool:
    """Whether this server has the route: one that was started another way than by `streamlit run` has not."""
    return _mounted.is_set()


async def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    with _lock:
        asset = _offered.get(request.path_params["digest"])
    if asset is None or name not in asset.files:
        return PlainTextResponse("There is no such file. Reload the page.", 404, {"Cache-Control": "no-store"})
    content, headers = asset.files[name], {**HEADERS, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return Response(content, 200, headers, TYPES.get(Path(name).suffix, "application/octet-stream"))
