"""Why a run failed, as a word in its status, and the advice that the page shows for it.

Knows nothing of PyTorch.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from fer.errors import DatasetError, FerError, WeightsError
from fer.training.config import TrainConfig

OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")


def cause_of(error: Exception) -> str:
    """diverged, memory, data, weights, setting, disk, missing, lost or unexpected."""
    if isinstance(error, FerError) and "cause" in error.details:
        return str(error.details["cause"])
    if isinstance(error, MemoryError) or _says_out_of_memory(error):
        return "memory"
    for kind, cause in (
        (DatasetError, "data"),
        (WeightsError, "weights"),
        (FerError, "setting"),
        (OSError, "disk"),
        (ModuleNotFoundError, "missing"),
    ):
        if isinstance(error, kind):
            return cause
    # How the remaining processes of a run learn that another one ended.
    lost = isinstance(error, RuntimeError) and int(os.environ.get("WORLD_SIZE", "1")) > 1
    return "lost" if lost else "unexpected"


def _says_out_of_memory(error: Exception) -> bool:
    """PyTorch raises a RuntimeError with various messages."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY)


@dataclass(frozen=True)
class Advice:
    """words: what to change. resume: whether the run can continue with its settings."""

    words: str
    resume: bool


def advice_on(cause: str, config: TrainConfig) -> Advice:
    """Advice for a run that failed or died. cause: from `cause_of`, or "died"; empty for older runs."""
    smaller = (
        f"a batch of {config.batch_size // 2}"
        if config.batch_size // 2 >= 2 * config.processes
        else "a smaller network"
    )
    advice = {
        "diverged": Advice(f"Try a learning rate of {config.learning_rate / 10:g} and a gradient clip of 1.", False),
        "memory": Advice(f"Try {smaller}, or a smaller input size.", False),
        "data": Advice("Fix the data, then resume; or start a new run on other data.", True),
        "weights": Advice("Choose other starting weights or another teacher.", False),
        "setting": Advice("Change that setting.", False),
        "disk": Advice("Free some disk space, then resume: the run continues from its last complete epoch.", True),
        "missing": Advice("Install it, then resume.", True),
        "died": Advice(f"If it ends again, the machine may be out of memory: try {smaller}.", True),
    }
    anything = Advice("Try to resume. If the run fails again at the same place, change the settings.", True)
    return advice.get(cause, anything)
