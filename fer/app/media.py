"""Send pictures and videos to a page's components: small ones inside the data, others by an address."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image
from streamlit import config, runtime


def base_path() -> str:
    """The prefix of this server's addresses: empty, or a path with a leading slash."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def source_of(picture: np.ndarray) -> str:
    """(H, W, 3 or 4) uint8, RGB or RGBA -> a data URL with the picture as WebP."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=88, method=2)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def served(data: bytes, mimetype: str, place: str) -> str:
    """An address for bytes of this page: Streamlit serves them, in ranges, while the page is open, and does not send
    them again on reruns.

    place: identifies them on the page.
    """
    return base_path() + runtime.get_instance().media_file_mgr.add(data, mimetype, place)
