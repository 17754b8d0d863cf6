"""Turn SIGINT and SIGTERM into stop requests for the training loop. Knows nothing of PyTorch."""

from __future__ import annotations

import signal


class Interrupted(Exception):
    """A stop was requested in the middle of an epoch; the epoch restarts on resume."""


class StopSignal:
    """Set by SIGINT and SIGTERM; a second signal ends a lone process the usual way."""

    def __init__(self, patient: bool = False) -> None:
        self.asked = self.patient = False
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                signal.signal(number, self._ask)
            except ValueError:  # not the main thread; the file `stop` still works
                break
        self.patient = patient

    def _ask(self, number: int, _frame) -> None:
        self.asked = True
        if not self.patient:
            signal.signal(number, signal.SIG_DFL)
