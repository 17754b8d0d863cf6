"""What is done stays done, and what was cut off was never there."""

from __future__ import annotations

import errno
import os
import resource

import pytest

from fer.batch.ledger import Ledger
from fer.batch.reading import Reading, file_state
from fer.errors import FerError
from tests.batch.conftest import given


@pytest.fixture
def inputs(tmp_path):
    files = [tmp_path / f"{name}.png" for name in "abc"]
    for file in files:
        file.write_bytes(b"x")
    return [given(file) for file in files]


def done(one, key="k", **values) -> Reading:
    return Reading(one.name, *file_state(one), key, False, **values)


def test_an_input_is_done_under_its_settings_as_long_as_its_file_is_the_same(tmp_path, inputs):
    path, (first, second, _) = tmp_path / "out" / "ledger", inputs
    with Ledger(path) as ledger:
        assert not ledger.holds(first, "k")
        ledger.add(done(first))
    with Ledger(path) as ledger:
        assert ledger.holds(first, "k") and not ledger.holds(first, "other") and not ledger.holds(second, "k")
        os.utime(first.path, ns=(1, 1))
        assert not ledger.holds(first, "k")
        ledger.add(done(first))
        assert ledger.holds(first, "k")
        first.path.unlink()
        assert not ledger.holds(first, "k")


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_line_that_was_cut_off_is_no_reading_and_the_next_begins_on_its_own(tmp_path, inputs, cut):
    path, (first, second, third) = tmp_path / "ledger", inputs
    with Ledger(path) as ledger:
        ledger.add(done(first))
        ledger.add(done(second))
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size - cut)
    with Ledger(path) as ledger:
        assert ledger.holds(first, "k") and not ledger.holds(second, "k")
        ledger.add(done(third))
    with Ledger(path) as ledger:
        assert [each.input for each in ledger.readings(inputs, "k")] == [first.name, third.name]


def test_a_line_that_a_disk_spoiled_costs_that_input_only(tmp_path, inputs):
    path, (first, _, third) = tmp_path / "ledger", inputs
    with Ledger(path) as ledger:
        for each in inputs:
            ledger.add(done(each))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\0" * 40 + b"\n" + lines[2])
    with Ledger(path) as ledger:
        assert [ledger.holds(each, "k") for each in inputs] == [True, False, True]
        assert [each.input for each in ledger.readings(inputs, "k")] == [first.name, third.name]


def test_readings_come_in_the_inputs_order_and_the_last_one_counts(tmp_path, inputs):
    with Ledger(tmp_path / "ledger") as ledger:
        for each, faces in zip([*reversed(inputs), inputs[0]], (1, 2, 3, 9), strict=True):
            ledger.add(done(each, faces=faces))
        found = list(ledger.readings(inputs, "k"))
        assert [(each.input, each.faces) for each in found] == [
            (one.name, faces) for one, faces in zip(inputs, (9, 2, 1), strict=True)
        ]


def test_a_full_disk_is_a_sentence_and_costs_only_what_did_not_fit(tmp_path, inputs):
    path, (first, second, third) = tmp_path / "ledger", inputs
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(FerError, match="cannot be written"), Ledger(path) as ledger:
            ledger.add(done(first))
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, hard))
            ledger.add(done(second))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with Ledger(path) as ledger:
        assert [ledger.holds(each, "k") for each in inputs] == [True, False, False]
        ledger.add(done(third))
        assert [each.input for each in ledger.readings(inputs, "k")] == [first.name, third.name]


def test_a_disk_that_does_not_keep_the_last_lines_is_a_sentence(tmp_path, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FerError, match="No space left"), Ledger(tmp_path / "ledger"):
        pass


def test_two_batches_do_not_share_a_folder(tmp_path):
    with Ledger(tmp_path / "ledger"), pytest.raises(FerError, match="Another batch"):
        Ledger(tmp_path / "ledger")
    Ledger(tmp_path / "ledger").close()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FerError, match="Choose another --out"):
        Ledger(tmp_path / "file" / "out" / "ledger")
