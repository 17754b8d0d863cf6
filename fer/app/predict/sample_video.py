"""A sample video in which the camera moves over the two sample portraits. Made on first use, never stored."""

from __future__ import annotations

import io

import cv2
import numpy as np
import streamlit as st

from fer.app import resources
from fer.vision.images import decode_image
from fer.vision.video import VideoWriter

PORTRAITS = ("astronaut", "grace-hopper")
WIDTH, HEIGHT, RATE, SECONDS_EACH = 480, 360, 15, 3


@st.cache_resource(show_spinner="Drawing the sample video")
def sample_video() -> bytes:
    """An MP4 of six seconds, at 15 frames a second."""
    out = io.BytesIO()
    portraits = [decode_image(resources.sample_bytes(name)) for name in PORTRAITS]
    with VideoWriter(out, WIDTH, HEIGHT, RATE) as writer:
        for index in range(2 * SECONDS_EACH * RATE):
            number, step = divmod(index, SECONDS_EACH * RATE)
            writer.write(_view(portraits[number], step / (SECONDS_EACH * RATE)), index / RATE)
    return out.getvalue()


def _view(portrait_rgb: np.ndarray, share: float) -> np.ndarray:
    """The portrait's upper part, slowly zooming and panning: (HEIGHT, WIDTH, 3) uint8 RGB."""
    height, width = portrait_rgb.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height) * (1.02 + 0.15 * share)
    matrix = np.array([[scale, 0, (WIDTH - scale * width) / 2 + 20 * (share - 0.5)], [0, scale, -12 * share]])
    return cv2.warpAffine(portrait_rgb, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
