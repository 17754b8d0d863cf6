"""Workers on this machine: single-threaded processes that read one input at a time."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from pathlib import Path

from fer.batch.inputs import Input
from fer.batch.reading import Interrupted, Reader, Reading, Settings, file_state, read_input
from fer.errors import FerError

LOOK_S = 0.5
TOLD_S = 0.5  # between a worker's progress messages
TRIES = 2  # attempts at an input that kills its worker


def read_here(
    inputs: Sequence[Input],
    settings: Settings,
    workers: int,
    on_progress: Callable[[float], None] = lambda inputs_done: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Generator[Reading]:
    """Read the inputs with this many processes; yields each reading as it is finished, in any order.

    on_progress receives the number of inputs done, including fractions of those in progress. Once stopping() returns
    True, inputs in progress are finished and no others started. If a worker dies, its input gets a second attempt, then
    an error. Raises FerError if workers cannot start.
    """
    context = multiprocessing.get_context("spawn")  # a fork would inherit locks that other threads hold
    waiting, tries, done = deque(inputs), dict[str, int](), 0
    pool = [_Worker(context, settings) for _ in range(min(workers, len(inputs)))]
    try:
        while waiting and not stopping() or any(worker.given for worker in pool):
            ready = wait([worker.connection for worker in pool], LOOK_S)
            for worker in [worker for worker in pool if worker.connection in ready]:
                try:
                    message = worker.connection.recv_bytes()
                except (EOFError, OSError):
                    pool[pool.index(worker)] = _Worker(context, settings)
                    died_of = worker.end()
                    if died_of is None:
                        raise FerError("A worker exited before it could start. See its output above.") from None
                    tries[died_of.name] = tries.get(died_of.name, 0) + 1
                    if tries[died_of.name] < TRIES:
                        waiting.appendleft(died_of)
                    else:
                        done += 1
                        yield _died(died_of, settings, worker)
                    continue
                reading = worker.take(message)
                if reading is not None:
                    done += 1
                    yield reading
                if worker.given is None and waiting and not stopping():
                    worker.give(waiting.popleft())
            on_progress(done + sum(worker.share for worker in pool))
    finally:
        for worker in pool:
            worker.end()


class _Worker:
    """A worker process. given: the input in progress; share: the share of it that is done."""

    def __init__(self, context: SpawnContext, settings: Settings) -> None:
        self.connection, theirs = context.Pipe()
        self.given: Input | None = None
        self.share = 0.0
        self.process = context.Process(target=_work, args=(theirs, json.dumps(asdict(settings))), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, given: Input) -> None:
        """Send it the next input. If the worker has died meanwhile, the next wait finds out."""
        self.given, self.share = given, 0.0
        with suppress(OSError):
            self.connection.send_bytes(json.dumps([given.name, str(given.path)]).encode())

    def take(self, message: bytes) -> Reading | None:
        """A finished reading; None for a message about progress or readiness.

        Raises FerError if the worker could not start.
        """
        kind, content = message[:1], message[1:]
        if kind == b"!":
            raise FerError(content.decode())
        if kind == b"%":
            self.share = float(content)
        if kind != b"=":
            return None
        self.given, self.share = None, 0.0
        return Reading.from_line(content)

    def end(self) -> Input | None:
        """Terminate the process; returns the input in progress."""
        self.connection.close()
        self.process.terminate()
        self.process.join()
        return self.given


def _died(given: Input, settings: Settings, worker: _Worker) -> Reading:
    code = worker.process.exitcode or 0
    how = signal.Signals(-code).name if code < 0 else f"exit {code}"
    return Reading(
        given.name,
        *file_state(given),
        settings.key,
        given.is_video,
        error=f"Reading it crashed the worker twice ({how}). The file may be damaged or too large for the memory.",
    )


def _work(connection: Connection, settings: str) -> None:
    """The worker process: receive inputs and send readings until the connection closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; only the main one acts
    parent, told_s = os.getppid(), time.monotonic()

    def told(share: float) -> bool:
        nonlocal told_s
        if time.monotonic() - told_s > TOLD_S:
            told_s = time.monotonic()
            try:
                connection.send_bytes(b"%" + f"{share:.4f}".encode())
            except OSError:  # the batch was killed
                return False
        return os.getppid() == parent

    try:
        try:
            reader = Reader(Settings(**json.loads(settings)))
        except FerError as error:
            connection.send_bytes(b"!" + error.message.encode())
            return
        connection.send_bytes(b"+")
        while True:
            name, path = json.loads(connection.recv_bytes())
            reading = read_input(reader, Input(name, Path(path)), told)
            connection.send_bytes(b"=" + reading.to_line().encode())
    except (EOFError, OSError, Interrupted):
        return
