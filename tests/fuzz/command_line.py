"""The command line as a target: arguments made by a grammar, then damaged; it ends by a code, never by a traceback."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import sys
import tempfile
from dataclasses import fields
from pathlib import Path
from random import Random

import fer
import fer.evaluation.evaluation
import fer.evaluation.report
import fer.inference.video
import fer.models.summary
import fer.tools.export
import fer.training.search
import fer.training.trainer
import fer.visualization.explanation_files
from fer.training.config import TrainConfig
from tests.fuzz.corpus import corpus

ODD = (
    "",
    "-",
    "--",
    "..",
    "~",
    "x" * 5000,
    "\udcff\udcfe",
    "<script>",
    "٣",
    "1e999",
    "nan",
    "-1",
    "0",
    "9" * 400,
    "{}",
    "--json",
    "--help",
    "no such file.png",
    "*",
    "\n",
    "=",
    "--model",
    "a/" * 3000,
    "/dev/null",
    "/proc/self/mem",
)
NUMBERS = ("0", "1", "-1", "1e999", "nan", "7.5", "9" * 30, "x", "")
MODELS = (
    "mini_xception",
    "in/checkpoints/one.safetensors",
    "in/checkpoints/pickled.safetensors",
    "in/runs",
    "nothing",
    "in/checkpoints/header-10-gb.safetensors",
    "../../etc/passwd",
    "in/pictures/whole.png",
    "in",
)
OUTS = ("out", "out/a", "in/pictures/whole.png/x", "/proc/x", "/dev/full", "x" * 300, ".")


@functools.cache
def corpus_folder() -> tempfile.TemporaryDirectory:
    """The corpus on disk, once a process; inputs reach it as `in/`. Loads what the first command would wait for."""
    fer.load("mini_xception")
    folder = tempfile.TemporaryDirectory(prefix="fer-fuzz-corpus-")
    for name, content in corpus().items():
        if name != "pictures/passes.jpg":  # refused by its content, whatever reads it
            file = Path(folder.name) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    return folder


def arguments(random: Random) -> dict[str, bytes]:
    """One command with its flags; whatever trains or measures for long is kept short at the end."""
    corpus_folder()
    names = [name for name in corpus() if name != "pictures/passes.jpg"]
    file = f"in/{random.choice(names)}"
    table = f"in/tables/{random.choice([name for name in names if name.startswith('tables/')]).partition('/')[2]}"
    data, model, out = random.choice((file, table, "in", "out")), random.choice(MODELS), random.choice(OUTS)
    number, detector = random.choice(NUMBERS), random.choice(("none", "none", "haar", "x"))
    config = random.choice(("in/runs/config.json", file))
    field = f"--{random.choice([field.name for field in fields(TrainConfig)]).replace('_', '-')}"
    bounded = ["--data", data, "--epochs", "1", "--limit", "8", "--processes", "1", "--search", "0"]
    commands = {
        "predict": (["predict", file, "--detector", detector, "--model", model], []),
        "evaluate": (
            ["evaluate", "--model", model, "--split", random.choice(("train", "test", "x")), "--report", out],
            ["--data", data],
        ),
        "summary": (["summary", model, "--input-size", number], []),
        "explain": (
            ["explain", file, "--out", out, "--face", number, "--model", model, "--detector", detector],
            ["--methods", random.choice(("grad_cam", "x")), "--classes", random.choice(("happy", "x"))],
        ),
        "video": (
            ["video", file, "--out", out, "--csv", out, "--readings", number, "--detector", "haar"],
            ["--model", model],
        ),
        "export": (["export", model, "--out", out], ["--data", data]),
        "train": (
            ["train", "--config", config, "--out", out, field, random.choice((number, number, number, data, model))],
            bounded,
        ),
        "resume": (["train", "--resume", random.choice(("in/runs", file, out))], bounded),
        "benchmark": (["benchmark"], ["--no-such-flag"]),
    }
    words, tail = commands[random.choice([*commands, "train", "train"])]  # the one with the most flags
    for _ in range(random.randrange(3)):
        at = random.randrange(len(words) + 1)
        words = words[:at] + ([random.choice(ODD)] if random.randrange(2) else words[at + 1 : at + 2]) + words[at + 1 :]
    return {"arguments": json.dumps(words + tail + ["--json"] * random.randrange(2)).encode()}


def call(words: list[str], folder: Path) -> None:
    """Run one command in this process, in this folder; an exit is an answer, everything else comes out."""
    from fer.cli import main

    before = Path.cwd()
    (folder / "in").symlink_to(corpus_folder().name)
    out, told = io.BytesIO(), io.BytesIO()
    os.chdir(folder)
    try:
        with (
            contextlib.redirect_stdout(io.TextIOWrapper(out, "utf-8")),
            contextlib.redirect_stderr(io.TextIOWrapper(told, "utf-8", errors="backslashreplace")),
        ):
            try:
                code = main(words)
            except SystemExit as error:
                code = error.code
            sys.stdout.flush()
    finally:
        os.chdir(before)
        (folder / "in").unlink()
    assert isinstance(code, int) or code is None, code
