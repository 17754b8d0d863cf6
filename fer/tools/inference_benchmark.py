"""The speed of reading faces, frames and videos: stages of `python -m fer benchmark`."""

from __future__ import annotations

import copy
import functools
import io
from typing import TypedDict

import cv2
import numpy as np
import torch

from fer.inference.engine import Engine
from fer.inference.recognizer import load
from fer.inference.tracked_reader import FULL_SIDE, LIVE_SIDE
from fer.inference.video import read_video
from fer.locations import SAMPLES
from fer.models.checkpoints import load_checkpoint
from fer.models.onnx_export import export_onnx
from fer.models.registry import fold, parameter_count
from fer.models.summary import multiply_adds
from fer.models.weights import find_weights, shipped_names
from fer.tools.export import quantized
from fer.tools.timing import Row, median_ms, row
from fer.vision.detection import load_detector
from fer.vision.images import read_image
from fer.vision.video import VideoWriter
from fer.visualization.overlay import draw_faces

SAMPLE = SAMPLES / "astronaut.jpg"


def recognizing() -> list[Row]:
    """The shipped models on one face and on 64, each engine compared with eager PyTorch, all on one thread."""
    rows, threads = [], torch.get_num_threads()
    faces = np.random.default_rng(0).integers(0, 256, (256, 48, 48), dtype=np.uint8)
    torch.set_num_threads(1)
    try:
        for name in shipped_names():
            model, card = load_checkpoint(find_weights(name))
            graph = export_onnx(model, card.input_size)
            ways = {
                "ONNX Runtime": Engine(graph, threads=1),
                "ONNX Runtime, int8": Engine(quantized(graph, card.preprocessing, faces), threads=1),
                "folded": fold(model),
                "channels_last": copy.deepcopy(model).to(memory_format=torch.channels_last),  # type: ignore[call-overload]
            }
            for count in (1, 64):
                array = card.preprocessing(faces[:count])
                batch = torch.from_numpy(array)
                last = batch.contiguous(memory_format=torch.channels_last)
                with torch.inference_mode():
                    eager = median_ms(functools.partial(model, batch), 20)
                    for way, call in ways.items():
                        ready = last if way == "channels_last" else batch if way == "folded" else array
                        rows.append(
                            row(
                                f"{name}, {count} face{'s' * (count > 1)}, {way}",
                                median_ms(functools.partial(call, ready), 20),
                                "eager PyTorch",
                                eager,
                                10 if way == "ONNX Runtime" and count == 1 else None,
                            )
                        )
    finally:
        torch.set_num_threads(threads)
    return rows


class ModelSize(TypedDict):
    """The size of one shipped model."""

    model: str
    parameters: int
    folded_parameters: int
    multiply_adds: int
    file_bytes: int


def sizes() -> list[ModelSize]:
    """The shipped models' sizes: parameters as trained and as folded, multiply-adds per face, bytes."""
    rows: list[ModelSize] = []
    for name in shipped_names():
        path = find_weights(name)
        model, card = load_checkpoint(path)
        folded = fold(model)
        rows.append(
            {
                "model": name,
                "parameters": parameter_count(model),
                "folded_parameters": parameter_count(folded),
                "multiply_adds": multiply_adds(folded, card.input_size),
                "file_bytes": path.stat().st_size,
            }
        )
    return rows


def watching() -> list[Row]:
    """Detect, align and classify a 640x480 frame with one face on one thread, and a video of such frames."""

    portrait = read_image(SAMPLE)
    frame = np.asarray(cv2.resize(portrait, (640, 640), interpolation=cv2.INTER_AREA)[:480], np.uint8)
    threads, cv_threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        auto, haar, rows = load_detector("auto"), load_detector("haar"), []
        for name in shipped_names():
            recognizer = load(name, threads=1)
            for side, aim in ((LIVE_SIDE, 12), (FULL_SIDE, 32)):
                quick = functools.partial(recognizer.predict, frame, auto, side)
                slow = functools.partial(recognizer.predict, frame, haar, side)
                rows.append(
                    row(
                        f"detect, align, {name}: one face at {side}",
                        median_ms(quick, 20),
                        f"Haar in place of {auto.name}",
                        median_ms(slow, 5),
                        aim,
                    )
                )
        for side in (LIVE_SIDE, FULL_SIDE):
            rows.append(
                row(
                    f"detection alone at {side}, {auto.name}",
                    median_ms(functools.partial(auto.detect, frame, side), 20),
                    "Haar",
                    median_ms(functools.partial(haar.detect, frame, side), 5),
                )
            )
    finally:
        torch.set_num_threads(threads)
        cv2.setNumThreads(cv_threads)
    video, seconds = io.BytesIO(), 4
    with VideoWriter(video, 640, 480, 25) as writer:
        for index in range(25 * seconds):
            writer.write(np.roll(frame, index % 20, 1), index / 25)
    recognizer = load(shipped_names()[0])
    took = median_ms(lambda: read_video(video.getvalue(), io.BytesIO(), recognizer, auto, draw_faces), 2)
    rows.append(
        row(f"video of {seconds} s, 640x480, 25 frames a second", took, "real time", 1000 * seconds, 1000 * seconds)
    )
    return rows
