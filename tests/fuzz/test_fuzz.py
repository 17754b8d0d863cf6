"""A few hundred hostile inputs over all targets; `python -m tests.fuzz.long` does many more."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer.errors import FerError
from tests.fuzz import long
from tests.fuzz.corpus import corpus
from tests.fuzz.corpus import main as corpus_main
from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.watch import WAIT_S, watched

EXAMPLES = {
    "pictures": 100,
    "csv": 80,
    "slices": 40,
    "folders": 30,
    "zips": 80,
    "runs": 60,
    "checkpoints": 40,
    "graphs": 60,
    "videos": 60,
    "command line": 20,
}


@pytest.mark.parametrize("name", TARGETS)
def test_only_sentences_come_out(name, monkeypatch, tmp_path):
    """Hypothesis draws every choice of the maker, so that what fails is shrunk to few of them."""
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    target = TARGETS[name]

    @settings(
        max_examples=EXAMPLES[name],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def holds(random: Random) -> None:
        content = target.make(random)
        assert watched(target, content).problem == "", content

    holds()


def test_the_corpus_is_the_same_every_time_and_small(tmp_path, monkeypatch):
    before = corpus()
    corpus.cache_clear()
    monkeypatch.setattr(sys, "argv", ["corpus", str(tmp_path)])
    corpus_main()
    written = {
        file.relative_to(tmp_path).as_posix(): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()
    }
    assert written == before and sum(map(len, written.values())) < 6 * 2**20


def test_the_long_mode_tables_what_came(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["long", "--inputs", "20", "--targets", "csv", "runs"])
    monkeypatch.setattr(long.resource, "setrlimit", lambda *limits: None)  # it would stay for the tests after this one
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("FER_CACHE", "FER_RUNS"):  # main sets them; so they are put back
        monkeypatch.setenv(name, str(tmp_path))
    assert long.main() == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[:2] for row in rows[2:]] == [["csv", "12"], ["runs", "8"]]
    odd = Target(lambda random: {"a": b"x"}, lambda content, folder: 1 / 0, 1)
    monkeypatch.setattr(long, "TARGETS", {"csv": odd, "runs": odd})
    assert long.main() == 1
    folder = capsys.readouterr().out.split("\n")[0].removeprefix("findings go to ")
    assert (Path(folder) / "csv-0-0" / "input" / "a").read_bytes() == b"x"
    assert "ZeroDivisionError" in (Path(folder) / "csv-0-0" / "problem.txt").read_text()


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda content, folder: None, ""),
        (lambda content, folder: _refuse("No."), ""),
        (lambda content, folder: _refuse(""), "empty message"),
        (lambda content, folder: 1 / 0, "ZeroDivisionError"),
        (lambda content, folder: len(b"x" * 2**28), "Memory"),
        (lambda content, folder: (folder.parent / "x").touch(), "Escape"),
    ],
)
def test_the_watch_sees_what_it_watches_for(act, says, monkeypatch):
    monkeypatch.setattr("tests.fuzz.watch.MAX_GROWTH", 2**27)
    problem = watched(Target(lambda random: {}, act, 1), {}).problem
    assert says in problem and bool(problem) == bool(says)


def test_the_watch_ends_what_hangs(monkeypatch):
    def wait(content: object, folder: object) -> None:
        while True:
            try:
                time.sleep(WAIT_S)
            except Exception:  # as a reader's catch-all would
                continue

    monkeypatch.setattr("tests.fuzz.watch.WAIT_S", 0.2)
    assert "Hang" in watched(Target(lambda random: {}, wait, 1), {}).problem


def _refuse(message: str) -> None:
    raise FerError(message)
