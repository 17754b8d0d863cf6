"""How long a picture takes to train on this machine, timed beside the page: its first use loads PyTorch."""

from __future__ import annotations

import sys
import threading

import streamlit as st

from fer.faults import log_failure
from fer.training.config import TrainConfig

_one_at_a_time = threading.Lock()   # two that time at once would slow each other down


class Timing:
    """A few batches of one configuration, timed in a thread of its own, so that the page can be used meanwhile."""

    def __init__(self, config: TrainConfig) -> None:
        self.seconds_per_picture: float | None = None
        self._finished = threading.Event()
        threading.Thread(target=self._run, args=(config,), daemon=True, name="timing").start()

    @property
    def finished(self) -> bool:
        """Whether it is over; without a number where it failed."""
        return self._finished.is_set()

    @property
    def doing(self) -> str:
        loaded = "fer.training.estimate" in sys.modules
        return "Timing a few batches" if loaded else "Loading PyTorch to estimate the time"

    def _run(self, config: TrainConfig) -> None:
        try:
            with _one_at_a_time:
                from fer.training.estimate import seconds_per_picture

                self.seconds_per_picture = seconds_per_picture(config)
        except Exception as error:  # the form goes on without a time
            log_failure("The timing of a few batches failed", error)
        finally:
            self._finished.set()


@st.cache_resource(max_entries=32, ttl=300, show_spinner=False)
def timing_of(model: str, input_size: int, batch_size: int) -> Timing:
    """The timing for these settings, the same for all visitors; again after a while, as other work comes and goes."""
    return Timing(TrainConfig(model=model, input_size=input_size, batch_size=batch_size))
