"""A network's layers, and how long it takes to train here: found out in a process of its own beside the page.

PyTorch stays out of the server.
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
# On these settings the network and the time of a step depend; on the second ones by whether they are on.
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
_one_at_a_time = threading.Lock()  # two that ran at once would time each other


@dataclass(frozen=True)
class NetworkShown:
    """side: of the face that it gets, in pixels; parts: the diagram's boxes; layers: the table's rows; sizes in
    megabytes."""

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
    """The network of one configuration, and its steps timed. From any thread; what is None is not known yet.

    problem: why such a run would fail, in a sentence.
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
        except Exception as error:  # it only informs: the form goes on without
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
            env=worker_environment(),
        )
        # Its errors come when it ends: they are few, and never fill the pipe before.
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
    """The timing for these settings, the same for all visitors; again after a while, as other work comes and goes."""
    values = {name: getattr(config, name) for name in TIMED}
    values |= {name: on if getattr(config, name) else type(on)() for name, on in SWITCHES.items()}
    return _timing_of(replace(TrainConfig(), **values))


@st.cache_resource(max_entries=32, ttl=600, show_spinner=False)
def _timing_of(config: TrainConfig) -> Timing:
    return Timing(config)
