"""Learning from a teacher: the loss by hand, answers kept for views that come again, a run that uses all of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from fer.errors import WeightsError
from fer.models.card import Card
from fer.models.checkpoints import load_checkpoint, save_checkpoint
from fer.models.registry import build
from fer.preprocessing import Preprocessing
from fer.training.batchnorm import with_new_statistics
from fer.training.config import TrainConfig
from fer.training.epoch import Faces, drawn_epoch, mirror_some, shrink
from fer.training.loss import Blend, Loss
from fer.training.preprocessing import prepare
from fer.training.run_directory import RunDirectory
from fer.training.teacher import Teacher, load_teacher
from fer.training.worker import train
from tests.training.conftest import small

VIEWS = torch.rand(4, 1, 44, 44, generator=torch.Generator().manual_seed(0))


def test_the_loss_is_the_mixture_it_says():
    torch.manual_seed(0)
    logits, taught, labels = torch.randn(4, 7), torch.randn(4, 7), torch.tensor([0, 1, 2, 3])
    objective = Loss(TrainConfig(teacher_weight=0.8, teacher_temperature=2.0), labels)
    wanted, given = (taught / 2).softmax(1), (logits / 2).softmax(1)
    distance = 4 * (wanted * (wanted / given).log()).sum(1).mean()
    labels_loss = -logits.log_softmax(1)[range(4), labels].mean()
    assert float(objective(logits, labels, taught=taught)) == pytest.approx(float(0.2 * labels_loss + 0.8 * distance))
    assert float(objective(logits, labels, taught=logits)) == pytest.approx(float(0.2 * labels_loss), abs=1e-6)
    blend = Blend(1.0, torch.tensor([3, 2, 1, 0]))
    assert float(objective(logits, labels, None, blend, taught)) == pytest.approx(
        float(0.2 * labels_loss + 0.8 * distance)
    )


class Counting(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        left = batch[..., : batch.shape[-1] // 2].mean((1, 2, 3))
        return torch.stack([left] * 7, 1)


def test_a_teacher_averages_mirror_images_and_keeps_its_answers():
    network = Counting()
    teacher = Teacher([(network, Preprocessing(standardise="dataset", mean=0.0, deviation=1.0))], False, keep=True)
    first = teacher(VIEWS, (1, 0))
    assert torch.allclose(first[:, 0], VIEWS.mean((1, 2, 3)), atol=1e-3) and first.dtype == torch.float32  # 16 bits
    assert torch.equal(teacher(VIEWS, (1, 0)), first) and network.calls == 1  # rounded the first time too
    assert teacher(VIEWS.to("meta"), (1, 0)).device.type == "meta"  # where the views are
    teacher(VIEWS, (1, 1))
    assert network.calls == 2
    forgetful = Teacher(teacher.networks, False, keep=False)
    exact = forgetful(VIEWS, (1, 0)), forgetful(VIEWS, (1, 0))
    assert all(torch.allclose(answers[:, 0], VIEWS.mean((1, 2, 3)), atol=1e-5) for answers in exact)
    assert network.calls == 4


def test_epochs_come_round_where_answers_are_kept():
    config = TrainConfig(teacher="mini_xception", teacher_epochs=3)
    assert [drawn_epoch(config, epoch) for epoch in (1, 3, 4, 8)] == [1, 3, 1, 2]
    assert drawn_epoch(TrainConfig(teacher_epochs=3), 8) == 8


def test_kept_answers_come_back_after_a_break_and_a_damaged_file_is_asked_again(tmp_path):
    network = Counting()
    teacher = Teacher([(network, Preprocessing(standardise="dataset", mean=0.0, deviation=1.0))], False, keep=True)
    first = teacher(VIEWS, (2, 7))
    teacher.save(tmp_path / "answers.safetensors")
    resumed = Teacher(teacher.networks, False, keep=True)
    resumed.restore(tmp_path / "answers.safetensors")
    assert torch.allclose(resumed(VIEWS, (2, 7)), first, atol=1e-3) and network.calls == 1
    (tmp_path / "answers.safetensors").write_bytes(b"half a file")
    resumed.restore(tmp_path / "answers.safetensors")
    assert resumed.kept == {}


def test_views_that_come_again_are_mirrored_by_share():
    rng = np.random.default_rng(0)
    assert torch.equal(mirror_some(VIEWS, 0.0, rng), VIEWS)
    assert torch.equal(mirror_some(VIEWS, 1.0, rng), VIEWS.flip(-1))
    some = mirror_some(VIEWS, 0.5, rng)
    assert all(torch.equal(one, view) or torch.equal(one, view.flip(-1)) for one, view in zip(some, VIEWS, strict=True))


def test_several_teachers_are_averaged(tmp_path):
    for seed in (0, 1):
        torch.manual_seed(seed)
        save_checkpoint(
            tmp_path / f"{seed}.safetensors",
            build("mini_xception").state_dict(),
            Card("mini_xception", Preprocessing()),
        )
    names = [str(tmp_path / f"{seed}.safetensors") for seed in (0, 1)]
    one, two, both = (
        load_teacher(TrainConfig(teacher=text), torch.device("cpu"))(VIEWS, (1, 0))
        for text in (names[0], names[1], ", ".join(names))
    )
    assert torch.allclose(both, (one + two) / 2, atol=1e-5) and not torch.allclose(one, two)
    assert load_teacher(TrainConfig(), torch.device("cpu")) is None
    with pytest.raises(WeightsError, match="no model 'nobody'"):
        load_teacher(TrainConfig(teacher="nobody"), torch.device("cpu"))


def test_smaller_views_are_means_of_their_places():
    views = torch.zeros(1, 1, 4, 4)
    views[..., :2, :2] = 1
    assert shrink(views, 4) is views
    small_view = shrink(views, 2)
    assert small_view.shape == (1, 1, 2, 2) and small_view[0, 0, 0, 0] > 0.5 > small_view[0, 0, 1, 1]


def test_new_statistics_are_those_of_the_pictures_and_the_network_stays():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(1)).eval()
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (50, 48, 48), dtype=np.uint8))
    faces = Faces(pixels, torch.zeros(50, dtype=torch.int64))
    preprocessing = Preprocessing(standardise="dataset", mean=0.0, deviation=1.0)
    measured = with_new_statistics(network, faces, preprocessing, 50)
    assert float(measured[0].running_mean) == pytest.approx(float(prepare(preprocessing, pixels).mean()), abs=1e-4)
    assert float(network[0].running_mean) == 0 and not measured.training
    network[0].weight.requires_grad_(False)
    assert float(with_new_statistics(network, faces, preprocessing, 50)[0].running_mean) == 0  # frozen: as it was


def test_a_run_with_a_teacher_resumes_and_says_who_taught(tmp_path):
    torch.manual_seed(5)
    save_checkpoint(tmp_path / "teacher.safetensors", build("mini_xception").state_dict(), Card("mini_xception"))
    config = small(
        teacher=str(tmp_path / "teacher.safetensors"),
        teacher_epochs=1,
        damage=0.5,
        small_size=32,
        small_epochs=1,
        norm_pictures=64,
        epochs=2,
    )
    run = RunDirectory.create(tmp_path / "run", config)
    assert train(run, quiet=True) == "finished"
    _, card = load_checkpoint(run.best)
    assert card.training["config"]["damage"] == 0.5
    assert card.training["config"]["teacher"] == "teacher.safetensors"  # its name, not where it lies


def test_views_come_again_whether_faces_are_mixed_or_not(tmp_path, small_csv, monkeypatch):
    seen = []
    monkeypatch.setattr(
        Teacher, "__call__", lambda self, views, place: seen.append(views) or torch.zeros(len(views), 7)
    )
    config = small(data=str(small_csv), limit=64, epochs=2, mixup=0.2, mixup_off_epochs=1)
    run = RunDirectory.create(tmp_path / "run", dataclasses.replace(config, teacher="mini_xception", teacher_epochs=1))
    train(run, quiet=True)
    first, again = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    assert len(first) > 1 and all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
