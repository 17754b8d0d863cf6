"""The rows hang together; how fast this machine is, is not a test's business."""

from __future__ import annotations

import json
import math
import sys

import pytest

from fer.errors import FerError
from fer.tools import startup_benchmark
from fer.tools.photo_memory import resident_after, resident_mb
from fer.tools.timing import line


def check(rows: list, units: list[str]) -> None:
    assert [each["unit"] for each in rows] == units
    for each in rows:
        assert all(math.isfinite(each[key]) and each[key] > 0 for key in ("ms", "against_ms", "ratio"))
        assert f"{each['stage']} " in line(each) and f" {each['unit']} " in line(each)
        json.dumps(each, allow_nan=False)


def test_a_cold_start_has_its_time_processor_time_and_memory():
    rows = startup_benchmark.cold_start(rounds=1)
    check(rows, ["ms", "ms", "MB"])
    assert [each["aim_ms"] / each["against_ms"] for each in rows] == pytest.approx([2, 2, 1.6], rel=0.01)


def test_an_import_tells_whether_torch_came_with_it():
    rows = startup_benchmark.importing({"fer": "sys", "fer.models.vgg": "sys"}, rounds=1)
    check(rows, ["ms", "MB"] * 2)
    assert ["without torch" in each["stage"] for each in rows] == [True, True, False, False]


def test_a_process_is_charged_for_its_own_memory_alone():
    ballast = bytearray(150 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])  # resident here, and nobody else's
    small = startup_benchmark.cost_of([sys.executable, "-c", "print('hello')"])
    large = startup_benchmark.cost_of([sys.executable, "-c", "x = b'x' * (100 * 2**20)"])
    assert small["output"] == "hello\n" and small["peak_mb"] < 50 and resident_mb() > 150
    assert 90 < large["peak_mb"] - small["peak_mb"] < 120


def test_a_command_that_fails_says_why():
    with pytest.raises(FerError, match="ended with 3: too bad"):
        startup_benchmark.cost_of([sys.executable, "-c", "import sys; print('too bad', file=sys.stderr); sys.exit(3)"])


@pytest.mark.parametrize("threads", [False, True])
def test_memory_is_looked_at_after_the_named_photos(threads):
    found = resident_after((1, 3), ((600, 800), (800, 600)), threads)
    assert list(found) == [1, 3] and all(value > 50 for value in found.values())


def test_pages_that_cannot_be_opened_are_named_all_the_same(monkeypatch):
    monkeypatch.setattr(startup_benchmark, "CHROMIUM", None)
    rows = startup_benchmark.server_at_rest() + startup_benchmark.page_timings()
    assert len(rows) == 4 and all("not measured: " in line(each) and each["stage"] in line(each) for each in rows)
