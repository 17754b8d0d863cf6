"""The settings do what they say: balance, mixup, votes, freezing, patience, starting from a checkpoint."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import optuna
import pytest
import torch
import torch.nn.functional as F

from fer.errors import RunError, SettingError
from fer.models.card import Card
from fer.models.checkpoints import save_checkpoint
from fer.models.registry import ARCHITECTURES, build
from fer.preprocessing import Preprocessing
from fer.records import EpochRecord
from fer.training import watched_faces
from fer.training.config import TrainConfig, field_help, names_of
from fer.training.epoch import Faces, order_of
from fer.training.loss import Blend, Loss, WithVotes, class_weights, vote_shares
from fer.training.presets import GROUPS, PRESETS
from fer.training.run_directory import RunDirectory
from fer.training.search import propose
from fer.training.starting_weights import freeze, keep_frozen, starting_network
from fer.training.worker import train
from tests.training.conftest import small

ROOT = Path(__file__).parents[2]


def test_class_weights_make_rare_classes_weigh_as_much_in_all():
    labels = torch.tensor([0] * 6 + [1] * 2)
    weights = class_weights(labels)
    assert weights[:2].tolist() == pytest.approx([8 / 12, 8 / 4]) and weights[2:].sum() == 0
    assert weights[labels].mean() == pytest.approx(1)


def test_half_the_strength_weighs_by_the_square_root():
    labels = torch.tensor([0] * 9 + [1])
    weights = class_weights(labels, 0.5)
    assert weights[1] / weights[0] == pytest.approx(3) and weights[labels].mean() == pytest.approx(1)
    assert class_weights(labels, 0.0)[:2].tolist() == [1, 1]


def test_the_last_epochs_alone_are_balanced():
    config, labels = TrainConfig(epochs=5, balance="weights", balance_epochs=2), torch.tensor([0, 0, 1])
    assert [Loss(config, labels, epoch).class_weights is not None for epoch in range(1, 6)] == [False] * 3 + [True] * 2
    faces = Faces(torch.zeros(100, 48, 48, dtype=torch.uint8), torch.tensor([0] * 90 + [1] * 10))
    sampled = TrainConfig(epochs=5, balance="sampling", balance_epochs=2)
    assert sorted(order_of(faces, sampled, 3)) == list(range(100)) != sorted(order_of(faces, sampled, 4))
    with pytest.raises(SettingError, match="balance_epochs"):
        TrainConfig(balance="sampling", balance_epochs=2, teacher="compact", teacher_epochs=4)


def test_balanced_sampling_draws_the_classes_alike():
    labels = torch.tensor([0] * 900 + [1] * 100)
    faces = Faces(torch.zeros(1000, 48, 48, dtype=torch.uint8), labels)
    rows = order_of(faces, TrainConfig(balance="sampling"), 1)
    assert len(rows) == 1000 and 0.4 < (labels[rows] == 1).float().mean() < 0.6
    assert (order_of(faces, TrainConfig(balance="sampling"), 1) == rows).all()
    assert sorted(order_of(faces, TrainConfig(), 1)) == list(range(1000))


def test_the_objective_is_the_mean_it_says():
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 7), torch.tensor([0, 0, 0, 1])
    plain = Loss(TrainConfig(label_smoothing=0.1), labels)
    assert plain(logits, labels) == F.cross_entropy(logits, labels, label_smoothing=0.1)
    weighted = Loss(TrainConfig(balance="weights"), labels)
    each = F.cross_entropy(logits, labels, reduction="none")
    assert weighted(logits, labels) == pytest.approx(float((each * torch.tensor([2 / 3, 2 / 3, 2 / 3, 2])).mean()))
    blend = Blend(0.25, torch.tensor([3, 2, 1, 0]))
    assert blend(torch.arange(4.0)).tolist() == [2.25, 1.75, 1.25, 0.75]
    expected = 0.25 * F.cross_entropy(logits, labels) + 0.75 * F.cross_entropy(logits, labels[[3, 2, 1, 0]])
    assert Loss(TrainConfig(), labels)(logits, labels, None, blend) == pytest.approx(float(expected))


def test_votes_are_an_auxiliary_that_unvoted_faces_do_not_feel():
    votes = vote_shares(np.array([[5, 5] + [0] * 8, [0] * 10], np.uint8))
    assert votes[0, :2].tolist() == [0.5, 0.5] and votes[1].sum() == 0
    logits, labels = torch.zeros(2, 7), torch.tensor([0, 1])
    loss = Loss(TrainConfig(ferplus_weight=0.5), labels)((logits, torch.zeros(2, 10)), labels, votes)
    assert float(loss) == pytest.approx(np.log(7) + 0.5 * np.log(10) / 2)


@pytest.mark.parametrize("name", ["mini_xception", "repvgg_small"])
def test_the_vote_head_leaves_the_network_as_it_is(name):
    network = build(name).eval()
    batch = torch.randn(2, 1, 44, 44)
    logits, votes = WithVotes(network)(batch)
    assert torch.equal(logits, network(batch)) and votes.shape == (2, 10)
    assert not network.classifier._forward_pre_hooks


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_freezing_stops_at_the_named_layer(name):
    for last in build(name).attribution_layers():
        network = build(name)
        freeze(network, last)
        frozen = {id(p) for p in network.parameters() if not p.requires_grad}
        assert {id(p) for p in network.attribution_layers()[last].parameters()} <= frozen
        assert all(p.requires_grad for p in network.classifier.parameters())
        network.train()
        keep_frozen(network)
        norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        assert all(norm.training == norm.weight.requires_grad for norm in norms)


def test_fine_tuning_keeps_the_frozen_layers_and_the_preprocessing(tmp_path):
    from fer.models.checkpoints import load_checkpoint

    config = small(
        model="mini_xception_64",
        init="mini_xception",
        freeze="block1",
        epochs=1,
        mixup=0.2,
        balance="weights",
        standardise="dataset",
    )
    run = RunDirectory.create(tmp_path / "tuned", config)
    assert train(run, quiet=True) == "finished"
    shipped, card = load_checkpoint(ROOT / "weights" / "mini_xception.safetensors")
    tuned, tuned_card = load_checkpoint(run.best)
    assert tuned_card.preprocessing == card.preprocessing
    before, after = shipped.state_dict(), tuned.state_dict()
    for name in before:
        same = torch.equal(before[name], after[name])
        frozen = name.startswith(("conv1", "norm1", "conv2", "norm2", "block1"))
        assert same or not frozen, name
    assert not torch.equal(before["classifier.weight"], after["classifier.weight"])


def test_fine_tuning_sees_what_is_judged_whatever_input_size_the_settings_name(tmp_path, monkeypatch):
    from fer.training import epoch

    first = RunDirectory.create(tmp_path / "first", small(epochs=1, input_size=36))
    train(first, quiet=True)
    seen, shrink = set(), epoch.shrink
    monkeypatch.setattr(epoch, "shrink", lambda views, size: seen.add(views.shape[-1]) or shrink(views, size))
    second = RunDirectory.create(tmp_path / "second", small(epochs=1, init=str(first.path)))
    assert second.config.input_size == 44 and train(second, quiet=True) == "finished" and seen == {36}
    from fer.models.weights import read_card

    card = read_card(second.best)
    assert card.input_size == 36 and card.training["config"]["init"] == "first"  # a name, no place
    assert "Learned from drawings, not meant for photos." in card.notes and "Not for judging people" in card.notes


def test_a_checkpoint_for_larger_faces_than_the_datas_is_refused(tmp_path):
    save_checkpoint(
        tmp_path / "large.safetensors",
        build("mini_xception").state_dict(),
        Card("mini_xception", Preprocessing(face_size=96, input_size=88)),
    )
    with pytest.raises(RunError, match="96 pixels"):
        starting_network(small(init=str(tmp_path / "large.safetensors")))


@pytest.mark.parametrize(
    ("places", "names"),
    [
        ("", ""),
        ("compact", "compact"),
        ("/srv/runs/a/best.safetensors,/srv/b.safetensors", "a,b.safetensors"),
        ("/srv/runs/first", "first"),
    ],
)
def test_weights_by_their_names(places, names):
    assert names_of(places) == names


def test_patience_ends_a_run_and_a_resume_does_not_prolong_it(tmp_path):
    run = RunDirectory.create(tmp_path / "patient", small(learning_rate=1e-9, epochs=30, patience=2, limit=64))
    assert train(run, quiet=True) == "finished"
    done = len(run.records())
    assert done < 30 and done == run.status()["best_epoch"] + 2 and "Ended early" in run.status()["message"]
    assert train(run, quiet=True) == "finished" and len(run.records()) == done


def test_drawn_faces_are_learned_in_a_few_epochs(tmp_path):
    """What Start does on the page, with the page's first preset, cut to four epochs."""
    run = RunDirectory.create(tmp_path / "quick", TrainConfig(**{**PRESETS[0].settings, "epochs": 4, "threads": 1}))
    train(run, quiet=True)
    assert max(record.validation_accuracy for record in run.records()) > 0.9
    wall = watched_faces.read(run)
    assert wall.pixels.shape == (16, 48, 48) and sorted(wall.beliefs) == [1, 2, 3, 4]
    assert np.allclose(wall.beliefs[4].sum(1), 1, atol=0.01)
    assert len(set(wall.labels)) == 7


def test_every_setting_has_help_and_a_place_in_the_form():
    names = {field.name for field in fields(TrainConfig)}
    assert set(field_help()) == names
    assert {name for group in GROUPS.values() for name in group} == names - {"data", "classes"}
    for preset in PRESETS:
        TrainConfig(**preset.settings)


def test_old_configurations_and_records_are_read(tmp_path):
    """A run directory written before these settings came."""
    old = {
        name: value
        for name, value in TrainConfig().to_json().items()
        if name not in ("mixup", "balance", "ferplus_weight", "patience", "init", "freeze", "faces", "processes")
    }
    assert TrainConfig.from_json(old) == TrainConfig()
    run = RunDirectory.create(tmp_path / "old", TrainConfig())
    run.append(EpochRecord(1, 1.0, 0.5, 1.0, 0.5, 0.5, (0.5,) * 7, ((1,) * 7,) * 7, 0.1, 1.0, 10.0, True))
    run.drop_records_after(1)
    assert len(run.records()) == 1 and watched_faces.read(run) is None


def test_a_search_proposes_only_what_the_other_settings_allow():
    taught = TrainConfig(teacher="compact", teacher_epochs=3, balance="weights", balance_epochs=2)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    assert {propose(study.ask(), taught).balance for _ in range(20)} == {"none", "weights"}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    assert {propose(study.ask(), TrainConfig()).balance for _ in range(20)} == {"none", "sampling", "weights"}


def test_a_search_tables_its_runs(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "fer",
            "train",
            "--search",
            "2",
            "--epochs",
            "1",
            "--limit",
            "64",
            "--batch-size",
            "32",
            "--threads",
            "1",
            "--out",
            str(tmp_path / "try"),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and lines[0].startswith("run") and "learning_rate" in lines[0]
    assert {line.split()[0] for line in lines[1:]} == {"try-01", "try-02"}
    assert RunDirectory(tmp_path / "try-02").config != RunDirectory(tmp_path / "try-01").config
