"""What tests of the pipeline in the browser share: its files over HTTP, and a page that can import them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from fer.app.predict.browser import assets
from tests.serving import free_port
from tests.waiting import wait_for

DIST = Path(__file__).parent / "node_modules" / "onnxruntime-web" / "dist"


def named_runtime() -> Path:
    """The folder with onnxruntime-web's files, for FER_ORT_WEB."""
    if not DIST.is_dir():
        pytest.skip("onnxruntime-web is not at hand; `make test` installs it where npm is")
    return DIST


@contextmanager
def served(pictures: dict[str, bytes]) -> Iterator[str]:
    """The address of a server with an empty page, the assets that are offered, and pictures/NAME."""
    port = free_port()

    async def picture(request) -> Response:
        return Response(pictures[request.path_params["name"]], media_type="image/png")

    isolated = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
    routes = [
        assets.route(),
        Route("/", lambda _: HTMLResponse("<title>Empty</title>")),
        Route("/isolated", lambda _: HTMLResponse("<title>Isolated</title>", headers=isolated)),
        Route("/pictures/{name}", picture),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), "127.0.0.1", port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assets._mounted.clear()
