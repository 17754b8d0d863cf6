"""Small pictures to read: four flat quadrants, so that lossy formats keep them and a turn shows."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
from PIL import Image

COLORS = np.array([[[200, 30, 30], [30, 200, 30]], [[30, 30, 200], [200, 200, 30]]], np.uint8)
PICTURE = COLORS.repeat(16, 0).repeat(24, 1)  # (32, 48, 3)


def encode(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def tagged(tiff: bytes, *entries: tuple[int, int, int, int]) -> bytes:
    """A little-endian TIFF with more tags (tag, type, count, value), in a directory at its end that follows itself."""
    first = struct.unpack("<I", tiff[4:8])[0]
    count = struct.unpack("<H", tiff[first : first + 2])[0]
    rows = [tiff[first + 2 + 12 * n : first + 14 + 12 * n] for n in range(count)]
    rows = sorted(rows + [struct.pack("<HHII", *entry) for entry in entries])
    directory = struct.pack("<H", len(rows)) + b"".join(rows) + struct.pack("<I", len(tiff))
    return tiff[:4] + struct.pack("<I", len(tiff)) + tiff[8:] + directory


# PICTURE as HEIC, which nothing here can write: made by pillow-heif 1.4, plain; with an EXIF that names orientation 6,
# for which it writes a rotation property; with an EXIF that leads nowhere.
_HEIC = {
    "plain": (
        "eNpjYGCQSSupLMhIzUxmAILczDRDEDs3MzGNgYGxNje1JJEBAhQzUnKKoGyGgszkEgY0oJSZkw82xMWBgREIgYBxIYQGgm4gVs7M"
        "zEsD80CiokBOKhOUl1GWbAhi8hVkluTClfzNLCgqANJ3MwuS84F0GVCZMyMzSGgCWJHcB4Y/f3/8YGDgZ04A6pBwYORh/P8fpIAZ"
        "pIIZhOR2MTkkAiW1nBgZ0WQWKDSyTnv1ZNnOHRwZBgpAIWYQwaCYBFTO5sJ4sPhAJ9AS4eT8nKK85JwKoCgvA1sDUEgks7ggFeoz"
        "ByjWSM5JBLnMAOp4BRD9////D0CaCUg/ANFALFCQWZEJ0sjMwcEBpCQyC3JhgQwMN9ZGJmbWFiB7cm5KIiiQ2zUY13M+eLx/Tsj/"
        "n/PM/9f5nb4V6+kzv/D+/fqj0f83uZbt8Ni7Yz7Lyurlf09N/s9oWr/lYqRip/lLUf5K3cg32g+XOIt/YEgJqCk8P89D0+lav0dL"
        "WucWnyWJVbWsUxjsFxqYNEhsOza57uFpm6siAU1rTQ/3XDbust/46YIe67KUlaUXZhxtNLkSICgDAOMbkU0="
    ),
    "turned": (
        "eNpjYGCQSSupLMhIzUxmAILczDRDEDs3MzGNgYHxRG5qSSIDBChmpOQUQdkMBZnJJQxowCQzJx9siIsDAxMDI4jF+AZCA0E3UAwI"
        "mMrhIipAbJGZmZcG5oFkRYGcVLAyoJqMsmRDBiRBRpAS14pMsHK+gsySXAaoSkb2zIKiAiD7WWZBcj6QLgPqdWZkBglNACuS+8Dw"
        "5++PHwwM/MwJQB0SDow8jP//gxQwg1Qwg5DcLiaHRKCklhMjI5rMAoVG1mmvnizbuYMjw0ABKMQMIhgUk4DK2VwYDxYf6ARaIpyc"
        "n1OUl5xTARTlZWBrAAqJZBYXpEK96wDFGsk5iSCXGUAcz6AAov////8BFAhA+gE0MAQKMisyQRqZOTg4gBRnZlF+CdA9DJKZBbmw"
        "SGFkYGRrZGJmbWkDcqQyi1LToBJ8ySnFyeBoANmxPTclERRf7RqM6zkfPN4/J+T/z3nm/+v8Tt+K9fSZX3j/fv3R6P+bXMt2eOzd"
        "MZ9lZfXyv6cm/2c0rd9yMVKx0/ylKH+lbuQb7YdLnMU/MKQE1BSen+eh6XSt36MlrXOLz5LEqlrWKQz2Cw1MGiS2HZtc9/C0zVWR"
        "gKa1pod7Lht32W/8dEGPdVnKytILM442mlwJEJQBOoUNEpW+vgxaQB4HAyOjECi0QSEK8QEArPidaQ=="
    ),
    "odd exif": (
        "eNpjYGCQSSupLMhIzUxmAILczDRDEDs3MzGNgYFxX25qSSIDBChmpOQUQdkMBZnJJQxowCQzJx9siIsDAxMDI4jF+AhCA0E3UAwI"
        "mHLhIlZAbJGZmZcG5oFkRYGcVLAyoJqMsmRDBiRBRpAS14pMsHK+gsySXAaoSoa/mQVFBUD6bmZBcj6QLgPqdWZkBglNACuS+8Dw"
        "5++PHwwM/MwJQB0SDow8jP//gxQwg1Qwg5DcLiaHRKCklhMjI5rMAoVG1mmvnizbuYMjw0ABKMQMIhgUk4DK2VwYDxYf6ARaIpyc"
        "n1OUl5xTARTlZWBrAAqJZBYXpEK96wDFGsk5iSCXGUAdrwCi/////wEUCED6ATQwBAoyKzJBGpk5ODiAlERmQS4sLhgZGFkbmZhZ"
        "W4Bsqcyi1DSoOF9ySnEyOPBBJp/NTUkExVK7BuN6zgeP988J+f9znvn/Or/Tt2I9feYX3r9ffzT6/ybXsh0ee3fMZ1lZvfzvqcn/"
        "GU3rt1yMVOw0fynKX6kb+Ub74RJn8Q8MKQE1hefneWg6Xev3aEnr3OKzJLGqlnUKg/1CA5MGiW3HJtc9PG1zVSSgaa3p4Z7Lxl32"
        "Gz9d0GNdlrKy9MKMo40mVwIEZYBOYYNEoKenFsN/EgAAeOPHtw=="
    ),
}
HEIC = {name: zlib.decompress(base64.b64decode(text)) for name, text in _HEIC.items()}
