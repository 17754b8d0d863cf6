"""Presets for common goals; each lists only what differs from TrainConfig's defaults."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Preset:
    """A name for the form, a sentence, and the settings that differ from the defaults."""

    name: str
    words: str
    settings: dict = field(default_factory=dict)


PRESETS = (
    Preset(
        "Quick look",
        "Eight short epochs to see how a run works: about a minute on the synthetic faces.",
        {"epochs": 8, "batch_size": 64, "learning_rate": 0.05, "warmup_epochs": 1.0, "ema_decay": 0.98},
    ),
    Preset("Standard", "60 epochs with light augmentation, for faces like FER2013's."),
    Preset(
        "Thorough",
        "Twice as long, with blended faces and grayed-out blocks to reduce overfitting.",
        {"epochs": 120, "erasing": 0.25, "mixup": 0.1, "patience": 30},
    ),
    Preset(
        "Fine-tune the shipped weights on my data",
        "Start from weights trained on FER2013, at a low learning rate; the first layers are not trained.",
        {
            "model": "mini_xception_64",
            "init": "mini_xception",
            "freeze": "conv2",
            "epochs": 15,
            "learning_rate": 0.01,
            "warmup_epochs": 1.0,
            "ema_decay": 0.98,
            "batch_size": 64,
            "patience": 6,
        },
    ),
)

# The form's groups, in the order of the user's decisions; every field of TrainConfig but `data` and `classes`.
GROUPS = {
    "": ("model", "epochs", "batch_size", "learning_rate"),
    "Starting weights": ("init", "freeze"),
    "Classes and loss": ("balance", "balance_strength", "balance_epochs", "label_smoothing", "ferplus_weight"),
    "Teacher": ("teacher", "teacher_weight", "teacher_temperature", "teacher_epochs"),
    "Optimizer": (
        "optimizer",
        "schedule",
        "warmup_epochs",
        "momentum",
        "weight_decay",
        "gradient_clip",
        "ema_decay",
        "norm_pictures",
    ),
    "Regularization": ("dropout", "mixup", "mixup_off_epochs", "patience"),
    "Random views": ("flip", "rotation", "scale", "shift", "brightness", "contrast", "erasing", "damage"),
    "Input": ("input_size", "small_size", "small_epochs", "standardise", "faces", "limit"),
    "Machine": ("seed", "threads", "processes", "precision"),
}
