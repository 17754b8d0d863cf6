"""Recognize splits and classes in the names of folders, files and labels, with a user's own names for classes."""

from __future__ import annotations

import csv
import functools
import io
import re
from collections.abc import Mapping
from types import MappingProxyType

from fer.errors import DatasetError
from fer.expressions import NAMES
from fer.wording import count_of

SPLITS = ("Training", "PublicTest", "PrivateTest")
SPLIT_WORDS = {
    "Training": ("train", "training"),
    "PublicTest": ("validation", "valid", "val", "dev", "publictest", "public"),
    "PrivateTest": ("test", "testing", "privatetest", "private"),
}
CLASS_WORDS = {
    "angry": ("angry", "anger"),
    "disgust": ("disgust", "disgusted"),
    "fear": ("fear", "fearful", "afraid", "scared"),
    "happy": ("happy", "happiness", "joy", "smile"),
    "sad": ("sad", "sadness"),
    "surprise": ("surprise", "surprised", "suprise"),
    "neutral": ("neutral", "natural", "calm"),
}
_SPLIT_OF = {word: split for split, words in SPLIT_WORDS.items() for word in words}
_CLASS_OF = {word: name for name, words in CLASS_WORDS.items() for word in words}
# Words to ignore beside a split or class: train_set, "3 - happy faces".
_FILLERS = ("dataset", "data", "set", "split", "images", "imgs", "pictures", "photos", "faces", "folder", "class")
_FILLER = re.compile(f"({'|'.join(_FILLERS)})+$")
LONGEST = 255  # maximum characters of a recognized name

ClassNames = Mapping[str, str]  # name of a folder or label in lower case -> one of the seven classes
NO_NAMES: ClassNames = MappingProxyType({})


def words_in(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The splits and classes in a name, ignoring case, numbers and filler words.

    "Train_happy" -> {"Training"}, {"happy"}; "03 - Happy faces" -> {}, {"happy"}; a name with any other word -> {}, {}.
    """
    return _words_in(name) if len(name) <= LONGEST else (frozenset(), frozenset())


@functools.lru_cache(maxsize=4096)
def _words_in(name: str) -> tuple[frozenset[str], frozenset[str]]:
    words = re.findall("[a-z]+", name.lower())
    for parts in (["".join(words)], words):  # Public_Test is one word, train_happy two
        known = [part for part in (_FILLER.sub("", part) for part in parts) if part]
        if known and all(part in _SPLIT_OF or part in _CLASS_OF for part in known):
            splits = frozenset(_SPLIT_OF[part] for part in known if part in _SPLIT_OF)
            return splits, frozenset(_CLASS_OF[part] for part in known if part in _CLASS_OF)
    return frozenset(), frozenset()


def split_of(word: str) -> str | None:
    """FER2013's name for a split, ignoring case: "train" -> "Training"."""
    splits, classes = words_in(word)
    return next(iter(splits)) if len(splits) == 1 and not classes else None


def split_in_file(name: str) -> str | None:
    """The one split named in a file name: "fer2013_test" -> "PrivateTest"."""
    found = {_SPLIT_OF[word] for word in re.findall("[a-z]+", name.lower()) if word in _SPLIT_OF}
    return found.pop() if len(found) == 1 else None


def class_of(name: str) -> str | None:
    """The class with this name: "Happiness" -> "happy"."""
    splits, classes = words_in(name)
    return next(iter(classes)) if len(classes) == 1 and not splits else None


def parse_classes(text: str) -> ClassNames:
    """`1=surprise,2=fear` -> {"1": "surprise", "2": "fear"}; a name with a comma is quoted.

    Raises DatasetError.
    """
    found: dict[str, str] = {}
    try:
        parts = next(csv.reader([text]), [])
    except csv.Error as error:
        raise DatasetError(f"--classes cannot be read: {error}. Write --classes 1=surprise,2=fear.") from None
    for part in parts:
        name, sign, word = part.rpartition("=")
        name, expression = name.strip().lower(), class_of(word)
        if not sign or not name or expression is None:
            raise DatasetError(
                f"{part.strip()[:40]!r} assigns no class to a folder or label. Write --classes 1=surprise,2=fear with "
                f"the classes {', '.join(NAMES)}."
            )
        if found.setdefault(name, expression) != expression:
            raise DatasetError(f"--classes assigns {name[:40]!r} to both {found[name]} and {expression}. Choose one.")
    return found


def format_classes(classes: ClassNames) -> str:
    """The text that `parse_classes` reads as these names."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([f"{name}={expression}" for name, expression in classes.items()])
    return out.getvalue() if classes else ""


def natural_order(name: str) -> list[tuple[int, str]]:
    """A sort key that puts 2 before 10."""
    return [(int(part) if part.isdecimal() else 0, part) for part in re.split("([0-9]{1,9})", name)]


def listed(unknown: Mapping[str, int], most: int = 10) -> str:
    """`7 (3 pictures), 8 (1 picture) and 2 more`, in natural order."""
    shown = sorted(unknown, key=natural_order)[:most]
    words = ", ".join(f"{name[:40]} ({count_of(unknown[name], 'picture')})" for name in shown)
    return words + (f" and {len(unknown) - most} more" if len(unknown) > most else "")


def check_names(classes: ClassNames, seen: Mapping[str, object], name: str) -> None:
    """Raises DatasetError for a name in --classes that is not in the data. seen: the data's names, in lower case."""
    missing = [word for word in classes if word not in seen]
    if missing:
        there = ", ".join(sorted(seen, key=natural_order)[:20]) or "none"
        raise DatasetError(
            f"{name} has no folder or label {missing[0][:40]!r}, which --classes names. It has: {there}."
        )


def no_known_class(name: str, kind: str, unknown: Mapping[str, int]) -> DatasetError:
    """The error for data whose folders or labels (kind) match no class; `details["unknown"]` counts them."""
    return DatasetError(
        f"No {kind} in {name} is named after one of the seven classes ({', '.join(NAMES)}). It has: "
        f"{listed(unknown)}. Assign them to classes, such as --classes 1=surprise,2=fear.",
        unknown=dict(unknown),
    )
