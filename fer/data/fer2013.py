"""Read FER2013's CSV files, with the FER+ votes beside them, and keep the parsed arrays in the cache.

Known forms (those of torchvision.datasets.FER2013): fer2013.csv (emotion, pixels, Usage),
icml_face_data.csv (emotion, Usage, pixels, with spaces in its header), train.csv (emotion, pixels) and
test.csv (pixels only: readable, but without labels).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

import numpy as np
from tqdm import tqdm

from fer.data import cache
from fer.data.cache import content_key
from fer.data.dataset import FACE_SIZE, SPLITS, UNLABELED, Dataset
from fer.data.ferplus import FERPLUS_FILE, read_votes
from fer.errors import DatasetError
from fer.expressions import COUNT
from fer.limits import limits
from fer.locations import cache_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXELS = FACE_SIZE * FACE_SIZE
ROWS_AT_ONCE = 512  # bounds the memory of the parse
LINE = 1_000_000  # letters of a line that are read at most: a row of pixels has about 9,000
MAX_PICTURES = limits().dataset_pictures
CACHE_VERSION = 2
SPACE, ZERO, NINE = 32, 48, 57
LABELS = {str(label): label for label in range(COUNT)}

Progress = Callable[[float], None]


def read_fer2013(
    path: Path | str, progress: Progress | None = None, quiet: bool = False, cached: bool = True
) -> Dataset:
    """Read a FER2013 CSV file, from the cache where the same bytes were read before.

    progress: called with the share done, 0..1; without it a bar is drawn on stderr unless quiet.
    cached: False reads the file itself and leaves nothing on disk, for pictures that are not ours to keep.
    Raises DatasetError naming the row (the header is row 1) and what was expected there, or that there are more rows
    than fer.limits takes.
    """
    path = Path(path)
    if not os.path.isfile(path):  # unlike Path's, False too for names that no disk takes
        raise DatasetError(f"There is no file called {path.name}. Give the path of fer2013.csv.")
    plus = path.with_name(FERPLUS_FILE)
    sources = [path, plus] if plus.is_file() and plus != path else [path]
    for source in sources:
        try:
            source.open("rb").close()
        except OSError as error:
            raise DatasetError(
                f"{source.name} cannot be read: {error.strerror or 'unknown reason'}. Give it to this "
                "user to read, or move it away."
            ) from None
    cache_file = cache_folder() / f"fer2013-{CACHE_VERSION}-{content_key(*sources)}.npz" if cached else None
    if cache_file is not None and (dataset := cache.load(cache_file)) is not None:
        return _named(replace(dataset, name=path.name))  # the same bytes may have another name now
    dataset = _parse(path, progress, quiet)
    if len(sources) == 2:
        votes = read_votes(plus, expected_rows=len(dataset))
        dataset = Dataset(dataset.pixels, dataset.labels, dataset.usage, votes, path.name)
    if cache_file is not None:
        cache.save(cache_file, dataset)
    return _named(dataset)


def _named(dataset: Dataset) -> Dataset:
    return replace(dataset, names=np.array([f"fer{row:07d}.png" for row in range(len(dataset))]))


def _parse(path: Path, progress: Progress | None, quiet: bool) -> Dataset:
    size = max(path.stat().st_size, 1)
    pixels, labels, usage = [], [], []
    with (
        open(path, encoding="utf-8-sig", newline="") as file,
        tqdm(
            total=size, unit="B", unit_scale=True, desc=f"Reading {path.name}", disable=quiet or progress is not None
        ) as bar,
    ):
        columns = _columns(file, path.name)
        for first_row, texts, batch_labels, batch_usage in _batches(file, columns, path.name):
            pixels.append(parse_pixels(texts, first_row))
            labels += batch_labels
            if len(labels) > MAX_PICTURES:
                raise DatasetError(f"{path.name} holds more than {MAX_PICTURES:,} pictures. Give a part of it.")
            usage += batch_usage
            done = min(cast("BinaryIO", file.buffer).tell(), size)
            bar.update(done - bar.n)
            if progress is not None:
                progress(done / size)
    if not pixels:
        raise DatasetError(f"{path.name} has a header but no rows. Expected one picture a row.", row=2)
    return Dataset(np.concatenate(pixels), np.array(labels, np.int64), np.array(usage), None, path.name)


def _columns(file: TextIO, name: str) -> dict[str, int]:
    """Where each column stands, from the header row."""
    try:
        header = next(csv.reader([file.readline(LINE)]), [])
    except (UnicodeDecodeError, csv.Error):
        raise DatasetError(f"{name} is not a CSV file. Expected text with a header row.", row=1) from None
    if not header:
        raise DatasetError(f"{name} is empty. Expected a header row: emotion,pixels,Usage.", row=1)
    titles = [title.strip().lower() for title in header]
    columns = {title: index for index, title in enumerate(titles)}
    if len(columns) < len(titles):
        raise DatasetError(f"{name} has two columns of one name. Expected emotion,pixels,Usage.", row=1)
    if "pixels" not in columns:
        # Only what looks like a column's name is quoted: any file of the server can be named here.
        words = [title.strip() for title in header[:4] if title.strip().isidentifier()]
        shown = ", ".join(word[:20] for word in words) or "no names of columns"
        raise DatasetError(f"{name} has no column 'pixels'. Expected emotion,pixels,Usage; found {shown}.", row=1)
    if "emotion" not in columns and len(columns) > 1:
        raise DatasetError(f"{name} has no column 'emotion'. Expected emotion,pixels,Usage.", row=1)
    return columns


def _batches(file: TextIO, columns: dict[str, int], name: str) -> Iterator[tuple[int, list[str], list[int], list[str]]]:
    """(number of the first row, pixel texts, labels, usages), ROWS_AT_ONCE rows at a time."""
    texts, labels, usages = [], [], []
    first_row = 2
    for row, line in enumerate(_lines(file, name), 2):
        try:
            fields = next(csv.reader([line]))  # a row is one line: an open quote does not swallow the file
        except csv.Error as error:
            raise DatasetError(f"Row {row} of {name} is not CSV: {error}.", row=row) from None
        if not fields:  # a blank line
            raise DatasetError(f"Row {row} of {name} is blank. Expected {', '.join(columns)}.", row=row)
        if len(fields) != len(columns):
            raise DatasetError(
                f"Row {row} of {name} has {len(fields)} of {len(columns)} columns: it may be cut off. "
                f"Expected {', '.join(columns)}.",
                row=row,
            )
        texts.append(fields[columns["pixels"]])
        labels.append(_label(fields[columns["emotion"]], row) if "emotion" in columns else UNLABELED)
        usages.append(
            _usage(fields[columns["usage"]], row)
            if "usage" in columns
            else ("Training" if "emotion" in columns else "PrivateTest")
        )
        if len(texts) == ROWS_AT_ONCE:
            yield first_row, texts, labels, usages
            texts, labels, usages = [], [], []
            first_row = row + 1
    if texts:
        yield first_row, texts, labels, usages


def _lines(file: TextIO, name: str) -> Iterator[str]:
    # readline, not iteration: it keeps file.tell() usable for the progress bar.
    row = 1
    while True:
        row += 1
        try:
            line = file.readline(LINE)
        except UnicodeDecodeError:
            raise DatasetError(f"Row {row} of {name} is not text. Expected a CSV file.", row=row) from None
        if not line:
            return
        yield line


def _label(text: str, row: int) -> int:
    if text.strip() not in LABELS:
        raise DatasetError(f"Row {row} has the label {text.strip()[:20]!r}. Expected a number from 0 to 6.", row=row)
    return LABELS[text.strip()]


def _usage(text: str, row: int) -> str:
    if text.strip() not in SPLITS:
        raise DatasetError(
            f"Row {row} has the usage {text.strip()[:20]!r}. Expected one of {', '.join(SPLITS)}.", row=row
        )
    return text.strip()


def parse_pixels(texts: list[str], first_row: int) -> NDArray[np.uint8]:
    """Space-separated grays -> (N, 48, 48) uint8, all rows at once: 2,304 numbers of up to three digits each.

    A number ends where the next byte is a space; its tens and hundreds are the one or two bytes before.
    """
    joined = (" ".join(texts) + " ").encode("ascii", "replace")
    text = np.frombuffer(b"  " + joined, np.uint8)  # two spaces ahead, so that looking back stays inside
    is_digit = (text >= ZERO) & (text <= NINE)
    ends = np.flatnonzero(is_digit[:-1] & ~is_digit[1:])
    digits = np.where(is_digit, text - ZERO, 0)
    tens_there = is_digit[ends - 1]
    hundreds_there = tens_there & is_digit[ends - 2]
    values = (
        digits[ends].astype(np.int16)
        + 10 * digits[ends - 1].astype(np.int16) * tens_there
        + 100 * digits[ends - 2].astype(np.int16) * hundreds_there
    )
    plain = bool((is_digit | (text == SPACE)).all()) and not (hundreds_there & is_digit[np.maximum(ends - 3, 0)]).any()
    if not plain or len(values) != len(texts) * PIXELS or values.max(initial=0) > 255 or not _even(texts):
        _blame(texts, first_row)
    return values.astype(np.uint8).reshape(-1, FACE_SIZE, FACE_SIZE)


def _even(texts: list[str]) -> bool:
    # Every row holds its own 2,304 numbers, not a neighbor's: single spaces make the count exact.
    return all(text.strip().count(" ") == PIXELS - 1 for text in texts)


def _blame(texts: list[str], first_row: int) -> None:
    """Raise DatasetError for the first bad row; return where only the spacing was unusual."""
    for row, text in enumerate(texts, first_row):
        numbers = text.split()
        bad = next((number for number in numbers if not (number.isascii() and number.isdecimal())), None)
        if bad is not None:
            raise DatasetError(f"Row {row} has the pixel {bad[:20]!r}. Expected numbers from 0 to 255.", row=row)
        if len(numbers) != PIXELS:
            raise DatasetError(f"Row {row} has {len(numbers)} pixels. Expected {PIXELS} (48 x 48).", row=row)
        if max(map(int, (number[-9:] for number in numbers))) > 255 or any(len(number) > 9 for number in numbers):
            large = next(number for number in numbers if len(number) > 9 or int(number) > 255)
            raise DatasetError(f"Row {row} has the pixel {large[:20]}. Expected numbers from 0 to 255.", row=row)
