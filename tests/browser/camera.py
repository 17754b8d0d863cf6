"""Chromium's fake camera: two people in turn, and what `fer predict` says of each."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer.cli import main
from fer.vision.images import read_image
from tests.conftest import ROOT, SHARED

WIDTH, HEIGHT, RATE, SECONDS_EACH = 640, 480, 8, 3  # two streams at once must fit two cores
STREAM_FLAGS = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]


def on_canvas(picture_rgb: np.ndarray) -> np.ndarray:
    """The picture's upper part, filling a camera's frame; a small face is set into the middle."""
    if picture_rgb.shape[0] < 100:
        canvas = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        canvas[90:390, 170:470] = cv2.resize(picture_rgb, (300, 300), interpolation=cv2.INTER_CUBIC)
        return canvas
    factor = max(WIDTH / picture_rgb.shape[1], HEIGHT / picture_rgb.shape[0])
    return cv2.resize(picture_rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)[:HEIGHT, :WIDTH]


@pytest.fixture(scope="session")
def two_people(tmp_path_factory, request) -> tuple[list[Path], list[str]]:
    """Two frames as PNG files, and what `fer predict` says of each: two sure labels where FER2013 is at hand."""
    folder = tmp_path_factory.mktemp("camera")
    frames = [on_canvas(read_image(ROOT / "fer/app/samples" / f"{name}.jpg")) for name in ("astronaut", "grace-hopper")]
    if (SHARED / "data" / "fer2013" / "unpack.py").is_file():
        frames[1] = surprised(request.getfixturevalue("fer2013_csv"))
    paths, labels = [], []
    for index, frame in enumerate(frames):
        paths.append(folder / f"{index}.png")
        cv2.imwrite(str(paths[-1]), frame[..., ::-1])
        labels.append(label_of(paths[-1]))
    assert len(set(labels)) == 2
    return paths, labels


def surprised(csv: Path) -> np.ndarray:
    """The FER2013 face that both models most surely call surprised, as a frame."""
    import fer
    from fer.data.fer2013 import read_fer2013

    faces = read_fer2013(csv, quiet=True).split("PublicTest").pixels[:600]
    index = min(
        (fer.load(name).probabilities(faces)[:, 5] for name in ("mini_xception", "compact")), key=lambda p: p.max()
    )
    for best in np.argsort(-index):
        frame = on_canvas(cv2.cvtColor(faces[best], cv2.COLOR_GRAY2RGB))
        if [face.expression for face in fer.load().predict(frame)] == ["surprise"]:
            return frame
    raise AssertionError("no surprised face was found again")


def label_of(path: Path) -> str:
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert main(["predict", str(path), "--json"]) == 0
    (face,) = json.loads(out.getvalue())["faces"]
    return face["expression"] if face["sure"] else "not sure"


@pytest.fixture(scope="session")
def camera(two_people, tmp_path_factory) -> Path:
    """Chromium's fake camera: both people in turn, over and over."""
    path = tmp_path_factory.mktemp("y4m") / "camera.y4m"
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for picture in two_people[0]:
            planes = cv2.cvtColor(cv2.imread(str(picture)), cv2.COLOR_BGR2YUV_I420).tobytes()
            file.write((b"FRAME\n" + planes) * (RATE * SECONDS_EACH))
    return path
