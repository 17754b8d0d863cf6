"""Find, read and save a model's files: NAME.safetensors, NAME.onnx and NAME.json. Needs no PyTorch.

A save first writes all three next to the old files, the card last, and then renames them. If it is killed before the
card is written, the old files stay in use; if after, the next reader finishes the save.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fer.errors import WeightsError
from fer.files import replace_file
from fer.limits import MB, OWNER, Limits
from fer.locations import weights_folder
from fer.models.card import Card, json_of

SUFFIXES = (".safetensors", ".onnx")


def shipped_names() -> list[str]:
    """The names of the shipped weights."""
    folder = weights_folder()
    return sorted({file.stem for suffix in SUFFIXES for file in folder.glob(f"*{suffix}")})


def find_weights(name: str | Path) -> Path:
    """A name in weights/, a run directory, or a .safetensors or .onnx file -> the file. Raises WeightsError.

    For a name or run, returns the .safetensors path, which may not exist if the .onnx does.
    """
    given = Path(name)
    if given.suffix in SUFFIXES and not os.path.isdir(given):  # a run may be called like a file
        return given
    if _has_weights(given / "best.safetensors"):
        return given / "best.safetensors"
    shipped = weights_folder() / f"{given.name}.safetensors"
    if given.name == str(name) and _has_weights(shipped):
        return shipped
    if os.path.isfile(given / "config.json"):
        raise WeightsError(f"The run {given.name} has no finished epoch yet. Wait for its first one.")
    raise WeightsError(
        f"There is no model {given.name[:80]!r}. Choose from {', '.join(shipped_names()) or 'none'}, or name a run "
        "directory, or a .safetensors or .onnx file."
    )


def portable_name(name: str) -> str:
    """The name of the same weights in any working directory: an existing path made absolute; a shipped name stays."""
    shipped = name in shipped_names() and not _has_weights(Path(name) / "best.safetensors")
    return os.path.abspath(name) if name and not shipped and os.path.exists(name) else name


def _has_weights(path: Path) -> bool:
    return os.path.isfile(path) or os.path.isfile(path.with_suffix(".onnx"))


def save_files(path: Path, tensors: bytes, graph: bytes, card: Card) -> Card:
    """Write `path` (.safetensors), its .onnx and its card, all or none; returns the card with both digests."""
    card = replace(card, sha256=sha256(tensors), onnx_sha256=sha256(graph))
    replace_file(_upcoming(path), tensors)
    replace_file(_upcoming(path.with_suffix(".onnx")), graph)
    replace_file(_upcoming(path.with_suffix(".json")), json.dumps(card.to_json(), indent=2) + "\n")
    settle(path)
    return card


def _upcoming(path: Path) -> Path:
    return path.with_name(f".{path.name}.next")


def settle(path: Path) -> None:
    """Finish a save that was interrupted after all files were written; leaves an incomplete save alone."""
    card = path.with_suffix(".json")
    if not _upcoming(card).is_file():
        return
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, WeightsError):
        expected = json_of(_upcoming(card))
        if not isinstance(expected, dict):
            return
        digests = {".safetensors": expected["sha256"], ".onnx": expected.get("onnx_sha256")}
        written = []
        for suffix, digest in digests.items():
            if not digest and suffix == ".onnx":
                continue  # an older save without an .onnx
            file = path.with_suffix(suffix)
            if _upcoming(file).is_file() and sha256(read_bytes(_upcoming(file))) == digest:
                written.append(file)
            elif sha256(read_bytes(file)) != digest:
                return
        for file in (*written, card):
            with suppress(FileNotFoundError):  # another reader has already renamed it
                os.replace(_upcoming(file), file)


def read_card(path: Path | str) -> Card:
    """The card of a .safetensors or .onnx file. Raises WeightsError."""
    path = Path(path)
    if not _has_weights(path):  # with os.path.isfile, which returns False even for invalid names
        raise WeightsError(f"There are no weights called {path.name}.")
    settle(path)
    file = path.with_suffix(".json")
    try:
        stat = file.stat()
        return _card_of(file, stat.st_mtime_ns, stat.st_size, stat.st_ino)
    except FileNotFoundError:
        raise WeightsError(f"{path.name} has no card. Put {path.stem}.json in the same folder.") from None
    except (OSError, ValueError):
        raise WeightsError(f"{path.stem}.json, the card of {path.name}, cannot be read as JSON. Replace it.") from None


@functools.lru_cache(maxsize=64)
def _card_of(file: Path, changed_ns: int, size: int, inode: int) -> Card:
    return Card.from_json(json_of(file))


def read_bytes(path: Path, limits: Limits = OWNER) -> bytes:
    """Read a weights file, unless it is larger than any network here needs. Raises WeightsError."""
    most = limits.checkpoint_bytes
    try:
        if path.stat().st_size > most:
            raise WeightsError(f"{path.name} is larger than {most // MB} MB, the limit. Choose a smaller model.")
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be read: {error.strerror or 'unknown reason'}.") from None


def check_digest(path: Path, blob: bytes, expected: str) -> None:
    """Raises WeightsError if the file does not match the digest on its card."""
    if expected and sha256(blob) != expected:
        raise WeightsError(f"{path.name} does not match its card (the sha256 differs). Download both again.")


def sha256(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()
