"""A checkpoint: weights as safetensors, and beside them a JSON card. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from fer.data.transforms import Preprocessing
from fer.errors import WeightsError
from fer.expressions import NAMES
from fer.models.zoo import build

WEIGHTS_FOLDER = Path(__file__).resolve().parents[2] / "weights"
MAX_BYTES = 200 * 1024 * 1024  # far above any network here; a stranger's larger file is refused unread


@dataclass(frozen=True)
class Card:
    """What must be known to use weights, and what an honest user wants to know about them."""

    architecture: str
    preprocessing: Preprocessing = Preprocessing()
    classes: tuple[str, ...] = NAMES
    temperature: float = 1.0      # logits are divided by it before the softmax
    threshold: float = 0.5        # calibrated confidence from which the app is "sure"
    data: str = ""
    licences: dict[str, str] = field(default_factory=dict)
    metrics: dict = field(default_factory=dict)  # each with the split it was measured on
    training: dict = field(default_factory=dict)
    notes: str = ""
    date: str = ""
    sha256: str = ""

    @property
    def input_size(self) -> int:
        return self.preprocessing.input_size

    def to_json(self) -> dict:
        return {**asdict(self), "classes": list(self.classes), "input_size": self.input_size}

    @classmethod
    def from_json(cls, values: object) -> Card:
        if not isinstance(values, dict) or not isinstance(values.get("architecture"), str):
            raise WeightsError("The card beside the weights does not name an architecture.")
        names = {field.name for field in fields(cls)}
        kept = {name: value for name, value in values.items() if name in names}
        kept["preprocessing"] = Preprocessing.from_json(kept.get("preprocessing", {}))
        kept["classes"] = tuple(kept.get("classes", NAMES))
        if kept["classes"] != NAMES:
            raise WeightsError(
                f"The weights have the classes {', '.join(map(str, kept['classes']))[:120]}. "
                f"Expected {', '.join(NAMES)}. Choose weights trained on these.")
        for name in ("temperature", "threshold"):
            value = kept.get(name, 1.0)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1000:
                raise WeightsError(f"The card's {name} is {str(value)[:40]!r}. Expected a number above 0.")
        if not kept.get("temperature", 1.0) > 0:
            raise WeightsError("The card's temperature is 0. Expected a number above 0.")
        return cls(**kept)


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
    with suppress(OSError, ValueError, AttributeError):
        if upcoming.is_file() and (hashlib.sha256(path.read_bytes()).hexdigest()
                                   == json.loads(upcoming.read_text(encoding="utf-8")).get("sha256")):
            os.replace(upcoming, path.with_suffix(".json"))


def load_checkpoint(path: Path | str) -> tuple[nn.Module, Card]:
    """The model in evaluation mode, and its card. Raises WeightsError saying what is wrong with which file."""
    path = Path(path)
    card = read_card(path)
    state = read_tensors(path, card.sha256)
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
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WeightsError(f"{path.name}: {name} holds values that are not numbers. The training had diverged.")
    model.load_state_dict({name: tensor.to(expected[name].dtype) for name, tensor in state.items()})
    return model.eval(), card


def read_card(path: Path) -> Card:
    """The card beside a .safetensors file."""
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"There are no weights called {path.name}.")
    _settle(path)
    try:
        return Card.from_json(json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise WeightsError(f"{path.name} has no card. Put {path.stem}.json beside it.") from None
    except (OSError, ValueError, RecursionError, TypeError):
        raise WeightsError(f"{path.stem}.json, the card of {path.name}, does not read as JSON of a card.") from None


def read_tensors(path: Path, sha256: str = "") -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file, after size and (where given) sha256 are checked."""
    if path.stat().st_size > MAX_BYTES:
        raise WeightsError(f"{path.name} is larger than {MAX_BYTES // 2**20} MB. No network here needs that.")
    blob = path.read_bytes()
    if sha256 and hashlib.sha256(blob).hexdigest() != sha256:
        raise WeightsError(f"{path.name} is not the file that its card describes (sha256 differs). Download it again.")
    try:
        return safetensors.torch.load(blob)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError, MemoryError, AttributeError):
        raise WeightsError(f"{path.name} is not a whole safetensors file. Only safetensors weights are read.") from None


def find_weights(name: str | Path) -> Path:
    """A name in weights/, a run directory, or a .safetensors file -> the file. Raises WeightsError."""
    given = Path(name)
    if given.suffix == ".safetensors":
        return given
    if (given / "best.safetensors").is_file():
        return given / "best.safetensors"
    shipped = WEIGHTS_FOLDER / f"{given.name}.safetensors"
    if given.name == str(name) and shipped.is_file():
        return shipped
    if (given / "config.json").is_file():
        raise WeightsError(f"The run {given.name} has no finished epoch yet. Wait for its first one.")
    raise WeightsError(f"There is no model {given.name!r}. Shipped: {', '.join(shipped_names()) or 'none'}; or give a "
                       "run directory or a .safetensors file.")


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
