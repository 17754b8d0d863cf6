"""Workers on this machine: processes of one thread each, fed one input at a time."""

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
TOLD_S = 0.5  # between two words about how far a video is
TRIES = 2  # at an input that a worker died of


def read_here(
    inputs: Sequence[Input],
    settings: Settings,
    workers: int,
    on_progress: Callable[[float], None] = lambda inputs_done: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Generator[Reading]:
    """Read the inputs with so many processes; yields each as it is finished, in any order.

    on_progress gets how many inputs are done, those at work by their share. Once stopping() says so, what is at work is
    finished and nothing else begun. A worker that dies costs its input a second try, then the input's error says so.
    Raises FerError where workers cannot start.
    """
    context = multiprocessing.get_context("spawn")  # a fork would inherit the threads' locks
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
                        raise FerError("A worker ended before it could start reading. See its output above.") from None
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
    """A process, and what it is at. given: the input; share: how much of it is done."""

    def __init__(self, context: SpawnContext, settings: Settings) -> None:
        self.connection, theirs = context.Pipe()
        self.given: Input | None = None
        self.share = 0.0
        self.process = context.Process(target=_work, args=(theirs, json.dumps(asdict(settings))), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, given: Input) -> None:
        """Hand it the next input. A worker that has died since its last word is found dead at the next look."""
        self.given, self.share = given, 0.0
        with suppress(OSError):
            self.connection.send_bytes(json.dumps([given.name, str(given.path)]).encode())

    def take(self, message: bytes) -> Reading | None:
        """A finished reading; None for a word about progress, or that the worker is ready. Raises FerError for one
        that could not start."""
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
        """End the process, whatever it does; returns what it was at."""
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
        error=f"The worker died of it, twice ({how}). It may be damaged, or need more memory than there is.",
    )


def _work(connection: Connection, settings: str) -> None:
    """The worker's process: inputs in, readings out, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of the terminal's processes: the first decides
    parent, told_s = os.getppid(), time.monotonic()

    def told(share: float) -> bool:
        nonlocal told_s
        if time.monotonic() - told_s > TOLD_S:
            told_s = time.monotonic()
            connection.send_bytes(b"%" + f"{share:.4f}".encode())
        return os.getppid() == parent  # a batch that was killed leaves nobody to read for

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
