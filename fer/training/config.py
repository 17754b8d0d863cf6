"""The settings of a training run: one frozen record that the form, the flags, the JSON file and tests share."""

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
    """A field of TrainConfig with what it is, which the form and the flags show."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class TrainConfig:
    """How one run is trained. Defaults suit mini_xception and faces like FER2013's."""

    data: str = setting("synthetic", 'path of fer2013.csv, of a folder or a zip with a folder a class, or "synthetic"')
    classes: str = setting("", "what folders or labels of other names show, such as 1=surprise,2=fear")
    model: str = setting("mini_xception", "architecture: see fer.models.registry")
    epochs: int = setting(60, "passes over the Training split")
    batch_size: int = setting(128, "pictures a step, over all processes")
    seed: int = setting(0, "random seed of weights, order and augmentation")
    optimizer: Literal["sgd", "adamw"] = setting("sgd", "sgd, with Nesterov momentum, or adamw")
    learning_rate: float = setting(0.1, "the highest learning rate; about 0.001 for adamw")
    momentum: float = setting(0.9, "of sgd")
    weight_decay: float = setting(5e-5, "pulls weights toward zero; leaves out batch-norm and biases")
    schedule: Literal["cosine", "linear", "constant"] = setting(
        "cosine", "how the learning rate falls after the warm-up"
    )
    warmup_epochs: float = setting(2.0, "the learning rate rises from zero over this many epochs")
    label_smoothing: float = setting(0.0, "share of the target spread over all classes")
    dropout: float = setting(0.0, "before the classifier")
    gradient_clip: float = setting(0.0, "largest gradient norm; 0: no limit")
    ema_decay: float = setting(0.999, "decay of the moving average of the weights, which is what is kept; 0: off")
    input_size: int = setting(44, "side of the network's view of a 48-pixel face")
    small_size: int = setting(0, "side of smaller, faster views in the first epochs; 0: none")
    small_epochs: int = setting(0, "how many epochs use the smaller views")
    standardise: Literal["picture", "dataset"] = setting(
        "picture", "zero mean, unit deviation: per picture or the data set's"
    )
    flip: float = setting(0.5, "share of faces mirrored")
    rotation: float = setting(8.0, "degrees to either side")
    scale: float = setting(0.08, "how much larger or smaller, as a share")
    shift: float = setting(2.0, "pixels in each direction")
    brightness: float = setting(0.2, "of the full range, to either side")
    contrast: float = setting(0.2, "how much stronger or weaker, as a share")
    erasing: float = setting(0.0, "share of faces with a block painted over")
    damage: float = setting(0.0, "share of faces blurred, shrunk, compressed, lit from a side or covered")
    mixup: float = setting(0.0, "strength of blending two faces (Zhang et al. 2018), such as 0.2; 0: off")
    mixup_off_epochs: int = setting(0, "the last epochs, which are trained without mixup")
    balance: Balance = setting("none", "rare classes drawn more often, or weighing more")
    balance_strength: float = setting(1.0, "1: all classes alike; 0.5: halfway, by the square root")
    balance_epochs: int = setting(0, "the last epochs, which alone are balanced; 0: all")
    ferplus_weight: float = setting(0.0, "of the auxiliary loss, which guesses the FER+ votes; 0: off")
    teacher: str = setting("", "checkpoints whose answers are learned too (Hinton et al. 2015), separated by commas")
    teacher_weight: float = setting(0.8, "share of the loss that is the teacher's; the labels have the rest")
    teacher_temperature: float = setting(3.0, "softens both sides' probabilities")
    teacher_epochs: int = setting(0, "epochs whose views and answers are kept and reused; 0: always new ones")
    patience: int = setting(0, "stop after this many epochs without a better accuracy; 0: never")
    init: str = setting("", "checkpoint to start from (name, run or file; its preprocessing stays)")
    freeze: str = setting("", "keep the layers up to this one as they are, such as block2; empty: none")
    faces: Literal["auto", "crop", "detect"] = setting(
        "auto", "whether pictures in a folder are cropped to faces or need a search for them"
    )
    precision: Literal["no", "bf16", "fp16"] = setting("no", "mixed precision, for accelerators")
    processes: int = setting(1, "processes on this machine, each with its share of a batch")
    threads: int = setting(0, "processor threads; 0: PyTorch's choice")
    limit: int = setting(0, "train on the first N pictures only; 0: all")
    norm_pictures: int = setting(0, "measure batch-norm statistics anew on N pictures before each validation; 0: no")

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
        need(self.batch_size >= 2 * self.processes, "batch_size", "at least 2 for each process")
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
        kept = self.balance == "sampling" and self.teacher_epochs > 0
        need(not (kept and self.balance_epochs), "balance_epochs", "0 where a teacher's answers are kept for its views")
        for name, choices in CHOICES.items():
            need(getattr(self, name) in choices, name, f"one of {', '.join(choices)}")

    def balances(self, epoch: int) -> bool:
        """Whether this epoch, counted from 1, goes by `balance`."""
        return self.balance != "none" and (not self.balance_epochs or epoch > self.epochs - self.balance_epochs)

    def fitted(self, pictures: int) -> TrainConfig:
        """These settings for so many training pictures: a step takes no more than there are, but 2 for each process.

        Where that is more than there are, pictures come twice in a step.
        """
        return replace(self, batch_size=max(min(self.batch_size, pictures), 2 * self.processes))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: object) -> TrainConfig:
        """Raises RunError for anything that is not a whole, sensible configuration."""
        if not isinstance(values, dict):
            raise RunError("The configuration is not a JSON object of settings.")
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
            raise RunError(f"{path.name} does not read as JSON. Expected the settings of a run.") from None


# help() and tyro look for the settings' help in the class's docstring.
_rows = "".join(f"\n    {each.name}: {each.metadata['help']}" for each in fields(TrainConfig))
TrainConfig.__doc__ = f"{TrainConfig.__doc__}\n\nArgs:{_rows}\n"


def small_data_notes(config: TrainConfig, training: int, judged_by_itself: bool) -> list[str]:
    """What a person is told where there are few pictures: so many to train on, perhaps none to validate on."""
    notes = []
    if config.batch_size > training:
        notes.append(
            f"The data has {count_of(training, 'training picture')}, fewer than a batch of {config.batch_size:,}: "
            f"a step takes {config.fitted(training).batch_size:,}."
        )
    if judged_by_itself:
        notes.append(
            "There are too few pictures for a validation split. The accuracy is then measured on the training "
            "pictures, and says nothing about others."
        )
    return notes


WEIGHTS = ("init", "teacher")  # the settings that name weights


def names_of(places: str) -> str:
    """Weights or data by their names alone, where there are several by commas: a run's is that of its folder."""
    paths = [Path(place.strip()) for place in places.split(",")]
    return ",".join(path.parent.name if path.name == "best.safetensors" else path.name for path in paths)


def _kind_name(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "text"}[kind]


def _choices() -> dict[str, tuple[str, ...]]:
    hints = typing.get_type_hints(TrainConfig)
    return {name: typing.get_args(hint) for name, hint in hints.items() if typing.get_origin(hint) is Literal}


CHOICES = types.MappingProxyType(_choices())


def field_help() -> dict[str, str]:
    """Each setting's help as a sentence."""
    texts = {each.name: each.metadata["help"] for each in fields(TrainConfig)}
    return {name: f"{text[0].upper()}{text[1:]}." for name, text in texts.items()}
