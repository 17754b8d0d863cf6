"""A run's id may come from a stranger's address line: it never leads out of the runs folder."""

from __future__ import annotations

import pytest

from fer.errors import RunError
from fer.training.config import TrainConfig
from fer.training.run_about import title_of
from fer.training.run_directory import RunDirectory
from fer.training.run_store import delete_run, find_run, free_id, list_runs, rename_run

HOSTILE = [
    "",
    ".",
    "..",
    "../x",
    "a/../../x",
    "/etc",
    "a/b",
    "a\\b",
    "..\\x",
    "C:x",
    "a\0b",
    "\0",
    "a\n",
    "x" * 81,
    "x" * 5000,
    "~",
    "~root",
    "$HOME",
    "*",
    "%2e%2e",
    "é",
    "\udcff",
    "<script>alert(1)</script>",
    "-rf",
    ".hidden",
    None,
    7,
    ["a"],
]


TITLES = ["é", "a\n", "C:x"]  # good enough for a title, by which no file is named


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The runs folder, with a whole run beside it that no id may reach."""
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    RunDirectory.create(tmp_path / "x", TrainConfig())
    return tmp_path / "runs"


@pytest.mark.parametrize("name", HOSTILE, ids=[str(number) for number in range(len(HOSTILE))])
def test_no_name_leads_out(folder, name):
    run = RunDirectory.create(folder / "mine", TrainConfig())
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(RunError, match="Run names may use letters, digits, spaces"):
        find_run(name)
    if name not in TITLES:
        with pytest.raises(RunError, match="Run names may use letters, digits, spaces"):
            rename_run(run, name)
    if isinstance(name, str) and name not in ("", "."):
        with pytest.raises(RunError):
            free_id(f"a/{name}")
    assert sorted(folder.parent.rglob("*")) == before and [each.id for each in list_runs()] == ["mine"]


@pytest.mark.parametrize("name", ["../../x", "x" * 300, "a\0b"])
def test_no_run_is_made_under_such_a_name(folder, name):
    with pytest.raises(RunError):
        RunDirectory.create(folder / free_id(name), TrainConfig())
    with pytest.raises(RunError):
        RunDirectory.create(folder / name.rpartition("/")[2].ljust(90, "x"), TrainConfig())
    assert not folder.exists()


def test_a_run_in_a_folder_that_no_disk_can_hold_is_a_sentence(tmp_path):
    with pytest.raises(RunError, match="too long"):
        RunDirectory.create(tmp_path / ("x" * 300) / "mine", TrainConfig())


def test_a_name_may_have_spaces(folder):
    run = RunDirectory.create(folder / "my second run", TrainConfig())
    assert find_run("my second run").path == run.path
    rename_run(run, "  Faces of mine, take 2 ")
    assert title_of(run) == "Faces of mine, take 2" and run.path.is_dir()
    other = RunDirectory.create(folder / "other", TrainConfig())
    for taken in ("Faces of mine, take 2", "my second run"):
        with pytest.raises(RunError, match="already"):
            rename_run(other, taken)


def test_a_link_is_not_followed_when_a_run_is_deleted(folder):
    folder.mkdir()
    (folder / "link").symlink_to(folder.parent / "x")
    with pytest.raises(RunError, match="cannot be deleted"):
        delete_run(find_run("link"))
    assert (folder.parent / "x" / "config.json").is_file()
