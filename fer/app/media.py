"""How pictures and videos reach the components of a page: inside its data where they are small, else by an address."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image
from streamlit import config, runtime


def base_path() -> str:
    """What the addresses of this server begin with: empty, or a path with a slash before it."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def source_of(picture: np.ndarray) -> str:
    """(H, W, 3 or 4) uint8, RGB or RGBA -> an image's address that holds the picture itself, as WebP."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=88, method=2)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def served(data: bytes, mimetype: str, place: str) -> str:
    """The address of bytes that are part of this page: Streamlit serves them, in ranges, while the page is open, and
    no run of the page sends them again.

    place: what tells them from all else on the page.
    """
    return base_path() + runtime.get_instance().media_file_mgr.add(data, mimetype, place)
