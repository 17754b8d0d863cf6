"""Stop and pause requests to a run, agreed by all its processes after every step, and its heartbeat."""

from __future__ import annotations

import math
import os
import time

import torch
import torch.distributed
from accelerate import Accelerator

from fer.errors import RunError
from fer.limits import limits
from fer.training.processes import HOLD, SUPERVISED
from fer.training.run_directory import RunDirectory
from fer.training.run_queue import Turn
from fer.training.stop_signal import Interrupted, StopSignal

HEARTBEAT_S = 2.0
LOOK_S = 0.2
GO, PAUSE, STOP = 0, 1, 2


class Control:
    """Decides after each step whether to go on. Only the first process reads requests and writes the status."""

    def __init__(self, run: RunDirectory, accelerator: Accelerator, turn: Turn | None = None) -> None:
        self.run, self.accelerator, self.turn = run, accelerator, turn
        self.ranks = accelerator.num_processes
        self.stop = StopSignal(patient=self.ranks > 1)
        self._pause_request = HOLD if SUPERVISED in os.environ else "pause"
        self.paused_s, self._pause_ends = 0.0, math.inf
        self._beat, self._parent = 0.0, os.getppid()

    def beat(self, state: str = "running", **details: object) -> None:
        """Write the status, at most every two seconds."""
        if self.accelerator.is_main_process and time.monotonic() - self._beat > HEARTBEAT_S:
            self._beat = time.monotonic()
            self.run.write_status(state, **details)

    def go_on(self, **details: object) -> bool:
        """After a step: True to go on, False to stop. Waits here while the run is paused."""
        self.beat("running", **details)
        wish = self._agreed()
        if wish == PAUSE:
            wish = self._pause(details)
        return wish != STOP

    def raise_if_stopped(self) -> None:
        """Raises Interrupted if a stop was requested before the first step; several processes agree on that later."""
        if self.ranks == 1 and self._wish() == STOP:
            raise Interrupted

    def _pause(self, details: dict[str, object]) -> int:
        began, wish, turn_left = time.monotonic(), PAUSE, False
        self._beat, self._pause_ends = 0.0, began + 60 * limits().paused_minutes
        while wish == PAUSE:
            if self.run.requested("pause"):  # otherwise the parent waits for its turn, and says so
                self.beat("paused", **details, message="Paused. Resume continues from this step.")
            if self.turn and not turn_left:
                self.turn.release()  # the next run in the queue may train meanwhile
                turn_left = True
            time.sleep(LOOK_S)
            wish = self._agreed()
        self._pause_ends = math.inf  # waiting for a turn does not count as a pause
        queued = self.turn if turn_left and wish == GO else None
        if queued and not queued.wait(lambda: self._wish() == STOP, "paused", **details):
            wish = STOP
        self.paused_s += time.monotonic() - began
        self._beat = 0.0
        return wish

    def _wish(self) -> int:
        if self.stop.asked or time.monotonic() > self._pause_ends:
            return STOP
        if not self.accelerator.is_main_process:
            return GO
        return STOP if self.run.requested("stop") else PAUSE if self.run.requested(self._pause_request) else GO

    def _agreed(self) -> int:
        if self.ranks == 1:
            return self._wish()
        if os.getppid() != self._parent:
            raise RunError("The launcher of this run's processes ended.")
        wish = torch.tensor([self._wish()], device=self.accelerator.device)
        torch.distributed.all_reduce(wish, torch.distributed.ReduceOp.MAX)
        return int(wish)
