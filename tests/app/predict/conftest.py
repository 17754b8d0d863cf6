"""The app with the stream's component patched."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fer.app.predict import webcam


@pytest.fixture
def component(monkeypatch):
    """In the component's place: what it was asked, and what the browser would have said."""
    said = SimpleNamespace(calls=[], signalling=False, playing=False)

    def streamer(key, mode, **options):
        said.calls.append({"key": key, **options})
        return SimpleNamespace(state=SimpleNamespace(signalling=said.signalling, playing=said.playing))

    monkeypatch.setattr(webcam, "webrtc_streamer", streamer)
    return said


@pytest.fixture
def app(component, home):
    return home
