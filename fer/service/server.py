"""Run the service with uvicorn, for `fer serve`."""

from __future__ import annotations

import gc

import cv2
import uvicorn

from fer.memory import share_arenas
from fer.service.application import ServiceConfig, create_app

KEEP_ALIVE_S = 30
BACKLOG = 256


def serve(config: ServiceConfig, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, which lets requests at work end. Raises FerError."""
    share_arenas()
    cv2.setNumThreads(1)
    app = create_app(config)
    gc.collect()
    gc.freeze()  # models and modules are not looked through again and again
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws_max_size=config.limits.photo_bytes,
        ws_max_queue=4,
        ws_per_message_deflate=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
        backlog=BACKLOG,
    )
