"""A thin adapter between the browser's camera and `fer.inference.live`.

The callback runs in a thread of the stream: it does not use Streamlit and creates nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from weakref import WeakSet

import av
import numpy as np
import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit_webrtc import WebRtcMode, webrtc_streamer
from streamlit_webrtc.component import generate_frontend_component_key

from fer.app import session
from fer.app.predict.browser.constants import MAX_SIDE
from fer.app.predict.ice_servers import NAMES, Ice, IceSource
from fer.app.predict.live_drawer import LazyDrawer
from fer.inference.live import LiveAnalyzer
from fer.limits import limits

KEY = "live"
_streams: WeakSet[Stream] = WeakSet()  # of all visitors
_streams_lock = threading.Lock()
START_WITHIN_S = 10
STALE_S = 30  # a stream without a frame for this long was abandoned
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
RATES = (10, 15, 24, 30)


@dataclass(eq=False)
class Stream:
    """One visitor's stream: its analyzer and drawer, whether it is wanted and since when, and its frames per second.

    signalling: whether the browser has opened its camera and made its offer, which starts another START_WITHIN_S.
    withdrawn: how many starts were stopped before that.
    """

    analyzer: LiveAnalyzer
    drawer: LazyDrawer = field(default_factory=LazyDrawer)
    wanted: bool = False
    since_s: float = 0.0
    frames_before: int = 0
    signalling: bool = False
    frame_rate: int = 24
    withdrawn: int = 0

    def start(self) -> None:
        self.wanted, self.signalling, self.since_s = True, False, time.monotonic()
        self.analyzer.restarted()
        self.frames_before = self.analyzer.state().frames
        with _streams_lock:
            _streams.add(self)

    def stop(self) -> None:
        if self.wanted and not self.signalling:
            self.withdrawn += 1
        self.wanted = False

    @property
    def flows(self) -> bool:
        """Whether a frame has arrived since the start."""
        return self.analyzer.state().frames > self.frames_before

    @property
    def finds_landmarks(self) -> bool:
        return self.analyzer.detector.name == "yunet"

    @property
    def left(self) -> bool:
        """Whether there was neither a start nor a frame for STALE_S."""
        return min(self.analyzer.state().silent_s, time.monotonic() - self.since_s) >= STALE_S

    @property
    def waiting_s(self) -> float:
        """Seconds without a frame since the start or the browser's offer."""
        return time.monotonic() - self.since_s if self.wanted and not self.flows else 0.0


def busy() -> bool:
    """Whether all visitors together use as many cameras as this server allows."""
    with _streams_lock:
        streams = list(_streams)
    return sum(stream.wanted and not stream.left for stream in streams) >= limits().streams


def callback_of(
    analyzer: LiveAnalyzer, wanted: Callable[[], bool] = lambda: True
) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """The video frame callback: returns the annotated frame, reduced to MAX_SIDE if larger. Never raises.

    wanted: whether the visitor pressed Start; a connection made otherwise is not read.
    """

    def callback(frame: av.VideoFrame) -> av.VideoFrame:
        if not wanted():
            return frame
        try:
            factor = min(1.0, MAX_SIDE / max(frame.width, frame.height))
            width, height = round(frame.width * factor), round(frame.height * factor)
            pixels = frame.to_ndarray(format="rgb24", width=width, height=height)
            drawn = analyzer(np.asarray(pixels, np.uint8), frame.time)
            height, width = drawn.shape[:2]
            even = np.ascontiguousarray(
                drawn[: height - height % 2 or height, : width - width % 2 or width]
            )  # even sides for H.264
            return av.VideoFrame.from_ndarray(even, format="rgb24")
        except Exception as error:  # an exception here would silently freeze the stream
            analyzer.failed(error)
            return frame

    return callback


def place(stream: Stream) -> None:
    """The component; always drawn while there is a stream, never inside a fragment."""
    # Request credentials when a camera is wanted, not for everyone who opens the tab.
    servers = ice_servers() if stream.wanted else Ice([], "not needed yet")
    # streamlit-webrtc opens a camera that is allowed after Stop, and leaves it on. A new key replaces the component,
    # and with its document the browser drops the request.
    key = f"{KEY}-{stream.withdrawn}"
    context = webrtc_streamer(
        key,
        WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": servers.servers},
        media_stream_constraints={
            "audio": False,
            "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": stream.frame_rate}},
        },
        video_frame_callback=callback_of(stream.analyzer, lambda: stream.wanted),
        async_processing=True,
        # A component that is told to start while it loads makes an offer for each message of that moment; the answer to
        # the first then reaches the last, and no picture comes. So wait until it has reported, which reruns the page.
        desired_playing_state=stream.wanted and session.widget(generate_frontend_component_key(key), dict) is not None,
        sendback_audio=False,
        media_toggle_controls=False,
        video_html_attrs={
            "autoPlay": True,
            "controls": False,
            "muted": True,
            "playsInline": True,
            "style": {"width": "100%", "borderRadius": "8px"},
        },
    )
    signalling = context.state.signalling or context.state.playing
    if signalling and not stream.signalling:
        stream.since_s = time.monotonic()
    stream.signalling = signalling


def secure() -> bool:
    """Whether browsers allow this page to use a camera: over HTTPS, or on this machine."""
    return not st.context.url or st.context.url.startswith("https://") or local()


def local() -> bool:
    """Whether browser and server run on the same machine."""
    host = (st.context.url or "").partition("://")[2].partition("/")[0].rpartition("@")[2]
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name in LOCAL_HOSTS or name.endswith(".localhost")


def ice_servers() -> Ice:
    """STUN and TURN servers for this visitor. On the same machine none are needed, and no provider is asked."""
    settings = _settings()
    if local() and "FER_ICE_SERVERS" not in settings:
        return Ice([], "none needed on this machine")
    return _source(tuple(sorted(settings.items()))).get()


def why_not(stream: Stream) -> str:
    """The most likely reason that a stream did not start, and what to do."""
    if not secure():
        return (
            "Browsers allow the camera on secure pages only. Open this page over HTTPS, or on the machine that it runs "
            "on (localhost). Until then, choose a photo."
        )
    if not stream.signalling:
        return (
            f"The camera sent no picture within {START_WITHIN_S} s. Allow it for this page in the address bar, close "
            "other programs that use it, and try again. Or take a picture here."
        )
    servers = ice_servers()
    relay = (
        ""
        if servers.relay
        else f" {servers.note}"
        if servers.note
        else " No TURN server is set up here, which such networks need: see docs/live.md."
    )
    return (
        f"The camera works, but your browser could not connect to this server within {START_WITHIN_S} s; a firewall "
        f"may block it.{relay} Take a picture here instead: that needs no such connection."
    )


def _settings() -> dict[str, str]:
    """The ICE settings, from the secrets, else the environment."""
    found = {name: os.environ[name] for name in NAMES if os.environ.get(name)}
    with suppress(FileNotFoundError, StreamlitAPIException):  # no secrets file
        found |= {name: str(st.secrets[name]) for name in NAMES if name in st.secrets}
    return found


@lru_cache(maxsize=4)
def _source(settings: tuple[tuple[str, str], ...]) -> IceSource:
    return IceSource(dict(settings))
