"""Run the service with uvicorn, for `fer serve`."""

from __future__ import annotations

import gc
import logging
import socket

import cv2
import uvicorn
from fastapi import FastAPI

from fer.errors import FerError
from fer.memory import share_arenas
from fer.service.application import ServiceConfig, create_app

KEEP_ALIVE_S = 30
ENDING_S = 10  # for requests in progress, once the service is asked to stop
BACKLOG = 256  # connections waiting to be accepted


def serve(config: ServiceConfig, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, then finish requests in progress. Raises FerError."""
    share_arenas()
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns about every form it cannot parse
    cv2.setNumThreads(1)  # pictures are read in parallel instead
    app = create_app(config)
    gc.collect()
    gc.freeze()  # keeps the collector from scanning models and modules again and again
    try:
        listening = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
        )
    except OSError as error:
        raise FerError(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --port.") from None
    with listening:
        uvicorn.Server(uvicorn_config(app, config, host, port)).run([listening])


def uvicorn_config(app: FastAPI, config: ServiceConfig, host: str, port: int) -> uvicorn.Config:
    """uvicorn without an access log, and with WebSocket messages limited to a photo's size."""
    return uvicorn.Config(
        app,
        host,
        port,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws_max_size=config.limits.photo_bytes,
        ws_max_queue=4,
        ws_per_message_deflate=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=ENDING_S,
        backlog=BACKLOG,
    )
