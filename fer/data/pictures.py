"""Read pictures in class folders as a data set: cropped faces are resized, photos are detected and aligned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from tqdm import tqdm

from fer.data import cache
from fer.data.arrangement import Arrangement, Entry, arrange, as_text
from fer.data.dataset import FACE_SIZE, Dataset, with_validation
from fer.data.labels import NO_NAMES, ClassNames, format_classes
from fer.errors import DatasetError, ImageError
from fer.expressions import INDEX
from fer.limits import OWNER, Limits
from fer.records import Quality
from fer.vision.alignment import align_face
from fer.vision.detection import Auto, Detector, WholePicture, load_detector
from fer.vision.quality import assess
from fer.vision.search import find_faces
from fer.wording import count_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Faces = Literal["auto", "crop", "detect"]
CACHE_VERSION = 5


class Source(Protocol):
    """A source of pictures: a folder or a zip.

    name: for messages. key: identifies the source in the cache. files: paths with slashes, in any order.
    """

    name: str
    key: str

    @property
    def files(self) -> Sequence[str]: ...

    def stamp(self, file: str) -> object:
        """A value that changes with the file's content."""

    def read(self, file: str) -> NDArray[np.uint8]:
        """(H, W, 3) RGB. Raises ImageError."""


def read_pictures(
    source: Source,
    faces: Faces = "auto",
    progress: Callable[[float], None] | None = None,
    quiet: bool = False,
    cached: bool = True,
    classes: ClassNames = NO_NAMES,
    limits: Limits = OWNER,
) -> Dataset:
    """Read all pictures in class folders. Unusable files are left out and listed in the result.

    faces: crop treats each picture as one face, detect uses the largest face in it, auto decides by size.
    cached: False leaves nothing on disk. classes: classes of folders with other names. Raises DatasetError if the
    source is not arranged by class, holds nothing to train on, or exceeds the limits.
    """
    found = arrange(source.files, source.name, classes)
    if len(found.entries) > limits.dataset_pictures:
        raise DatasetError(
            f"{source.name} has more than {limits.dataset_pictures:,} pictures, the limit here. Use part of it."
        )
    detector = _detector(faces)
    file = None
    if cached:
        stamps = [(entry.file, source.stamp(entry.file)) for entry in found.entries]
        what = (CACHE_VERSION, source.key, faces, detector.name, format_classes(classes), stamps)
        file = cache.file_of("pictures", *what, found.others, found.unplaced, sorted(found.unknown.items()))
        if (dataset := cache.load(file)) is not None:
            return replace(dataset, name=source.name)  # the same zip may now have another name
    dataset = _read(source, found, detector, progress, quiet)
    if file is not None:
        cache.save(file, dataset)
    return dataset


def _read(
    source: Source,
    arranged: Arrangement,
    detector: Detector,
    progress: Callable[[float], None] | None,
    quiet: bool,
) -> Dataset:
    entries = arranged.entries
    pixels, unreadable, faceless, poor = [], [], [], 0
    found: list[Entry] = []
    bar = tqdm(entries, unit="picture", desc=f"Reading {source.name}", disable=quiet or progress is not None)
    for number, entry in enumerate(bar, 1):
        try:
            face, quality = read_face(source, entry.file, detector)
            if face is None:
                faceless.append(as_text(entry.file))
            else:
                pixels.append(face)
                found.append(entry)
                poor += not quality.ok
        except ImageError:
            unreadable.append(as_text(entry.file))
        if progress is not None and number % 20 == 0:
            progress(number / len(entries))
    if not found:
        raise DatasetError(
            f"No picture in {source.name} can be used: {count_of(len(unreadable), 'file')} could not be read, and no "
            f"face was found in {count_of(len(faceless), 'picture')}. If the pictures are already cropped to faces, "
            "set Faces to crop (--faces crop)."
        )
    remarks = arranged.remarks
    if poor:
        remarks = (
            *remarks,
            f"{poor:,} of {count_of(len(found), 'face')} {'is' if poor == 1 else 'are'} hard to read: too small, too "
            "dark or cut off. They are included.",
        )
    dataset = Dataset(
        np.stack(pixels),
        np.array([INDEX[entry.expression] for entry in found], np.int64),
        np.array([entry.split for entry in found]),
        name=source.name,
        unreadable=tuple(unreadable),
        faceless=tuple(faceless),
        others=tuple(map(as_text, arranged.others)),
        unplaced=tuple(map(as_text, arranged.unplaced)),
        unknown=tuple(arranged.unknown.items()),
        remarks=tuple(map(as_text, remarks)),
        # As objects: a text array would give every name the space of the longest.
        names=np.array([as_text(entry.file) for entry in found], dtype=object),
    )
    return with_validation(dataset)


def _detector(faces: Faces) -> Detector:
    if faces == "crop":
        return WholePicture()
    found = load_detector("auto")
    return found.detector if faces == "detect" and isinstance(found, Auto) else found


def read_face(source: Source, file: str, detector: Detector) -> tuple[NDArray[np.uint8] | None, Quality]:
    """One file's largest face as (48, 48) uint8, detected and cropped as in Predict, and its quality.

    None if there is no face. Raises ImageError.
    """
    image_rgb = source.read(file)
    boxes = find_faces(image_rgb, detector)
    if not boxes:
        return None, Quality()
    face = align_face(image_rgb, boxes[0], FACE_SIZE)
    return face, Quality() if boxes[0].whole else assess(image_rgb.shape, boxes[0], face, photo=True)
