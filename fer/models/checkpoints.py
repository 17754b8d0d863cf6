"""A checkpoint: weights as safetensors, and beside them a JSON card. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from fer.errors import WeightsError
from fer.limits import limits
from fer.models.card import Card, json_of
from fer.models.zoo import build

WEIGHTS_FOLDER = Path(__file__).resolve().parents[2] / "weights"
MAX_BYTES = limits().checkpoint_bytes  # a stranger's larger file is refused unread


def save_checkpoint(path: Path, state: dict[str, torch.Tensor], card: Card) -> Card:
    """Write <path> (.safetensors) and its card <path>.json, each whole or not at all; returns the card with sha256.

    The card goes last, and lies ready before the weights change: a kill between the two is mended by `_settle`.
    """
    blob = safetensors.torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()})
    card = replace(card, sha256=hashlib.sha256(blob).hexdigest())
    upcoming = _upcoming_card(path)
    _replace(upcoming, (json.dumps(card.to_json(), indent=2) + "\n").encode())
    _replace(path, blob)
    with suppress(FileNotFoundError):  # a reader has settled it already
        os.replace(upcoming, path.with_suffix(".json"))
    return card


def _upcoming_card(path: Path) -> Path:
    return path.with_name(f".{path.stem}.json.next")


def _settle(path: Path) -> None:
    """Finish a save that was cut off between the weights and their card, once the weights are the new ones."""
    upcoming = _upcoming_card(path)
    with suppress(OSError, ValueError, AttributeError, WeightsError):
        if upcoming.is_file() and _sha256(_read(path)) == json_of(upcoming).get("sha256"):
            os.replace(upcoming, path.with_suffix(".json"))


def load_checkpoint(path: Path | str) -> tuple[nn.Module, Card]:
    """The model in evaluation mode, and its card. Raises WeightsError saying what is wrong with which file."""
    path = Path(path)
    card = read_card(path)
    try:
        state = read_tensors(path, card.sha256)
    except WeightsError:
        replaced = read_card(path)  # a run may have put better weights there between the two
        if replaced.sha256 == card.sha256:
            raise
        card, state = replaced, read_tensors(path, replaced.sha256)
    model = build(card.architecture)
    expected = model.state_dict()
    if missing := sorted(set(expected) - set(state)):
        raise WeightsError(f"{path.name} lacks {missing[0]!r} of {card.architecture}. Choose weights of that network.")
    if extra := sorted(set(state) - set(expected)):
        raise WeightsError(f"{path.name} holds {extra[0][:60]!r}, which {card.architecture} does not have.")
    for name, tensor in state.items():
        if tensor.shape != expected[name].shape:
            raise WeightsError(f"{path.name}: {name} has the shape {list(tensor.shape)}, "
                               f"expected {list(expected[name].shape)}.")
        if tensor.is_floating_point() != expected[name].is_floating_point() or tensor.is_complex():
            raise WeightsError(f"{path.name}: {name} holds {tensor.dtype}, expected {expected[name].dtype}.")
        state[name] = tensor.to(expected[name].dtype)  # first: a float64 may be too large for a float32
        if not torch.isfinite(state[name]).all():
            raise WeightsError(f"{path.name}: {name} holds values that are not numbers. The training had diverged.")
    model.load_state_dict(state)
    return model.eval(), card


def read_card(path: Path) -> Card:
    """The card beside a .safetensors file."""
    path = Path(path)
    if not os.path.isfile(path):  # unlike Path's, False too for names that no disk takes
        raise WeightsError(f"There are no weights called {path.name}.")
    _settle(path)
    try:
        return Card.from_json(json_of(path.with_suffix(".json")))
    except FileNotFoundError:
        raise WeightsError(f"{path.name} has no card. Put {path.stem}.json beside it.") from None
    except (OSError, ValueError):
        raise WeightsError(f"{path.stem}.json, the card of {path.name}, does not read as JSON of a card.") from None


def read_tensors(path: Path, sha256: str = "") -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file, after size and (where given) sha256 are checked."""
    blob = _read(path)
    if sha256 and _sha256(blob) != sha256:
        raise WeightsError(f"{path.name} is not the file that its card describes (sha256 differs). Download it again.")
    try:
        return safetensors.torch.load(blob)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError, MemoryError, AttributeError):
        raise WeightsError(f"{path.name} is not a whole safetensors file. Only safetensors weights are read.") from None


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise WeightsError(f"{path.name} is larger than {MAX_BYTES // 2**20} MB. No network here needs that.")
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be read: {error.strerror or 'unknown reason'}.") from None


def _sha256(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def find_weights(name: str | Path) -> Path:
    """A name in weights/, a run directory, or a .safetensors file -> the file. Raises WeightsError."""
    given = Path(name)
    if given.suffix == ".safetensors":
        return given
    if os.path.isfile(given / "best.safetensors"):
        return given / "best.safetensors"
    shipped = WEIGHTS_FOLDER / f"{given.name}.safetensors"
    if given.name == str(name) and os.path.isfile(shipped):
        return shipped
    if os.path.isfile(given / "config.json"):
        raise WeightsError(f"The run {given.name} has no finished epoch yet. Wait for its first one.")
    raise WeightsError(f"There is no model {given.name[:80]!r}. Shipped: {', '.join(shipped_names()) or 'none'}; or "
                       "give a run directory or a .safetensors file.")


def shipped_names() -> list[str]:
    """The names of the weights that come with the app."""
    return sorted(file.stem for file in WEIGHTS_FOLDER.glob("*.safetensors"))


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as temporary:
        try:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
        except OSError:
            os.unlink(temporary.name)
            raise
    os.chmod(temporary.name, 0o644)  # temporary files are private to their maker
    os.replace(temporary.name, path)
