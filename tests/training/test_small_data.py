"""Little data trains: a batch, a split or statistics that it cannot fill are fitted to it, with a note."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch

from fer.expressions import COUNT, NAMES
from fer.models.vgg import VGG
from fer.preprocessing import Preprocessing
from fer.training.batchnorm import with_new_statistics
from fer.training.config import TrainConfig, small_data_notes
from fer.training.epoch import Faces
from fer.training.run_directory import RunDirectory
from fer.training.setup import in_proportion
from fer.training.worker import train
from tests.conftest import write_csv
from tests.training.conftest import small


def test_a_batch_larger_than_the_data_is_made_as_small(tmp_path, capfd):
    run = RunDirectory.create(tmp_path / "run", small(limit=20, batch_size=128, epochs=1))
    assert train(run, quiet=True) == "finished" and len(run.records()) == 1
    assert "20 training pictures, fewer than a batch of 128: each step uses 20." in capfd.readouterr().err
    assert run.config.batch_size == 128  # what was asked for stays on file


@pytest.mark.parametrize("settings", [{}, {"balance": "weights", "mixup": 0.2}, {"balance": "sampling"}])
def test_one_picture_trains(tmp_path, settings):
    """Even where the network shrinks it to a point, whose batch-norm needs two: it is seen twice, as two views."""
    write_csv(tmp_path / "one.csv", [(3, "Training"), (3, "PublicTest")])
    config = small(data=str(tmp_path / "one.csv"), limit=0, epochs=1, input_size=8, model="vgg_small", **settings)
    run = RunDirectory.create(tmp_path / "run", config)
    assert train(run, quiet=True) == "finished" and np.isfinite(run.records()[0].train_loss)


def test_a_picture_a_class_is_judged_by_itself_with_a_note(tmp_path, capfd):
    for number, name in enumerate(NAMES):
        (tmp_path / "faces" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "faces" / name / "1.png"), np.full((48, 48), 30 * number + 20, np.uint8))
    run = RunDirectory.create(tmp_path / "run", small(data=str(tmp_path / "faces"), limit=0, epochs=1))
    assert train(run, quiet=True) == "finished"
    assert sum(map(sum, run.records()[0].confusion_matrix)) == COUNT
    assert "too few pictures for a validation split" in capfd.readouterr().err
    assert json.loads(run.best.with_suffix(".json").read_text())["metrics"]["split"] == "Training"


def test_a_limit_keeps_the_classes_in_proportion():
    labels = np.repeat(np.arange(7), [300, 100, 100, 100, 100, 100, 200])  # sorted, as folders and zips are read
    rows = in_proportion(labels, 100)
    assert np.bincount(labels[rows]).tolist() == [30, 10, 10, 10, 10, 10, 20]
    assert (np.diff(rows) > 0).all() and rows[:30].tolist() != list(range(30))
    assert sorted(labels[in_proportion(labels, 7)]) == list(range(7))
    assert np.array_equal(rows, in_proportion(labels, 100))


def test_statistics_of_one_picture_too_many_for_a_batch():
    pixels = torch.randint(0, 256, (5, 48, 48), dtype=torch.uint8)
    faces = Faces(pixels, torch.zeros(5, dtype=torch.int64))
    network = VGG()
    measured = with_new_statistics(network, faces, Preprocessing(input_size=8), 5, batch_size=4)
    assert torch.isfinite(measured.stages[-1][0].norm.running_var).all()


def test_a_batch_fits_the_pictures_and_two_for_each_process():
    assert TrainConfig(batch_size=64).fitted(64).batch_size == 64
    assert TrainConfig(batch_size=64).fitted(10).batch_size == 10
    assert TrainConfig(batch_size=64, processes=4).fitted(1).batch_size == 8
    assert small_data_notes(TrainConfig(batch_size=64), 64, False) == []
    (note,) = small_data_notes(TrainConfig(batch_size=64), 1, False)
    assert note == "The data has 1 training picture, fewer than a batch of 64: each step uses 2."
