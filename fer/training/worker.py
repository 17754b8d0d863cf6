"""Train the run in a directory, as the only process that writes there: `python -m fer.training.worker RUN_DIR`.

This module holds the run's lock, waits for its turn and reports how it ended; PyTorch is loaded only to train.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from fer.errors import FerError, RunError, missing_part
from fer.records import EpochRecord
from fer.training.failures import cause_of
from fer.training.processes import SUPERVISED, supervise
from fer.training.run_directory import RunDirectory
from fer.training.run_queue import Turn
from fer.training.stop_signal import Interrupted

NICENESS = 10


def train(
    run: RunDirectory, quiet: bool = False, on_epoch: Callable[[EpochRecord], None] | None = None, wait: bool = False
) -> str:
    """Train until finished, stopped or failed; returns that state. Raises RunError if another process is training it.

    SIGINT, SIGTERM or a file `stop` in the directory end it after the current step; the last complete epoch remains
    saved. wait: queue for the runs folder's turn, instead of training beside another run.
    """
    ranked = "RANK" in os.environ
    first = os.environ.get("RANK", "0") == "0"
    with nullcontext() if SUPERVISED in os.environ or not first else run.lock() as lock:
        with _endings(run, first) as ending:
            config = run.config
            # A launched worker (wait) honors a Stop pressed while it started; its launcher cleared older ones.
            if first and SUPERVISED not in os.environ and not wait:
                run.withdraw("stop", "pause")
            turn = None if ranked else _take_turn(run, wait)
            if first:
                run.write_status("running", epoch=0, epochs=config.epochs, message="Starting.")
            if config.processes > 1 and turn is not None:
                ending["state"] = supervise(run, config.processes, lock, turn, on_epoch)
            else:
                from fer.training.trainer import run_session

                ending["state"] = run_session(run, config, turn, quiet, on_epoch)
        return ending["state"]


def _take_turn(run: RunDirectory, wait: bool) -> Turn:
    turn = Turn(run)
    if wait:
        if not turn.wait(lambda: run.requested("stop")):
            raise Interrupted
    elif not turn.try_take():
        print("Another run in this folder is training; this one trains beside it.", file=sys.stderr)
    return turn


@contextmanager
def _endings(run: RunDirectory, writes: bool) -> Iterator[dict]:
    """Report any outcome of the block in the status, if this process is the one that writes."""
    ending = {"state": "stopped"}

    def tell(state: str, message: str, **details: str) -> None:
        if not writes:
            return
        try:
            run.write_status(state, message=message, **details)
        except OSError:  # no room even for that; the free lock still shows that the run died
            print(message, file=sys.stderr)

    try:
        yield ending
    except Interrupted:
        tell("stopped", "Stopped. Resume continues from the last complete epoch.")
    except FerError as error:
        tell("failed", error.message, cause=cause_of(error))
        raise
    except OSError as error:
        reason = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
        message = (
            f"The run could not write its files: {reason}. The last checkpoint is intact. Free disk space, then resume."
        )
        if writes:
            run.sweep()  # frees half-written files, to make room for the status
        tell("failed", message, cause=cause_of(error))
        raise RunError(message, cause=cause_of(error)) from error
    except ModuleNotFoundError as error:
        tell("failed", missing_part(error) or f"{error.name} is not installed.", cause=cause_of(error))
        raise
    except Exception as error:
        cause = cause_of(error)
        words = {
            "memory": "The machine ran out of memory. The last checkpoint is intact.",
            "lost": "Another process of this run ended. Resume continues from the last complete epoch.",
        }
        unexpected = f"The run ended with an unexpected error ({type(error).__name__}). Its log has the details."
        tell("failed", words.get(cause, unexpected), cause=cause)
        raise


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python -m fer.training.worker RUN_DIR", file=sys.stderr)
        return 2
    if "RANK" not in os.environ:
        os.nice(NICENESS)
    try:
        print(train(RunDirectory.open(Path(sys.argv[1])), quiet=True, on_epoch=_say, wait="RANK" not in os.environ))
    except FerError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


def _say(record: EpochRecord) -> None:
    print(
        f"epoch {record.epoch}: loss {record.train_loss:.4f}, validation accuracy {record.validation_accuracy:.2%}, "
        f"{record.seconds:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
