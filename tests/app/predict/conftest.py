"""The app with the stream's component patched."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit_webrtc.component import generate_frontend_component_key

from fer.app.predict import webcam


@pytest.fixture
def component(monkeypatch):
    """In the component's place: what it was asked, and what the browser would have said."""
    said = SimpleNamespace(calls=[], loaded=True, signalling=False, playing=False)

    def streamer(key, mode, **options):
        said.calls.append({"key": key, **options})
        if said.loaded:
            st.session_state[generate_frontend_component_key(key)] = {"playing": said.playing, "sdpOffer": ""}
        return SimpleNamespace(state=SimpleNamespace(signalling=said.signalling, playing=said.playing))

    monkeypatch.setattr(webcam, "webrtc_streamer", streamer)
    return said


@pytest.fixture
def app(component, home):
    return home
