"""How long a picture takes to train on this machine, timed in a process of its own beside the page."""

from __future__ import annotations

import subprocess
import sys
from functools import cached_property

import streamlit as st

from fer.failure_log import log_failure
from fer.training.config import TrainConfig

DOING = "Timing a few batches (PyTorch is loaded for it)"


class Timing:
    """A few batches of one configuration, timed in their own process: PyTorch stays out of the server."""

    def __init__(self, config: TrainConfig) -> None:
        command = [
            sys.executable,
            "-m",
            "fer.training.estimate",
            config.model,
            str(config.input_size),
            str(config.batch_size),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @property
    def finished(self) -> bool:
        """Whether it is over; without a number where it failed."""
        return self._process.poll() is not None

    @cached_property
    def seconds_per_picture(self) -> float | None:
        """None where it failed; to be asked for once it is finished."""
        output, problem = self._process.communicate()
        try:
            return float(output)
        except ValueError:
            log_failure("The timing of a few batches failed", RuntimeError(problem.strip().rpartition("\n")[2]))
            return None


@st.cache_resource(max_entries=32, ttl=300, show_spinner=False)
def timing_of(model: str, input_size: int, batch_size: int) -> Timing:
    """The timing for these settings, the same for all visitors; again after a while, as other work comes and goes."""
    return Timing(TrainConfig(model=model, input_size=input_size, batch_size=batch_size))
