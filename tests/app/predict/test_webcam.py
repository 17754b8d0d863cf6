"""The stream's adapter: frames in and out, and where browsers give a camera."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fer.app.predict import webcam
from tests.app.helpers import open_view, stream_of
from tests.inference.test_video import portrait


def test_the_callback_is_a_thin_adapter(app):
    import av

    open_view(app, "live")
    frame = av.VideoFrame.from_ndarray(portrait("astronaut.jpg"), format="rgb24").reformat(format="yuv420p")
    answer = webcam.callback_of(stream_of(app).analyzer)(frame)
    assert (answer.width, answer.height) == (320, 240) and stream_of(app).analyzer.state().frames == 1
    large = av.VideoFrame.from_ndarray(np.zeros((200, 2560, 3), np.uint8), format="rgb24")
    answer = webcam.callback_of(stream_of(app).analyzer)(large)
    assert (answer.width, answer.height) == (1280, 100)
    gray = av.VideoFrame.from_ndarray(np.zeros((101, 203), np.uint8), format="gray")
    assert webcam.callback_of(stream_of(app).analyzer)(gray).width == 202  # H.264 needs even sides
    assert webcam.callback_of(stream_of(app).analyzer, wanted=lambda: False)(large) is large  # no Start, no reading
    broken = SimpleNamespace(width=0, height=0)
    assert webcam.callback_of(stream_of(app).analyzer)(broken) is broken
    assert stream_of(app).analyzer.state().failures == 1


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://fer.example.org/predict", True),
        ("http://localhost:8501/", True),
        ("http://[::1]:8501/", True),
        ("http://127.0.0.1:8501/predict", True),
        ("http://192.168.0.7:8501/", False),
        ("http://localhost.evil.org/", False),
    ],
)
def test_where_browsers_give_a_camera(monkeypatch, address, safe):
    monkeypatch.setattr(webcam.st, "context", SimpleNamespace(url=address))
    assert webcam.secure() is safe
