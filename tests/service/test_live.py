"""WS /live: a reply a frame, people who keep their numbers, and the newest frame for who is slow."""

from __future__ import annotations

import io
import json
import threading

import cv2
import httpx
import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from fer.vision.images import read_image
from tests.service.conftest import held_up, picture
from tests.waiting import wait_for


def address(served) -> str:
    return served.address.replace("http", "ws", 1) + "/live"


def jpeg(image_rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image_rgb).save(file, "JPEG")
    return file.getvalue()


def test_a_face_keeps_its_number_and_its_probabilities_are_smoothed(served, sample):
    portrait = cv2.resize(read_image(sample), (320, 320), interpolation=cv2.INTER_AREA)
    with connect(address(served) + "?detector=hog") as socket:
        replies = []
        for shift in (0, 4, 8):
            socket.send(jpeg(np.roll(portrait, shift, 1)))
            replies.append(json.loads(socket.recv(10)))
    assert [reply["frame"] for reply in replies] == [1, 2, 3] and not any(reply["dropped"] for reply in replies)
    faces = [face for reply in replies for face in reply["faces"]]
    assert [face["person"] for face in faces] == [1, 1, 1] and faces[0]["box"][0] < faces[2]["box"][0]
    assert replies[0]["width"] == 320 and replies[0]["error"] is None and sum(faces[1]["probabilities"].values()) > 0.99


def test_a_slow_client_gets_the_newest_frame(served):
    with connect(address(served)) as socket:
        socket.send(picture())
        assert json.loads(socket.recv(10))["frame"] == 1
        with held_up(served.shared.photos) as waiting:
            socket.send(picture(seed=2))
            wait_for(lambda: waiting() == 1)  # the service is at the second frame
            for seed in range(3, 7):
                socket.send(picture(seed=seed))
            socket.ping().wait(10)  # all have come in
        assert json.loads(socket.recv(10))["frame"] == 2
        reply = json.loads(socket.recv(10))
        assert (reply["frame"], reply["dropped"]) == (6, 3)


def test_what_is_no_picture_is_told_and_the_stream_goes_on(served):
    with connect(address(served)) as socket:
        for message, kind in ((b"no picture", "ImageError"), (b"", "ImageError"), ("text", "FerError")):
            socket.send(message)
            assert json.loads(socket.recv(10))["error"]["type"] == kind
        socket.send(picture())
        assert json.loads(socket.recv(10))["faces"]


def test_streams_are_counted_and_who_leaves_makes_room(served):
    wait_for(lambda: served.shared.streams == 2)
    with connect(address(served)), connect(address(served)) as second:
        wait_for(lambda: served.shared.streams == 0)
        with pytest.raises(InvalidStatus) as refused:
            connect(address(served))
        assert refused.value.response.status_code == 503 and refused.value.response.headers["Retry-After"]
        second.close()
        wait_for(lambda: served.shared.streams == 1)
        with connect(address(served)):
            pass
    wait_for(lambda: served.shared.streams == 2)


def test_an_unknown_model_is_refused(served):
    with pytest.raises(InvalidStatus) as refused:
        connect(address(served) + "?model=nobody")
    assert refused.value.response.status_code == 422


def test_a_frame_larger_than_a_photo_ends_the_stream(served):
    with connect(address(served), max_size=None) as socket, pytest.raises(ConnectionClosed):
        socket.send(bytes(served.shared.limits.photo_bytes + 1))
        socket.recv(10)
    wait_for(lambda: served.shared.streams == 2)


def test_who_sends_nothing_is_let_go(served, monkeypatch):
    from fer.service import live

    monkeypatch.setattr(live, "IDLE_S", 0.05)
    with connect(address(served)) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(10)
    assert closed.value.rcvd.code == 1001


def test_a_stream_and_a_request_do_not_disturb_each_other(served):
    answers = []

    def ask() -> None:
        answers.append(httpx.post(f"{served.address}/predict", files={"file": ("", picture())}, timeout=20))

    with connect(address(served)) as socket:
        asking = threading.Thread(target=ask)
        asking.start()
        for _ in range(5):
            socket.send(picture())
            assert json.loads(socket.recv(10))["faces"]
        asking.join()
    assert answers[0].status_code == 200
