"""Read frames from a WebSocket: always the newest one, counting those that were dropped."""

from __future__ import annotations

import asyncio
import functools
import json
import time
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from fer.errors import FerError
from fer.inference.tracked_reader import TrackedReader
from fer.limits import Limits
from fer.service.work import Left, Workers
from fer.vision.images import decode_image

IDLE_S = 60.0  # without a frame, before the connection is closed
SEND_S = 30.0  # for the client to receive a reply


@dataclass
class _Newest:
    """The next frame to read. data: None once it is taken; number: from 1, counting every frame received."""

    data: bytes | str | None = None
    number: int = 0
    over: bool = False


async def stream(socket: WebSocket, reader: TrackedReader, workers: Workers, limits: Limits) -> None:
    """Read an accepted socket's frames until it is closed, or idle for IDLE_S.

    A frame is a binary message with a picture as in /predict. The reply is one JSON object: `frame` (its number),
    `dropped` (the number of frames skipped since the last reply), `time_s`, `width`, `height`, `faces` (each with
    `person`, smoothed probabilities and the resulting expression), `error`.
    """
    newest, came = _Newest(), asyncio.Event()
    began, answered = time.monotonic(), 0
    listening = asyncio.create_task(_listen(socket, newest, came))
    try:
        while True:
            try:
                await asyncio.wait_for(came.wait(), IDLE_S)
            except TimeoutError:
                await socket.close(1001, "No frame for a minute.")
                return
            came.clear()
            if newest.over:
                return
            data, number, newest.data = newest.data, newest.number, None
            if data is None:
                continue
            time_s = time.monotonic() - began
            told = {"frame": number, "dropped": number - answered - 1, "time_s": round(time_s, 3)}
            answered = number
            if isinstance(data, str):
                told |= _failed("FerError", "Send each frame as a binary message.")
            else:
                told |= await workers.run(functools.partial(_read, reader, limits, data, time_s))
            await asyncio.wait_for(socket.send_text(json.dumps(told)), SEND_S)
    except (WebSocketDisconnect, TimeoutError, RuntimeError):  # the client has left, or does not receive replies
        return
    finally:
        listening.cancel()


async def _listen(socket: WebSocket, newest: _Newest, came: asyncio.Event) -> None:
    while not newest.over:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            newest.over = True
        else:
            newest.data = message.get("bytes") or message.get("text") or b""
            newest.number += 1
        came.set()


def _read(reader: TrackedReader, limits: Limits, data: bytes, time_s: float, left: Left) -> dict[str, Any]:
    try:
        frame_rgb = decode_image(data, limits)
        faces = reader.read(frame_rgb, time_s)
    except FerError as error:
        return _failed(type(error).__name__, error.message)
    height, width = frame_rgb.shape[:2]
    return {"width": width, "height": height, "faces": [face.record().to_json() for face in faces], "error": None}


def _failed(kind: str, sentence: str) -> dict[str, Any]:
    return {"width": None, "height": None, "faces": [], "error": {"type": kind, "message": sentence}}
