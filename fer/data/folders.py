"""Read a folder laid out <split>/<class>/*.png: 48-pixel faces as they are, photos through detection and alignment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from tqdm import tqdm

from fer.data import cache
from fer.data.dataset import FACE_SIZE, Dataset
from fer.errors import DatasetError, ImageError
from fer.expressions import INDEX, NAMES
from fer.limits import limits
from fer.records import Quality
from fer.vision.alignment import align_face
from fer.vision.detection import Detector, WholePicture, load_detector
from fer.vision.images import SUFFIXES, read_image
from fer.vision.quality import assess

if TYPE_CHECKING:
    from numpy.typing import NDArray

Faces = Literal["auto", "crop", "detect"]
CROP_SIDE = 64  # pictures up to this side are faces cut out already
VALIDATION_SHARE = 0.1  # of the training pictures, where the folder has no validation split
SPLIT_WORDS = {
    "Training": ("train", "training"),
    "PublicTest": ("validation", "valid", "val", "dev", "publictest"),
    "PrivateTest": ("test", "testing", "privatetest"),
}
CLASS_WORDS = {
    "angry": ("angry", "anger"),
    "disgust": ("disgust", "disgusted"),
    "fear": ("fear", "fearful", "afraid", "scared"),
    "happy": ("happy", "happiness", "joy", "smile"),
    "sad": ("sad", "sadness"),
    "surprise": ("surprise", "surprised"),
    "neutral": ("neutral", "natural", "calm"),
}
_SPLIT_OF = {word: split for split, words in SPLIT_WORDS.items() for word in words}
_CLASS_OF = {word: name for name, words in CLASS_WORDS.items() for word in words}
MAX_PICTURES = limits().dataset_pictures


@dataclass(frozen=True)
class Entry:
    """One picture's file, and where its folders put it."""

    path: Path
    split: str
    expression: str


def read_folder(
    folder: Path | str,
    faces: Faces = "auto",
    progress: Callable[[float], None] | None = None,
    quiet: bool = False,
    cached: bool = True,
) -> Dataset:
    """Read all pictures below. Files that are no picture, or hold no face, are left out and named in the result.

    faces: crop takes each picture for one face, detect looks for the largest face in it, auto decides by size.
    cached: False leaves nothing on disk. Raises DatasetError where the folder is not laid out by class, or
    holds nothing to train on.
    """
    root = root_of(Path(folder))
    entries, remarks = list_entries(root)
    if not entries:
        raise DatasetError(
            f"The folder {root.name} holds no pictures below folders named by class. Expected "
            f"<split>/<class>/*.png with the classes {', '.join(NAMES)}."
        )
    stamps = [(str(entry.path.relative_to(root)), *_stamp(entry.path)) for entry in entries]
    detector = None if faces == "crop" else load_detector("auto")
    file = cache.file_of("folder", 3, root.resolve(), faces, detector and detector.name, stamps) if cached else None
    if file is not None and (dataset := cache.load(file)) is not None:
        return dataset
    dataset = _read_entries(root, entries, faces, detector, progress, quiet, remarks)
    if file is not None:
        cache.save(file, dataset)
    return dataset


def list_entries(root: Path) -> tuple[list[Entry], list[str]]:
    """The pictures by name, in a stable order, and sentences about folders that were left out."""
    by_split = {child: _SPLIT_OF[child.name.lower()] for child in _folders(root) if child.name.lower() in _SPLIT_OF}
    if not by_split:
        by_split = {root: "Training"}
    entries: list[Entry] = []
    left_out: defaultdict[str, int] = defaultdict(int)
    for split_folder, split in by_split.items():
        for class_folder in _folders(split_folder):
            name = _CLASS_OF.get(class_folder.name.lower())
            if name is None:  # only looked into: a folder of another kind may be a whole disk
                with suppress(PermissionError):
                    left_out[_text(class_folder.name)] += sum(_is_picture(file) for file in class_folder.iterdir())
                continue
            entries += [Entry(file, split, name) for file in pictures_below(class_folder)]
            if len(entries) > MAX_PICTURES:
                raise DatasetError(
                    f"The folder {root.name} holds more than {MAX_PICTURES:,} pictures. Give a part of it."
                )
    remarks = [
        f"The folder {name} ({count} pictures) is none of the seven classes and was left out."
        for name, count in left_out.items()
        if count
    ]
    return entries, remarks


def pictures_below(folder: Path) -> list[Path]:
    """All picture files of a folder and of those in it, sorted; links to folders are not followed."""
    found, waiting = [], [folder]
    while waiting:  # no recursion: folders may lie a thousand deep
        with suppress(PermissionError):
            for child in waiting.pop().iterdir():
                if child.is_dir() and not child.is_symlink():
                    waiting.append(child)
                elif _is_picture(child):
                    found.append(child)
    return sorted(found)


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()


def _read_entries(
    root: Path,
    entries: list[Entry],
    faces: Faces,
    detector: Detector | None,
    progress: Callable[[float], None] | None,
    quiet: bool,
    remarks: list[str],
) -> Dataset:
    pixels, found, unreadable, faceless, poor = [], [], [], [], 0
    bar = tqdm(entries, unit="picture", desc=f"Reading {root.name}", disable=quiet or progress is not None)
    for number, entry in enumerate(bar, 1):
        try:
            face, quality = read_face(entry.path, faces, detector)
            if face is None:
                faceless.append(_text(entry.path.relative_to(root)))
            else:
                pixels.append(face)
                found.append(entry)
                poor += not quality.ok
        except ImageError:
            unreadable.append(_text(entry.path.relative_to(root)))
        if progress is not None and number % 20 == 0:
            progress(number / len(entries))
    if not found:
        raise DatasetError(
            f"None of the {len(entries)} pictures below {root.name} can be used: {len(unreadable)} are "
            f"not readable, {len(faceless)} show no face. For pictures that are faces cut out already, "
            "choose --faces crop."
        )
    labels = np.array([INDEX[entry.expression] for entry in found], np.int64)
    usage = np.array([entry.split for entry in found])
    split_made = not (usage == "PublicTest").any() and (usage == "Training").any()
    if split_made:
        usage = _with_validation(usage, labels)
        remarks = [
            *remarks,
            f"There is no validation split: {(usage == 'PublicTest').sum()} of the training pictures "
            "(10 % of each class) are kept back for it.",
        ]
    if poor:
        remarks = [
            *remarks,
            f"{poor} of the {len(found)} faces are hard to read (too small, too dark or cut off), as "
            "Predict would say. They are counted in.",
        ]
    # As objects: an array of text gives every name the room of the longest.
    names = np.array([_text(entry.path.relative_to(root)) for entry in found], dtype=object)
    return Dataset(
        np.stack(pixels),
        labels,
        usage,
        None,
        _text(root.name),
        tuple(unreadable),
        tuple(faceless),
        tuple(remarks),
        names,
        bool(split_made),
    )


def read_face(path: Path, faces: Faces, detector: Detector | None) -> tuple[NDArray[np.uint8] | None, Quality]:
    """One file's face as (48, 48) uint8, or None where none was found, and its quality. Raises ImageError."""
    image_rgb = read_image(path)
    if detector is None or faces == "crop" or (faces == "auto" and max(image_rgb.shape[:2]) <= CROP_SIDE):
        whole = WholePicture()
        return align_face(image_rgb, whole.detect(image_rgb)[0], FACE_SIZE), Quality()
    boxes = detector.detect(image_rgb)
    if not boxes:
        return None, Quality()
    face = align_face(image_rgb, boxes[0], FACE_SIZE)
    return face, assess(image_rgb.shape, boxes[0], face)


def _with_validation(usage: NDArray[np.str_], labels: NDArray[np.int64]) -> NDArray[np.str_]:
    """Keep a seeded tenth of each class of Training back, at least one picture where a class has two."""
    usage, rng = usage.astype("U11"), np.random.default_rng(0)
    for label in range(len(NAMES)):
        rows = np.flatnonzero((usage == "Training") & (labels == label))
        count = max(round(len(rows) * VALIDATION_SHARE), 1) if len(rows) > 1 else 0
        usage[rng.permutation(rows)[:count]] = "PublicTest"
    return usage


def root_of(folder: Path) -> Path:
    """Step into a lone folder that is neither a split nor a class, as zips often wrap their content in one."""
    while True:
        inside = _folders(folder)
        if len(inside) != 1 or inside[0].name.lower() in (*_SPLIT_OF, *_CLASS_OF):
            return folder
        folder = inside[0]


def _text(path: Path | str) -> str:
    """A name as it can be shown and stored: with slashes, and bytes that are no UTF-8 spelt out."""
    return Path(path).as_posix().encode("utf-8", "backslashreplace").decode()


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith((".", "__")))
    except OSError as error:
        raise DatasetError(f"The folder {folder.name} cannot be read: {error.strerror or 'unknown reason'}.") from None


def _stamp(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns
