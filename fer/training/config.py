"""The settings of a training run: one frozen record for the form, the command line, the JSON file and tests."""

from __future__ import annotations

import json
import math
import types
import typing
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from fer.data.labels import parse_classes
from fer.errors import DatasetError, RunError, SettingError
from fer.wording import count_of

Value = TypeVar("Value")
Balance = Literal["none", "sampling", "weights"]


def setting(default: Value, help: str) -> Value:  # noqa: A002  as argparse calls it
    """A field of TrainConfig with its help text, shown by the form and the command line."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class TrainConfig:
    """The settings of one training run. The defaults suit mini_xception and faces like FER2013's."""

    data: str = setting("synthetic", 'path of fer2013.csv, or a folder or zip with a folder per class; or "synthetic"')
    classes: str = setting("", "classes of folders or labels with other names, such as 1=surprise,2=fear")
    model: str = setting("mini_xception", "network architecture, see fer.models.registry")
    epochs: int = setting(60, "passes over the Training split")
    batch_size: int = setting(128, "pictures per training step, over all processes")
    seed: int = setting(0, "random seed for initial weights, picture order and augmentation")
    optimizer: Literal["sgd", "adamw"] = setting("sgd", "sgd (with Nesterov momentum) or adamw")
    learning_rate: float = setting(0.1, "peak learning rate; use about 0.001 for adamw")
    momentum: float = setting(0.9, "momentum of sgd")
    weight_decay: float = setting(5e-5, "strength of pulling weights toward zero; not applied to batch-norm and biases")
    schedule: Literal["cosine", "linear", "constant"] = setting(
        "cosine", "how the learning rate falls after the warm-up"
    )
    warmup_epochs: float = setting(2.0, "epochs over which the learning rate rises from zero")
    label_smoothing: float = setting(0.0, "share of each target spread evenly over all classes")
    dropout: float = setting(0.0, "share of features dropped before the classifier")
    gradient_clip: float = setting(0.0, "maximum gradient norm; 0: no limit")
    ema_decay: float = setting(0.999, "decay of the moving average of the weights, which is the saved result; 0: off")
    input_size: int = setting(44, "side of the network's input in pixels, taken from a 48-pixel face")
    small_size: int = setting(0, "side of smaller, faster inputs in the first epochs; 0: off")
    small_epochs: int = setting(0, "number of epochs with smaller inputs")
    standardise: Literal["picture", "dataset"] = setting(
        "picture", "zero mean and unit deviation: of each picture, or by the data set's statistics"
    )
    flip: float = setting(0.5, "share of faces mirrored")
    rotation: float = setting(8.0, "maximum rotation in degrees, either way")
    scale: float = setting(0.08, "maximum change of size, as a share")
    shift: float = setting(2.0, "maximum shift in pixels, in each direction")
    brightness: float = setting(0.2, "maximum change of brightness, as a share of the full range")
    contrast: float = setting(0.2, "maximum change of contrast, as a share")
    erasing: float = setting(0.0, "share of faces with a block grayed out")
    damage: float = setting(0.0, "share of faces blurred, shrunk, compressed, lit from one side or covered")
    mixup: float = setting(0.0, "strength of blending two faces (Zhang et al. 2018), such as 0.2; 0: off")
    mixup_off_epochs: int = setting(0, "number of last epochs without mixup")
    balance: Balance = setting("none", "draw rare classes more often (sampling) or weight them more (weights)")
    balance_strength: float = setting(1.0, "1: all classes count equally; 0.5: halfway, by the square root")
    balance_epochs: int = setting(0, "balance only this many last epochs; 0: all")
    ferplus_weight: float = setting(0.0, "weight of the auxiliary loss, which predicts the FER+ votes; 0: off")
    teacher: str = setting("", "checkpoints to learn from as well (Hinton et al. 2015), separated by commas")
    teacher_weight: float = setting(0.8, "teacher's share of the loss; the labels get the rest")
    teacher_temperature: float = setting(3.0, "softens the probabilities of teacher and student")
    teacher_epochs: int = setting(0, "reuse the teacher's answers, and the views, after this many epochs; 0: never")
    patience: int = setting(0, "stop after this many epochs without better accuracy; 0: never")
    init: str = setting("", "checkpoint to start from: name, run or file; keeps its preprocessing")
    freeze: str = setting("", "do not train the layers up to this one, such as block2; empty: train all")
    faces: Literal["auto", "crop", "detect"] = setting(
        "auto", "whether a folder's pictures are already cropped to faces (crop) or need face detection (detect)"
    )
    precision: Literal["no", "bf16", "fp16"] = setting("no", "mixed precision, for GPUs")
    processes: int = setting(1, "processes on this machine; each takes a share of the batch")
    threads: int = setting(0, "CPU threads; 0: PyTorch's default")
    limit: int = setting(0, "train on N pictures only, with the classes in proportion; 0: all")
    norm_pictures: int = setting(0, "remeasure batch-norm statistics on N pictures before each validation; 0: off")

    def __post_init__(self) -> None:
        def need(ok: bool, name: str, rule: str) -> None:
            if not ok:
                raise SettingError(f"{name} must be {rule}, got {getattr(self, name)!r}")

        for name, low in (
            ("epochs", 1),
            ("batch_size", 2),
            ("seed", 0),
            ("threads", 0),
            ("limit", 0),
            ("patience", 0),
            ("processes", 1),
            ("teacher_epochs", 0),
            ("small_epochs", 0),
            ("norm_pictures", 0),
            ("mixup_off_epochs", 0),
            ("balance_epochs", 0),
        ):
            need(getattr(self, name) >= low, name, f"at least {low}")
        for name, value in vars(self).items():
            need(not isinstance(value, float) or math.isfinite(value), name, "a number")
        need(self.seed < 2**32, "seed", "below 2 ** 32")
        need(self.threads <= 1024, "threads", "at most 1024")
        need(self.processes <= 64, "processes", "at most 64")
        need(self.batch_size >= 2 * self.processes, "batch_size", "at least 2 per process")
        need(self.learning_rate > 0, "learning_rate", "above 0")
        need(8 <= self.input_size <= 48, "input_size", "8 to 48")
        need(self.small_size == 0 or 8 <= self.small_size <= self.input_size, "small_size", "0, or 8 to input_size")
        need(0.5 <= self.teacher_temperature <= 20, "teacher_temperature", "0.5 to 20")
        for name in ("weight_decay", "warmup_epochs", "gradient_clip", "rotation", "shift", "mixup", "ferplus_weight"):
            need(getattr(self, name) >= 0, name, "0 or more")
        for name in ("momentum", "label_smoothing", "dropout", "ema_decay", "scale", "contrast"):
            need(0 <= getattr(self, name) < 1, name, "0 or more and below 1")
        for name in ("flip", "brightness", "erasing", "damage", "teacher_weight", "balance_strength"):
            need(0 <= getattr(self, name) <= 1, name, "0 to 1")
        try:
            parse_classes(self.classes)
        except DatasetError as error:
            raise SettingError(error.message) from None
        fits = self.allows_balance(self.balance)
        need(fits, "balance_epochs", "0 with balanced sampling and teacher_epochs")
        for name, choices in CHOICES.items():
            need(getattr(self, name) in choices, name, f"one of {', '.join(choices)}")

    def allows_balance(self, balance: str) -> bool:
        """Whether the other settings go with it: the faces of kept answers cannot be drawn anew in the last epochs."""
        return balance != "sampling" or not (self.teacher_epochs and self.balance_epochs)

    def balance_in(self, epoch: int) -> Balance:
        """How this epoch, counted from 1, is balanced."""
        return self.balance if not self.balance_epochs or epoch > self.epochs - self.balance_epochs else "none"

    def fitted(self, pictures: int) -> TrainConfig:
        """The settings for this number of training pictures: no more per step than that, but at least 2 per process.

        If there are fewer than 2 per process, a step uses pictures twice.
        """
        return replace(self, batch_size=max(min(self.batch_size, pictures), 2 * self.processes))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: object) -> TrainConfig:
        """Raises RunError for anything but a valid configuration."""
        if not isinstance(values, dict):
            raise RunError("The configuration is not a JSON object. Expected setting names and values.")
        known = {each.name: each for each in fields(cls)}
        if unknown := sorted(set(values) - set(known)):
            raise RunError(f"The configuration has an unknown setting {str(unknown[0])[:40]!r}.")
        for name, value in values.items():
            kind = type(known[name].default)
            fits = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
            if not fits:
                raise RunError(f"The setting {name} is {str(value)[:40]!r}. Expected {_kind_name(kind)}.")
        try:
            return cls(**values)
        except ValueError as error:
            raise RunError(f"The configuration cannot be used: {error}.") from None

    @classmethod
    def read(cls, path: Path) -> TrainConfig:
        try:
            return cls.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError):
            raise RunError(f"{path.name} cannot be read as JSON. Expected the settings of a run.") from None


# help() and tyro look for the settings' help in the class's docstring.
_rows = "".join(f"\n    {each.name}: {each.metadata['help']}" for each in fields(TrainConfig))
TrainConfig.__doc__ = f"{TrainConfig.__doc__}\n\nArgs:{_rows}\n"


def small_data_notes(config: TrainConfig, training: int, judged_by_itself: bool) -> list[str]:
    """Sentences for the user about data with too few pictures for a batch, or for a validation split."""
    notes = []
    if config.batch_size > training:
        notes.append(
            f"The data has {count_of(training, 'training picture')}, fewer than a batch of {config.batch_size:,}: "
            f"each step uses {config.fitted(training).batch_size:,}."
        )
    if judged_by_itself:
        notes.append(
            "There are too few pictures for a validation split. Accuracy is measured on the training pictures, and "
            "says nothing about others."
        )
    return notes


WEIGHTS = ("init", "teacher")  # settings that name weights


def names_of(places: str) -> str:
    """The bare names of comma-separated weights or data: a file's name, or the folder's name for a run."""
    paths = [Path(place.strip()) for place in places.split(",")]
    return ",".join(path.parent.name if path.name == "best.safetensors" else path.name for path in paths)


def _kind_name(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "text"}[kind]


def _choices() -> dict[str, tuple[str, ...]]:
    hints = typing.get_type_hints(TrainConfig)
    return {name: typing.get_args(hint) for name, hint in hints.items() if typing.get_origin(hint) is Literal}


CHOICES = types.MappingProxyType(_choices())


def field_help() -> dict[str, str]:
    """Each setting's help text, as a sentence."""
    texts = {each.name: each.metadata["help"] for each in fields(TrainConfig)}
    return {name: f"{text[0].upper()}{text[1:]}." for name, text in texts.items()}
