"""Ray: two machines on loopback, one of them lost in the middle, and the same table."""

from __future__ import annotations

import os

import pytest

from fer.batch.inputs import find_inputs
from fer.batch.run import run_batch
from fer.cli import main
from fer.errors import FerError
from tests.batch.conftest import settings

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
pytest.importorskip("ray", reason="the extra ray is not installed")


@pytest.fixture
def cluster():
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield cluster
    cluster.shutdown()


@pytest.mark.long
def test_a_lost_machine_changes_nothing_in_the_table(cluster, photos_and_video, tmp_path, capfd):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(64):
        (many / f"{number:02}.png").symlink_to(photos_and_video / f"{2 * (number % 6):02}.png")
    inputs, _ = find_inputs([many, photos_and_video / "clip.mp4", photos_and_video / "broken.jpg"])
    here = run_batch(inputs, tmp_path / "here", settings(), workers=2)
    second = cluster.add_node(num_cpus=1)
    lost = []

    def lose_it(reading) -> None:
        if not lost:
            lost.append(cluster.remove_node(second, allow_graceful=False))

    capfd.readouterr()
    there = run_batch(inputs, tmp_path / "there", settings(), 2, cluster.address, on_reading=lose_it)
    said = "".join(capfd.readouterr()).splitlines()
    assert lost and there.errors == here.errors and not there.left and there.summary["read"] == 65
    table = (tmp_path / "there" / "readings.csv").read_bytes()
    assert table == (tmp_path / "here" / "readings.csv").read_bytes()
    assert len(said) <= 2, said  # Ray's C++ part has a word about the lost machine, and only that


def test_no_cluster_at_the_address_is_a_sentence(photos_and_video, tmp_path):
    inputs, _ = find_inputs([photos_and_video / "00.png"])
    with pytest.raises(FerError, match="Cannot connect to Ray at 127.0.0.1:1"):
        run_batch(inputs, tmp_path, settings(), 1, "127.0.0.1:1")


def test_without_ray_the_command_says_what_to_install(photos_and_video, tmp_path, monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    command = ["batch", str(photos_and_video / "00.png"), "--out", str(tmp_path), "--ray", "local"]
    assert main([*command, "--detector", "none"]) == 1
    assert "'.[ray]'" in capsys.readouterr().err
