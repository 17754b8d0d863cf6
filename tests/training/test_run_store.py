"""Runs get titles for people, and what is deleted can be brought back for a while."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from fer.app.server import retention
from fer.errors import RunError
from fer.training.config import TrainConfig
from fer.training.run_about import About, default_title, read_about, title_of, titles_of, write_about
from fer.training.run_directory import RunDirectory
from fer.training.run_store import UNDO_S, delete_run, free_title, list_runs, purge_deleted, restore_run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_RUNS", str(tmp_path))
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    return tmp_path


YEAR = datetime.now().year


@pytest.mark.parametrize(
    ("run_id", "settings", "title"),
    [
        (f"{YEAR}1125-134405-mini_xception", {}, "Synthetic faces, Nov 25, 1:44:05 PM, mini-xception"),
        (f"{YEAR}1125-134406-mini_xception", {}, "Synthetic faces, Nov 25, 1:44:06 PM, mini-xception"),
        (f"{YEAR}0305-000900-mini_xception-2", {}, "Synthetic faces, Mar 5, 12:09:00 AM, mini-xception-2"),
        (
            "20240305-120000-vgg-search-03",
            {"model": "vgg", "data": f"/data/{'x' * 90}.csv"},
            f"{'x' * 39}, Mar 5, 2024, 12:00:00 PM, vgg-search-03",
        ),
        ("my run", {}, "my run"),
        ("20241399-000000-vgg", {}, "20241399-000000-vgg"),
    ],
)
def test_a_run_without_a_title_is_told_by_data_and_date(folder, run_id, settings, title):
    assert title_of(RunDirectory.create(folder / run_id, TrainConfig(**settings))) == title and len(title) <= 80


def test_a_title_comes_from_a_file_that_may_be_damaged(folder):
    run = RunDirectory.create(folder / "one", TrainConfig())
    write_about(run, About("Faces, take 1", "faces.zip", 60.0))
    assert read_about(run) == About("Faces, take 1", "faces.zip", 60.0) and title_of(run) == "Faces, take 1"
    for text in ("", "[1]", "{", '{"title": 7, "data": [], "expected_s": true}', '{"title": "<b>", "expected_s": -1}'):
        (run.path / "about.json").write_text(text)
        assert read_about(run) == About() and title_of(run) == "one"


def test_a_default_title_is_one_that_may_be_typed():
    moment = datetime(YEAR, 11, 25, 13, 44)
    assert default_title("[x](http://a)/" + "y" * 90, moment).startswith("Data _x_(http:__a)_yyy")
    assert default_title("gr\u00f6\u00dfe.csv", moment) == "gr\u00f6\u00dfe.csv, Nov 25, 1:44 PM"


def test_two_runs_of_one_minute_have_two_titles(folder):
    for name in ("one", "two"):
        run = RunDirectory.create(folder / name, TrainConfig())
        write_about(run, About(free_title("Synthetic faces, Nov 25, 1:44 PM", run)))
    assert {title_of(run) for run in list_runs()} == {
        "Synthetic faces, Nov 25, 1:44 PM",
        "Synthetic faces, Nov 25, 1:44 PM (2)",
    }


def test_runs_with_the_same_title_are_told_apart_by_their_ids(folder):
    for name, title in (("one", "Faces"), ("two", "Faces"), ("three", "Others")):
        write_about(RunDirectory.create(folder / name, TrainConfig()), About(title))
    assert titles_of(list_runs()) == {"one": "Faces [one]", "two": "Faces [two]", "three": "Others"}


def test_a_deleted_run_comes_back_whole_or_goes_for_good(folder):
    run = RunDirectory.create(folder / "my run", TrainConfig())
    run.best.write_bytes(b"weights")
    aside = delete_run(run)
    assert list_runs() == [] and not run.path.exists()
    purge_deleted(time.time() - UNDO_S)  # it is younger
    assert restore_run(aside).path == run.path and run.best.read_bytes() == b"weights"
    aside = delete_run(run)
    RunDirectory.create(folder / "my run", TrainConfig())
    with pytest.raises(RunError, match="already"):
        restore_run(aside)
    purge_deleted(time.time() + 1)
    assert not aside.exists()
    delete_run(run)
    with pytest.raises(RunError, match="no longer be restored"):
        restore_run(aside)


def test_what_was_deleted_goes_with_the_upkeep_and_when_a_server_starts(folder, monkeypatch):
    aside = delete_run(RunDirectory.create(folder / "one", TrainConfig()))
    monkeypatch.setattr(retention, "_last_s", time.monotonic() - 61)
    retention.remove_expired_if_due()
    assert aside.is_dir()
    retention.remove_expired(time.time() + UNDO_S + 1)
    assert not aside.exists()
    aside = delete_run(RunDirectory.create(folder / "two", TrainConfig()))
    monkeypatch.setattr(retention, "_last_s", float("-inf"))
    retention.remove_expired_if_due()
    assert not aside.exists()
