"""Each place that reads a stranger's input, as a call that an input must survive: only FerError may come out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from fer.data.dataset import Dataset
from fer.data.fer2013 import read_fer2013
from fer.data.ferplus import FERPLUS_FILE
from fer.data.folders import read_folder
from fer.data.labels import SPLITS, parse_classes
from fer.data.report import report_on
from fer.data.zips import read_zip
from fer.evaluation.groups import read_metadata, slices_of
from fer.inference.recognizer import load
from fer.inference.video import read_video
from fer.limits import HOSTED, OPEN
from fer.models.card import FIELD_KINDS, Card
from fer.models.checkpoints import load_checkpoint
from fer.records import FaceBox, Prediction, Quality
from fer.training import watched_faces
from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory
from fer.vision.images import decode_image
from fer.vision.video import frames
from tests.fuzz import grammar, makers
from tests.fuzz.command_line import arguments, call
from tests.fuzz.makers import Input, or_made
from tests.fuzz.pictures import with_odd_tags
from tests.fuzz.videos import odd_video


@dataclass(frozen=True)
class Target:
    """share: of all inputs. run gets the input and an empty folder of its own, and may raise FerError."""

    make: Callable[[Random], Input]
    run: Callable[[Input, Path], object]
    share: float


def write(folder: Path, content: Input) -> Path:
    for name, data in content.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def picture(content: Input, folder: Path) -> None:
    image_rgb = decode_image(content["input"], OPEN)
    assert image_rgb.ndim == 3 and image_rgb.shape[2] == 3 and image_rgb.flags.c_contiguous


def csv(content: Input, folder: Path) -> None:
    classes = parse_classes(content.pop("classes", b"").decode("utf-8", "replace"))
    file = next(name for name in content if name != FERPLUS_FILE)
    whole(read_fer2013(write(folder, content) / file, quiet=True, cached=False, classes=classes))


def whole(dataset: Dataset) -> None:
    """As whoever shows or stores a data set relies on it."""
    assert len(dataset.pixels) == len(dataset.labels) == len(dataset.usage) == len(dataset.names) > 0
    assert dataset.votes is None or len(dataset.votes) == len(dataset)
    assert set(dataset.usage) <= set(SPLITS) and set(dataset.labels) <= set(range(-1, 7))
    texts = [*dataset.names, *dataset.left_out(), *dataset.remarks, *dict(dataset.unknown), dataset.name]
    json.dumps([*texts, *dataset.others, *dataset.unplaced, *dataset.unreadable], ensure_ascii=False).encode()
    assert all(report_on(dataset).findings())


def slices(content: Input, folder: Path) -> None:
    metadata = read_metadata(content["input"], [f"fer{row:07d}.png" for row in range(3)])
    slices_of(metadata, np.zeros(3, int), np.arange(3))


def folder(content: Input, folder: Path) -> None:
    classes = parse_classes(content.pop("classes", b"").decode("utf-8", "replace"))
    whole(read_folder(write(folder, content), "crop", quiet=True, cached=False, classes=classes))


def archive(content: Input, folder: Path) -> None:
    classes = parse_classes(content.get("classes", b"").decode("utf-8", "replace"))
    whole(read_zip(io.BytesIO(content["input"]), "the zip", "crop", quiet=True, cached=False, classes=classes))
    assert not list(folder.iterdir())


def run_directory(content: Input, folder: Path) -> None:
    """All that the page reads of a run; its charts rely on the kinds of the numbers."""
    write(folder, content)
    run = RunDirectory(folder)
    status, records, wall = run.status(), run.records(), watched_faces.read(run)
    run.current_state()
    assert isinstance(status["state"], str) and isinstance(status["heartbeat"], float)
    for record in records:
        assert len(record.recall) == 7 and {len(row) for row in record.confusion_matrix} == {7}
        assert {type(value) for value in (*record.recall, record.train_loss, record.seconds)} == {float}
        assert {type(count) for row in record.confusion_matrix for count in row} | {type(record.epoch)} == {int}
    if wall is not None:
        assert {shares.shape for shares in wall.beliefs.values()} == {(len(wall.labels), 7)}
    run = RunDirectory.open(folder)
    assert TrainConfig.from_json(json.loads(json.dumps(run.config.to_json()))) == run.config


def checkpoint(content: Input, folder: Path) -> None:
    """Load it; whoever shows the card relies on the kinds of its fields."""
    model, card = load_checkpoint(write(folder, content) / "a.safetensors")
    assert all(value.isfinite().all() for value in model.state_dict().values())
    for name, kind in FIELD_KINDS.items():
        assert isinstance(getattr(card, name), kind), name
    json.dumps(card.to_json())
    card.preprocessing(np.zeros((1, card.preprocessing.face_size, card.preprocessing.face_size), np.uint8))


def graph(content: Input, folder: Path) -> None:
    """Load it and read faces by it."""
    recognizer = load(write(folder, content) / "a.onnx", threads=1)
    side = recognizer.card.preprocessing.face_size
    assert recognizer.logits(np.zeros((3, side, side), np.uint8)).shape == (3, 7)


class Someone:
    """A detector and a recognizer in one, that see the same face everywhere: what surrounds them is tried."""

    name, card = "yunet", Card("none")

    def detect(self, image_rgb: np.ndarray, long_side: int) -> list[FaceBox]:
        return [FaceBox(0, 0, 16, 16, detector="yunet")]

    def read(self, image_rgb: np.ndarray, boxes: list[FaceBox]) -> list[Prediction]:
        return [Prediction(box, (0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1), True, Quality()) for box in boxes]


def video(content: Input, folder: Path) -> None:
    """Read it as the demo does, and read what was written of it, all frames of it."""
    out, someone = io.BytesIO(), Someone()
    result = read_video(content["input"], out, someone, someone, lambda frame_rgb, faces: frame_rgb, limits=HOSTED)
    times = [row.time_s for row in result.rows]
    assert times == sorted(set(times)) and all(np.isfinite(times)) and times[0] == 0
    if result.frames <= 100:
        assert len(list(frames(out.getvalue()))) == result.frames


def command_line(content: Input, folder: Path) -> None:
    call(json.loads(content["arguments"]), folder)


TARGETS = {
    "pictures": Target(or_made("pictures", with_odd_tags), picture, 0.30),
    "csv": Target(makers.csv_with_votes, csv, 0.20),
    "slices": Target(or_made("tables", grammar.slices_table), slices, 0.05),
    "folders": Target(makers.tree, folder, 0.06),
    "zips": Target(makers.zip_with_classes, archive, 0.09),
    "runs": Target(makers.run_files, run_directory, 0.13),
    "checkpoints": Target(makers.card_and_tensors, checkpoint, 0.10),
    "graphs": Target(makers.graph, graph, 0.05),
    "videos": Target(or_made("videos", odd_video), video, 0.10),
    "command line": Target(arguments, command_line, 0.02),
}
