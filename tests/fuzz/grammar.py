"""Input that is nearly right: tables and archives put together from whole parts, with an odd one here and there."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from random import Random

from fer.data.ferplus import VOTE_NAMES
from tests.fuzz.files import PIXELS, SCRIPT
from tests.fuzz.mutate import NUMBERS, TEXTS

CELLS = (
    *TEXTS,
    *map(str, NUMBERS[:7]),
    SCRIPT,
    "256",
    "1 2 3",
    "7\t7",
    "a,b",
    'say "a"',
    "two\nlines",
    "fer0000000.png",
)
USAGES = ("Training", "PublicTest", " PrivateTest ", "train", "VAL", '"Test"', "Public Test")
LABELS = ("7", "3.0", "4,0", "happy", "Contempt", "'5'", "", "nan", "03", "1e0", "x" * 99)
NAMES = (
    "happy/1.png",
    "train/sad/2.png",
    "train/sad/2.png",
    "../1.png",
    "/1.png",
    "happy\\3.png",
    "happy/",
    "a:1.png",
    "happy/1.png/2.png",
    f"happy/{SCRIPT}.png",
    "happy/" + "x" * 254 + ".png",
    "é/ü.png",
    ".DS_Store",
    "happy/1.gif",
    "a/../../1.png",
    "happy/\x01\x7f.png",
    "",
    ".",
    "..",
    "happy/1.zip",
    "__MACOSX/../1.png",
    "train\\happy\\",
    "train\\happy\\4.png",
    "happy/test/5.png",
    "sad/happy/6.png",
    "contempt/7.png",
    "1/8.png",
    "README.txt",
    "happy/labels.csv",
    "fer2013.csv",
    "happy/" + "a/" * 1500 + "1.png",
)


def faces_table(random: Random) -> bytes:
    """FER2013's columns in any order, a few rows, mostly whole."""
    columns = random.choice(
        (
            ["emotion", "pixels", "Usage"],
            ["emotion", " Usage", " pixels"],
            ["emotion", "pixels"],
            ["Label", "Pixels", "split", ""],
            ["pixels"],
            ["Usage", "pixels", "emotion", "more"],
            ["pixels", "pixels", "emotion"],
        )
    )
    rows = [[_face_cell(random, column.strip()) for column in columns] for _ in range(random.randrange(4))]
    blank = [random.choice(([], [""] * len(columns), [" "])) for _ in range(random.randrange(3))]
    return _text(random, [columns, *rows, *blank, *rows[:1]])


def _face_cell(random: Random, column: str) -> str:
    if not random.randrange(12):
        return random.choice(CELLS)
    if column == "pixels":
        odd = {0: PIXELS.replace("7 7", "7  07", 1), 1: PIXELS + " ", 2: PIXELS.replace("7", "255"), 3: PIXELS[:-2]}
        return odd.get(random.randrange(10), PIXELS)
    if column in ("Usage", "split"):
        return random.choice(USAGES)
    return str(random.randrange(7)) if random.randrange(4) else random.choice(LABELS)


def votes_table(random: Random) -> bytes:
    """FER+ votes for a few rows."""
    rows = [["Usage", "Image name", *VOTE_NAMES]]
    for _ in range(random.randrange(1, 4)):
        rows.append([random.choice(CELLS) if not random.randrange(30) else "1" for _ in rows[0]])
    return _text(random, rows)


def slices_table(random: Random) -> bytes:
    """A table about fer0000000.png and the next, with up to five other columns."""
    titles = ["file", *(random.choice((*CELLS, "age", "source")) for _ in range(random.randrange(5)))]
    random.shuffle(titles)
    rows = [
        [
            f"fer{random.randrange(4):07d}.png" if title == "file" and random.randrange(9) else random.choice(CELLS)
            for title in titles
        ][: random.randrange(1, 7)]
        for _ in range(random.randrange(5))
    ]
    return _text(random, [titles, *rows])


def _text(random: Random, rows: list[list[str]]) -> bytes:
    file, delimiter = io.StringIO(), random.choice(",,,;\t")
    if not random.randrange(8):
        file.write(random.choice((f"sep={delimiter}\n", "sep=;\r\n", '"sep=,"\n')))
    csv.writer(file, delimiter=delimiter, lineterminator=random.choice(("\n", "\r\n", "\r"))).writerows(rows)
    encodings = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1")
    return file.getvalue().encode(random.choice(encodings), "replace")


def archive(random: Random, picture: bytes) -> bytes:
    """A zip of one to five members, some under names, kinds and sizes of the wrong sort."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as zipped:
        warnings.simplefilter("ignore")  # the same name twice is asked for
        for _ in range(random.randrange(1, 6)):
            name = random.choice(NAMES) if random.randrange(3) else f"train/happy/{random.randrange(9)}.png"
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, random.choice((0, 8, 8, 12, 14))
            info.external_attr = random.choice((0, 0, 0, 0o100644, 0o120777, 0o040755, 0o060644)) << 16
            odd = random.choice((b"", b"\x89PNG", b"MZ", b"BM" * 99, f"emotion,pixels\n3,{PIXELS}\n".encode()))
            zipped.writestr(info, picture if random.randrange(6) else odd)
    return file.getvalue()
