"""Runs as processes: queued, paused, resumed, stopped, renamed, deleted; the server may come and go."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fer.errors import RunError
from fer.training import launcher, run_queue, run_store
from fer.training.run_directory import RunDirectory
from tests.training.conftest import small
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]


def test_one_run_trains_at_a_time_and_a_paused_one_lets_the_next_go_first(runs_folder):
    first = launcher.start(small(epochs=200), "first")
    wait_for(lambda: first.status().get("step"))
    second = launcher.start(small(epochs=1), "second")
    wait_for(lambda: "queued_at" in second.status())
    third = launcher.start(small(epochs=1), "third")
    wait_for(lambda: len(run_queue.queue(runs_folder)) == 2)
    assert [run.id for run in run_queue.queue(runs_folder)] == ["second", "third"]
    assert second.status()["state"] == third.status()["state"] == "queued"
    launcher.stop(third)  # leaves the queue
    wait_for(lambda: third.status()["state"] == "stopped")
    launcher.pause(first)
    wait_for(lambda: first.status()["state"] == "paused")
    wait_for(lambda: second.status()["state"] == "finished")
    here = first.status()["epoch"], first.status()["step"]
    fourth = launcher.start(small(epochs=200), "fourth")
    wait_for(lambda: fourth.status()["state"] == "running")
    launcher.resume(first)
    wait_for(lambda: "queued_at" in first.status())  # waits, and still says how far it came
    assert (first.status()["epoch"], first.status()["step"]) == here and first.status()["steps"]
    launcher.stop(fourth)
    wait_for(lambda: first.status()["state"] == "running")
    wait_for(lambda: (first.status().get("epoch", 0), first.status().get("step", 0)) > here)
    launcher.stop(first)
    wait_for(lambda: first.status()["state"] == "stopped")


def test_a_run_outlives_the_process_that_started_it(runs_folder):
    """As a server restart: the starter ends at once, the worker is its own session and goes on."""
    code = (
        "from fer.training import launcher; from tests.training.conftest import small; "
        "launcher.start(small(epochs=2), 'orphan')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=os.environ)
    run = RunDirectory(runs_folder / "orphan")
    wait_for(lambda: run.status()["state"] == "finished")
    log = run.path / "log.txt"
    wait_for(lambda: "finished" in log.read_text())  # its last word comes after the record's
    assert "epoch 2" in log.read_text()


def test_the_worker_is_nice_and_its_own_session(runs_folder):
    run = launcher.start(small(epochs=200), "nice")
    wait_for(lambda: run.status().get("step"))
    pid = run.status()["pid"]
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10 and os.getsid(pid) != os.getsid(0)
    with pytest.raises(RunError, match="Stop it"):
        run_store.delete_run(run)
    launcher.kill(run)
    wait_for(lambda: run.status()["state"] == "died", 10)
    run_store.delete_run(run)
    assert run_store.list_runs() == []


def test_looking_never_disturbs_a_starting_worker(tmp_path):
    """A hundred lookers, and the lock is still taken at once."""
    run = RunDirectory.create(tmp_path / "run", small())
    code = (
        "import sys, time; from fer.training.run_directory import RunDirectory; run = RunDirectory(sys.argv[1])\n"
        "run.is_locked(); print('looks', flush=True); end = time.monotonic() + 6\n"
        "while time.monotonic() < end: run.is_locked()"
    )
    (run.path / "lock").touch()
    command = [sys.executable, "-c", code, str(run.path)]
    lookers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
    for looker in lookers:
        assert looker.stdout.readline() == b"looks\n"
    for _ in range(50):
        with run.lock():
            assert run.is_locked()
        assert not run.is_locked()
    for looker in lookers:
        looker.terminate()
        looker.communicate()


def test_a_worker_is_known_where_there_is_no_proc(tmp_path, monkeypatch):
    script = [sys.executable, "-c", "import signal; signal.pause()", "-m", "fer.training.worker", str(tmp_path)]
    worker = subprocess.Popen(script)
    try:
        wait_for(lambda: launcher._is_worker(worker.pid, tmp_path), 10)  # its words come a moment after its pid
        assert not launcher._is_worker(worker.pid, tmp_path / "other")
        if shutil.which("ps") is None:
            pytest.skip("there is no ps")
        monkeypatch.setattr(Path, "read_bytes", lambda path: (_ for _ in ()).throw(FileNotFoundError(path)))
        assert launcher._is_worker(worker.pid, tmp_path) and not launcher._is_worker(worker.pid, tmp_path / "other")
    finally:
        worker.kill()
        worker.wait()


def test_only_this_runs_worker_is_killed(tmp_path):
    run = RunDirectory.create(tmp_path / "run", small())
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        with run.lock():
            run.write_status("running", pid=bystander.pid)
            with pytest.raises(RunError, match="can no longer be found"):
                launcher.kill(run)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
