"""The minimum cost of reading a photo: OpenCV, ONNX Runtime, NumPy and an exported model, without this project.

    python bare_predict.py PHOTO MODEL.onnx YUNET.onnx [ROUNDS]

An empty YUNET.onnx selects OpenCV's Haar cascade. Prints a line of JSON: the predicted class's index and, with ROUNDS,
the median milliseconds of that many more readings of the same bytes. Run it by its path, so that fer is not imported.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

LONG_SIDE = 1024
Finder = Callable[[np.ndarray], Sequence[float]]  # a picture (H, W, 3) uint8 BGR -> left, top, width, height of a face


def yunet_finder(file: str) -> Finder:
    detector = cv2.FaceDetectorYN.create(file, "", (320, 320), 0.65, 0.3)

    def find(image_bgr: np.ndarray) -> Sequence[float]:
        detector.setInputSize((image_bgr.shape[1], image_bgr.shape[0]))
        return detector.detect(image_bgr)[1][0][:4]

    return find


def haar_finder() -> Finder:
    folder = Path(cv2.__file__).parent / "data"
    detector = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_alt.xml"))

    def find(image_bgr: np.ndarray) -> Sequence[float]:
        return detector.detectMultiScale(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), 1.05, 7, minSize=(30, 30))[0]

    return find


def main(photo: str, model: str, yunet: str, rounds: str = "0") -> None:
    data = np.frombuffer(Path(photo).read_bytes(), np.uint8)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    side = session.get_inputs()[0].shape[-1]
    find = yunet_finder(yunet) if yunet else haar_finder()

    def read() -> int:
        image_bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert image_bgr is not None, f"{photo} is no picture"
        factor = min(1.0, LONG_SIDE / max(image_bgr.shape[:2]))
        small_bgr = cv2.resize(image_bgr, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        x, y, width, height = (max(round(float(value)), 0) for value in find(small_bgr))
        face = cv2.resize(cv2.cvtColor(small_bgr[y : y + height, x : x + width], cv2.COLOR_BGR2GRAY), (side, side))
        batch = ((face - face.mean()) / (face.std() + 1e-6)).astype(np.float32)[None, None]
        return int(session.run(None, {session.get_inputs()[0].name: batch})[0].argmax())

    found, times = read(), []
    for _ in range(int(rounds)):
        began = time.perf_counter()
        read()
        times.append(1000 * (time.perf_counter() - began))
    print(json.dumps({"class": found, "warm_ms": statistics.median(times) if times else None}))


if __name__ == "__main__":
    main(*sys.argv[1:])
