"""Run a batch from its inputs to readings.csv, errors.csv and summary.json."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fer.batch import local
from fer.batch.inputs import Input
from fer.batch.ledger import Ledger
from fer.batch.reading import Reading, Settings, csv_line
from fer.errors import FerError
from fer.files import replace_file, replacing
from fer.machine import cores
from fer.records import CSV_COLUMNS, cell_text

LEDGER, READINGS, ERRORS, SUMMARY = "progress.jsonl", "readings.csv", "errors.csv", "summary.json"

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Outcome:
    """A batch's result. summary: as in summary.json; errors: by input; left: inputs not read because of Ctrl-C."""

    summary: dict[str, object]
    errors: dict[str, str]
    left: int


def run_batch(
    inputs: Sequence[Input],
    out: Path,
    settings: Settings,
    workers: int | None = None,
    ray: str = "",
    on_start: Callable[[int, int], None] = lambda todo, done: None,
    on_progress: Progress = lambda inputs_done: None,
    on_reading: Callable[[Reading], None] = lambda reading: None,
) -> Outcome:
    """Read the inputs not yet read, and write the table of all inputs.

    workers: None for one per core. ray: empty for local processes, `local`, or a cluster's address. on_start receives
    the number of inputs to read and the number already done. After SIGINT or SIGTERM, inputs in progress are finished;
    a second signal aborts them. Raises FerError if the whole batch cannot continue; finished inputs are kept.
    """
    began = time.monotonic()
    with Ledger(out / LEDGER) as ledger, _stopping() as stopping, ExitStack() as stack:
        todo = [given for given in inputs if not ledger.holds(given, settings.key)]
        on_start(len(todo), len(inputs) - len(todo))
        if ray and todo:
            from fer.batch import ray_cluster

            stack.enter_context(ray_cluster.connected(ray))
            workers, read = workers or ray_cluster.cluster_cores(), ray_cluster.read_there
        else:
            workers, read = workers or cores(), local.read_here
        errors: dict[str, str] = {}
        finished = set[str]()
        with closing(read(todo, settings, workers, on_progress, stopping) if todo else _nothing()) as readings:
            for reading in readings:
                if reading.error:
                    errors[reading.input] = reading.error
                else:
                    ledger.add(reading)
                    finished.add(reading.input)
                on_reading(reading)
        left = len(todo) - len(finished) - len(errors)
        todo_names = {given.name for given in todo}
        known = [given for given in inputs if given.name in finished or given.name not in todo_names]
        totals = _write_table(out / READINGS, ledger.readings(known, settings.key))
        summary: dict[str, object] = {
            "inputs": len(inputs),
            "read": len(finished),
            "read_before": len(inputs) - len(todo),
            "failed": len(errors),
            "left": left,
            **totals,
            "seconds": round(time.monotonic() - began, 3),
            "workers": min(workers, len(todo)),
            "ray": ray or None,
            "model": Path(settings.model).name,
            "card": settings.card,
            "settings": {
                "detector": settings.detector,
                "automatic": settings.automatic,
                "device": settings.device,
                "readings_per_s": settings.readings_per_s,
                "stability": settings.stability,
            },
        }
        _write(out / ERRORS, _errors_csv({given.name: errors[given.name] for given in inputs if given.name in errors}))
        _write(out / SUMMARY, json.dumps(summary, indent=1) + "\n")
    return Outcome(summary, errors, left)


def _nothing() -> Generator[Reading]:
    yield from ()


def _write_table(path: Path, readings: Iterator[Reading]) -> dict[str, object]:
    """Write readings.csv in the inputs' order; returns the totals."""
    faces, videos, answers, notes = 0, 0, Counter[str](), dict[str, list[str]]()
    try:
        with replacing(path) as file:
            file.write(csv_line(CSV_COLUMNS).encode())
            for reading in readings:
                for piece in reading.lines():
                    file.write(piece)
                faces, videos = faces + reading.faces, videos + reading.video
                answers.update(reading.answers)
                if reading.notes:
                    notes[reading.input] = list(reading.notes)
    except OSError as error:
        raise _unwritable(path, error) from None
    return {"faces": faces, "videos": videos, "answers": dict(answers.most_common()), "notes": notes}


def _errors_csv(errors: dict[str, str]) -> str:
    lines = [("input", "error"), *((cell_text(name), error) for name, error in errors.items())]
    return "".join(map(csv_line, lines))


def _write(path: Path, content: str) -> None:
    try:
        replace_file(path, content)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> FerError:
    return FerError(
        f"{path.name} cannot be written: {error.strerror}. The results are saved. Run the command again to write it."
    )


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """A function that tells whether SIGINT or SIGTERM arrived; a second signal raises KeyboardInterrupt.

    Outside the main thread it always returns False.
    """
    asked = threading.Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
