"""The service in this process, and served on loopback by uvicorn in a thread."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")
pytest.importorskip("httpx", reason="requirements-dev.txt is not installed")

import numpy as np
import uvicorn
from PIL import Image
from starlette.testclient import TestClient

from fer.limits import HOSTED
from fer.service.application import ServiceConfig, create_app
from fer.service.server import uvicorn_config
from fer.service.work import Workers

CONFIG = ServiceConfig(model="mini_xception", detector="none")


def client_of(config: ServiceConfig = CONFIG, **options) -> TestClient:
    return TestClient(create_app(config), "http://localhost", raise_server_exceptions=False, **options)


@pytest.fixture(scope="session")
def client() -> TestClient:
    return client_of()


@dataclass
class Served:
    """A running service. app.state.service holds what all requests share."""

    address: str
    app: object

    @property
    def shared(self):
        return self.app.state.service


@contextlib.contextmanager
def serving(config: ServiceConfig) -> Iterator[Served]:
    app = create_app(config)
    server = uvicorn.Server(uvicorn_config(app, config, "127.0.0.1", 0))
    ready = threading.Event()
    startup = server.startup

    async def started(sockets=None) -> None:
        await startup(sockets)
        ready.set()

    server.startup = started
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert ready.wait(30)
    (listening,) = server.servers
    port = listening.sockets[0].getsockname()[1]
    try:
        yield Served(f"http://127.0.0.1:{port}", app)
    finally:
        server.should_exit = True
        thread.join(15)


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serving(replace(CONFIG, limits=replace(HOSTED, photos_at_once=1, streams=2), waiting=1)) as found:
        yield found


def picture(side: int = 64, seed: int = 0, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8)).save(file, form)
    return file.getvalue()


@contextlib.contextmanager
def held_up(workers: Workers) -> Iterator[Callable[[], int]]:
    """All threads of the workers are busy inside the block; gives how many pieces of work wait for one."""
    release, busy = threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        busy.release()
        release.wait(60)

    threads = workers._threads
    for _ in range(threads._max_workers):
        threads.submit(hold)
    for _ in range(threads._max_workers):
        busy.acquire()
    try:
        yield threads._work_queue.qsize
    finally:
        release.set()
