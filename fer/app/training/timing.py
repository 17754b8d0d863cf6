"""A network's layers and its training time on this machine, determined in a separate process.

This keeps PyTorch out of the server.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace

import streamlit as st

from fer.failure_log import log_failure
from fer.models.structure import Part
from fer.training.config import TrainConfig
from fer.training.launcher import worker_environment
from fer.training.pace import Costs

DOING = "Timing a few training steps…"
# The network and the time of a step depend on these settings; on the second ones, only by whether they are on.
TIMED = (
    *("model", "batch_size", "input_size", "small_size", "optimizer", "teacher", "init", "freeze"),
    *("precision", "processes", "threads"),
)
SWITCHES: dict[str, int | float] = {
    "small_epochs": 1,
    "norm_pictures": 1,
    "damage": 0.5,
    "mixup": 0.2,
    "ema_decay": 0.9,
    "ferplus_weight": 1.0,
}
_one_at_a_time = threading.Lock()  # two at once would slow each other down


@dataclass(frozen=True)
class NetworkShown:
    """side: of the input face, in pixels. parts: the diagram's boxes. layers: the table's rows. Sizes in megabytes."""

    side: int
    parts: tuple[Part, ...]
    layers: tuple[dict, ...]
    parameters: int
    forward_backward_mb: float
    parameters_mb: float
    total_mb: float

    @classmethod
    def from_json(cls, values: dict) -> NetworkShown:
        summary = values["summary"]
        sizes = {name: summary[name] for name in ("forward_backward_mb", "parameters_mb", "total_mb")}
        parts = tuple(map(Part.from_json, values["parts"]))
        return cls(values["side"], parts, tuple(summary["layers"]), summary["parameters"], **sizes)


class Timing:
    """The network of one configuration, and its timed steps. Safe from any thread; None until known.

    problem: a sentence about why such a run would fail.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.network: NetworkShown | None = None
        self.costs: Costs | None = None
        self.problem = ""
        self.finished = False
        threading.Thread(target=self._work, args=(config,), daemon=True).start()

    def _work(self, config: TrainConfig) -> None:
        try:
            with _one_at_a_time:
                self._follow(config)
        except Exception as error:  # only informative, so the form works without it
            log_failure("The timing of a few steps failed", error)
        finally:
            self.finished = True

    def _follow(self, config: TrainConfig) -> None:
        settings = json.dumps(config.to_json())
        process = subprocess.Popen(
            [sys.executable, "-m", "fer.training.estimate", settings, str(time.time())],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=worker_environment(config.processes),
        )
        # Errors are read when it ends: they are short and cannot fill the pipe.
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            values = json.loads(line)
            if "network" in values:
                self.network = NetworkShown.from_json(values["network"])
            elif "costs" in values:
                self.costs = Costs.from_json(values["costs"])
            else:
                self.problem = values["problem"]
        words = process.stderr.read().strip()
        if process.wait() or not (self.costs or self.problem):
            raise RuntimeError(words.rpartition("\n")[2])


def timing_of(config: TrainConfig) -> Timing:
    """The timing for these settings, shared by all visitors; repeated after a while, since the load varies."""
    values = {name: getattr(config, name) for name in TIMED}
    values |= {name: on if getattr(config, name) else type(on)() for name, on in SWITCHES.items()}
    return _timing_of(replace(TrainConfig(), **values))


@st.cache_resource(max_entries=32, ttl=600, show_spinner=False)
def _timing_of(config: TrainConfig) -> Timing:
    return Timing(config)
