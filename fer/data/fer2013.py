"""Read FER2013's CSV files, with FER+ votes from the same folder, and cache the parsed arrays.

Known forms (those of torchvision.datasets.FER2013): fer2013.csv (emotion, pixels, Usage),
icml_face_data.csv (emotion, Usage, pixels, with spaces in its header), train.csv (emotion, pixels) and
test.csv (pixels only: readable, but without labels). Also reads edited and exported variants: semicolons, tabs, UTF-16,
blank lines, labels such as 3.0 and happy, splits such as val.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from tqdm import tqdm

from fer.data import cache
from fer.data.cache import content_key
from fer.data.dataset import FACE_SIZE, UNLABELED, Dataset, with_validation
from fer.data.ferplus import FERPLUS_FILE, read_votes
from fer.data.labels import (
    NO_NAMES,
    SPLITS,
    ClassNames,
    check_names,
    class_of,
    natural_order,
    no_known_class,
    split_in_file,
    split_of,
)
from fer.errors import DatasetError
from fer.expressions import INDEX, NAMES
from fer.limits import OWNER, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXELS = FACE_SIZE * FACE_SIZE
ROWS_AT_ONCE = 512  # bounds the parser's memory
CELL = 60  # characters of a label that are compared
LINE = 1_000_000  # maximum characters read per line; a row of pixels has about 9,000
CACHE_VERSION = 4
SPACE, ZERO, NINE = 32, 48, 57
# Accepted names of each column, the usual one first.
TITLES = {
    "emotion": ("emotion", "label", "expression", "class"),
    "pixels": ("pixels",),
    "usage": ("usage", "split", "set"),
}
OWN_NUMBERS: ClassNames = {str(number): name for number, name in enumerate(NAMES)}
_WHOLE = re.compile("([0-9]{1,9})(?:[.,]0*)?")  # 3, or 3.0 and 3,0 as written by spreadsheets

Progress = Callable[[float], None]


def read_fer2013(
    path: Path | str,
    progress: Progress | None = None,
    quiet: bool = False,
    cached: bool = True,
    classes: ClassNames = NO_NAMES,
    limits: Limits = OWNER,
) -> Dataset:
    """Read a FER2013 CSV file, from the cache if the same bytes were read before.

    progress: called with the share done, 0..1; without it, a progress bar is shown on stderr unless quiet.
    cached: False reads the file itself and leaves nothing on disk, for pictures that must not be stored.
    classes: classes of labels with other names; if it has one of FER2013's numbers, it replaces all of them. Rows with
    other labels are left out and counted. Raises DatasetError with the row (the header is row 1) and the expected
    content, or for more rows than the limits allow.
    """
    path = Path(path)
    if not os.path.isfile(path):  # unlike Path's, also False for invalid file names
        raise DatasetError(f"There is no file {path.name}. Give the path of fer2013.csv.")
    plus = path.with_name(FERPLUS_FILE)
    sources = [path, plus] if os.path.isfile(plus) and plus != path else [path]
    for source in sources:
        try:
            source.open("rb").close()
        except OSError as error:
            raise DatasetError(
                f"{source.name} cannot be read: {error.strerror or 'unknown reason'}. Allow this user to read it, or "
                "move it away."
            ) from None
    cache_file = None
    if cached:
        what = (CACHE_VERSION, content_key(*sources), split_in_file(path.stem), sorted(classes.items()))
        cache_file = cache.file_of("fer2013", *what)
        if (dataset := cache.load(cache_file)) is not None:
            return replace(dataset, name=path.name)  # the same bytes may now have another name
    with open(path, "rb") as file:
        votes = plus if len(sources) == 2 else None
        dataset = read_table(file, path.name, path.stat().st_size, progress, quiet, classes, limits, votes)
    if cache_file is not None:
        cache.save(cache_file, dataset)
    return dataset


def read_table(
    file: BinaryIO,
    name: str,
    size: int,
    progress: Progress | None = None,
    quiet: bool = False,
    classes: ClassNames = NO_NAMES,
    limits: Limits = OWNER,
    votes: Path | None = None,
) -> Dataset:
    """Like `read_fer2013`, from an open file of this many bytes, which stays open. votes: its FER+ file."""
    text = io.TextIOWrapper(file, _encoding(file), errors="replace", newline="")
    try:
        dataset, rows, count = _parse(file, text, name, max(size, 1), progress, quiet, classes, limits)
    finally:
        text.detach()
    if votes is not None:
        dataset = replace(dataset, votes=read_votes(votes, expected_rows=count)[rows])
    return with_validation(dataset)


def _encoding(file: BinaryIO) -> str:
    """UTF-8, with or without a byte order mark, or UTF-16, the "Unicode text" of spreadsheets."""
    start = file.read(4)
    file.seek(0)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(start) == 4 and 0 in start[:2]:  # the header's first character is ASCII
        return "utf-16-le" if start[1] == 0 else "utf-16-be"
    return "utf-8-sig"


def _parse(
    file: BinaryIO,
    text: io.TextIOWrapper,
    name: str,
    size: int,
    progress: Progress | None,
    quiet: bool,
    classes: ClassNames,
    limits: Limits,
) -> tuple[Dataset, NDArray[np.int64], int]:
    """The data set, the indices (N,) of its pictures in the file, and the number of pictures in the file."""
    pixels, labels, usages, kept = [], [], [], []
    with tqdm(
        total=size, unit="B", unit_scale=True, desc=f"Reading {name}", disable=quiet or progress is not None
    ) as bar:
        table = _Table.of(text, name, classes, limits.dataset_pictures)
        for batch in table.batches():
            pixels.append(parse_pixels([row.pixels for row in batch], [row.number for row in batch]))
            labels += [row.label for row in batch]
            usages += [row.usage for row in batch]
            kept += [row.picture for row in batch]
            done = min(file.tell(), size)
            bar.update(done - bar.n)
            if progress is not None:
                progress(done / size)
    if not table.pictures:
        raise DatasetError(f"{name} has a header but no rows. Add a row for each picture.", row=2)
    check_names(classes, table.counts, name)
    if not pixels:
        raise no_known_class(name, "label", table.unknown)
    rows = np.array(kept, np.int64)
    remarks: tuple[str, ...] = ()
    if "usage" not in table.places and "emotion" in table.places and (split := split_in_file(Path(name).stem)):
        remarks = (f"There is no Usage column. By the file's name, all pictures are {split}.",)
    if assumed := table.assumed:
        remarks = (*remarks, _assumed_words(assumed, table.other_numbers))
    dataset = Dataset(
        np.concatenate(pixels),
        np.array(labels, np.int64),
        np.array(usages),
        name=name,
        unknown=tuple(table.unknown.items()),
        assumed=tuple(assumed.items()),
        remarks=remarks,
        names=np.array([f"fer{row:07d}.png" for row in rows]),
    )
    return dataset, rows, table.pictures


@dataclass(frozen=True)
class _Row:
    """number: the line in the file, from 1. picture: the picture in the file, from 0."""

    number: int
    picture: int
    pixels: str
    label: int
    usage: str


@dataclass
class _Table:
    """The rows of a CSV file, and what has been found so far.

    most: the maximum number of pictures. places: column -> its index. number: the last line read. pictures: rows that
    are not blank. counts: labels, spelled as in `classes`, with their numbers of pictures.
    """

    text: io.TextIOWrapper
    name: str
    classes: ClassNames
    most: int
    titles: list[str]
    places: dict[str, int]
    delimiter: str
    number: int
    pictures: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, text: io.TextIOWrapper, name: str, classes: ClassNames, most: int) -> _Table:
        """Read the header, at the file's start. Raises DatasetError if it lacks required columns."""
        line, number, delimiter = text.readline(LINE), 1, ""
        if sign := re.fullmatch(r"\s*\"?sep=(.)\"?\s*", line):  # a spreadsheet's separator hint
            line, number, delimiter = text.readline(LINE), 2, sign[1]
        delimiter = delimiter or max(",;\t", key=line.count)
        try:
            titles = [title.strip() for title in next(csv.reader([line], delimiter=delimiter), [])]
        except (csv.Error, TypeError, ValueError):
            raise DatasetError(f"{name} is not a CSV file. Expected text with a header row.", row=1) from None
        if not any(titles):
            raise DatasetError(f"{name} is empty. Expected a header row: emotion,pixels,Usage.", row=1)
        return cls(text, name, classes, most, titles, _places(titles, name), delimiter, number)

    def batches(self) -> Iterator[list[_Row]]:
        """The rows with known labels, ROWS_AT_ONCE at a time."""
        labels: dict[str, tuple[str, str | None]] = {}  # cell -> label and class
        usages: dict[str, str] = {}
        usual = split_in_file(Path(self.name).stem) or "Training"
        emotion, pixels, usage = self.places.get("emotion"), self.places["pixels"], self.places.get("usage")
        batch: list[_Row] = []
        for fields in self._rows():
            label, split = UNLABELED, "PrivateTest" if emotion is None else usual
            if usage is not None:
                cell = fields[usage]
                split = usages.get(cell) or usages.setdefault(cell, self._usage(cell))
            if emotion is not None:
                cell = fields[emotion][:CELL]
                if cell not in labels:
                    key = _label_in(cell)
                    labels[cell] = key, self._class_of(key)
                key, expression = labels[cell]
                self.counts[key] += 1
                if expression is None:
                    continue
                label = INDEX[expression]
            batch.append(_Row(self.number, self.pictures - 1, fields[pixels], label, split))
            if len(batch) == ROWS_AT_ONCE:
                yield batch
                batch = []
        if batch:
            yield batch

    def _rows(self) -> Iterator[list[str]]:
        width = len(self.titles)
        while line := self.text.readline(LINE):  # iterating would disable tell(), which progress needs
            self.number += 1
            try:
                # A row is one line, so that an unclosed quote does not swallow the file.
                fields = next(csv.reader([line], delimiter=self.delimiter), [])
            except csv.Error as error:
                raise DatasetError(f"Row {self.number} of {self.name} is not CSV: {error}.", row=self.number) from None
            if not any(map(str.strip, fields)):
                continue  # a blank row, or a spreadsheet's empty one
            if len(fields) != width and (len(fields) < width or any(map(str.strip, fields[width:]))):
                raise DatasetError(
                    f"Row {self.number} of {self.name} has {len(fields)} of {width} columns and may be cut off. "
                    f"Expected {', '.join(filter(None, self.titles))}.",
                    row=self.number,
                )
            self.pictures += 1
            if self.pictures > self.most:
                raise DatasetError(f"{self.name} has more than {self.most:,} pictures, the limit here. Use part of it.")
            yield fields

    @property
    def unknown(self) -> dict[str, int]:
        """The labels that match no class, with their numbers of pictures."""
        return {label: count for label, count in self.counts.items() if self._class_of(label) is None}

    @property
    def other_numbers(self) -> list[str]:
        """The numbers among the labels that FER2013 does not have."""
        return [label for label in self.counts if label.isdecimal() and label not in OWN_NUMBERS]

    @property
    def assumed(self) -> dict[str, int]:
        """The numbers read as FER2013's where the data has others too, with their numbers of pictures."""
        if not self.other_numbers:
            return {}
        return {label: count for label, count in self.counts.items() if label in self._own_numbers()}

    def _own_numbers(self) -> ClassNames:
        """FER2013's numbers, unless `classes` says what one of them means here."""
        return NO_NAMES if any(name in OWN_NUMBERS for name in self.classes) else OWN_NUMBERS

    def _class_of(self, label: str) -> str | None:
        return self.classes.get(label) or self._own_numbers().get(label) or class_of(label)

    def _usage(self, word: str) -> str:
        split = split_of(_bare(word))
        if split is None:
            raise DatasetError(
                f"Row {self.number} has the usage {_bare(word)[:20]!r}. Expected one of {', '.join(SPLITS)}, train, "
                "validation, test.",
                row=self.number,
            )
        return split


def _places(titles: list[str], name: str) -> dict[str, int]:
    """The index of each column, by any of its names."""
    known = [title.lower() for title in titles]
    places = {}
    for column, words in TITLES.items():
        word = next((word for word in words if word in known), None)
        if word is None:
            continue
        if known.count(word) > 1:
            raise DatasetError(f"{name} has two columns with the same name. Expected emotion,pixels,Usage.", row=1)
        places[column] = known.index(word)
    if "pixels" not in places:
        # Quote only what looks like a column name: the path could be any file on the server.
        shown = ", ".join(title[:20] for title in titles[:4] if title.isidentifier()) or "no column names"
        raise DatasetError(f"{name} has no column 'pixels'. Expected emotion,pixels,Usage; found {shown}.", row=1)
    if "emotion" not in places and len([title for title in titles if title]) > 1:
        raise DatasetError(f"{name} has no column 'emotion'. Expected emotion,pixels,Usage.", row=1)
    return places


def _assumed_words(assumed: Iterable[str], others: Iterable[str]) -> str:
    """What the numbers were read as, and how to say otherwise."""
    read = ", ".join(f"{number} is {OWN_NUMBERS[number]}" for number in sorted(assumed))
    return (
        f"FER2013 has no label {', '.join(sorted(others, key=natural_order)[:5])}, so check the other numbers, which "
        f"were read as FER2013's: {read}. If they mean something else, say what each one shows, such as "
        "--classes 1=surprise,2=fear."
    )


def _label_in(cell: str) -> str:
    """The label in a cell, spelled as in `classes`: 3 for 3.0."""
    text = _bare(cell).lower()
    whole = _WHOLE.fullmatch(text)
    return str(int(whole[1])) if whole else text or "(empty)"


def _bare(word: str) -> str:
    """The text without doubled quotes."""
    return word.strip().strip("'\"").strip()


def parse_pixels(texts: Sequence[str], rows: Sequence[int]) -> NDArray[np.uint8]:
    """Space-separated gray values -> (N, 48, 48) uint8, all rows at once: 2,304 numbers of up to three digits each.

    rows: the line numbers, for errors. A number ends before a space; its tens and hundreds are the one or two bytes
    before its last digit.
    """
    joined = (" ".join(texts) + " ").encode("ascii", "replace")
    text = np.frombuffer(b"  " + joined, np.uint8)  # two leading spaces keep the look-back in bounds
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
        _blame(texts, rows)
    return values.astype(np.uint8).reshape(-1, FACE_SIZE, FACE_SIZE)


def _even(texts: Sequence[str]) -> bool:
    # Check that each row has exactly 2,304 numbers of its own; single spaces make the count exact.
    return all(text.strip().count(" ") == PIXELS - 1 for text in texts)


def _blame(texts: Sequence[str], rows: Sequence[int]) -> None:
    """Raise DatasetError for the first bad row; return if only the spacing is unusual."""
    for row, text in zip(rows, texts, strict=True):
        numbers = text.split()
        bad = next((number for number in numbers if not (number.isascii() and number.isdecimal())), None)
        if bad is not None:
            raise DatasetError(f"Row {row} has the pixel {bad[:20]!r}. Expected numbers from 0 to 255.", row=row)
        if len(numbers) != PIXELS:
            raise DatasetError(f"Row {row} has {len(numbers)} pixels. Expected {PIXELS} (48 x 48).", row=row)
        if max(map(int, (number[-9:] for number in numbers))) > 255 or any(len(number) > 9 for number in numbers):
            large = next(number for number in numbers if len(number) > 9 or int(number) > 255)
            raise DatasetError(f"Row {row} has the pixel {large[:20]}. Expected numbers from 0 to 255.", row=row)
