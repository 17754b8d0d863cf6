"""Shipped models and runs are told apart by type, whatever they are called."""

from __future__ import annotations

import json
import shutil

from fer.app import resources
from fer.app.layout import accuracy_line
from fer.app.model_choice import (
    ShippedModel,
    TrainedRun,
    available_models,
    default_model,
    from_drawings,
    labels_of,
    option_labels,
)
from fer.app.training import form
from fer.models import DEFAULT_MODEL
from fer.models.weights import shipped_names
from fer.training.config import TrainConfig
from fer.training.run_about import About, write_about
from fer.training.run_directory import RunDirectory
from tests.conftest import ROOT


def test_shipped_models_come_first_then_runs_that_have_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_RUNS", str(tmp_path))
    RunDirectory.create(tmp_path / "unfinished", TrainConfig())
    run = RunDirectory.create(tmp_path / "compact", TrainConfig())  # named like a shipped model
    for suffix in ("safetensors", "json"):
        shutil.copy(ROOT / "weights" / f"mini_xception.{suffix}", run.path / f"best.{suffix}")
    models = available_models()
    assert models == [*map(ShippedModel, shipped_names()), TrainedRun(run.path)]
    assert len({model.spec for model in models}) == len({model.label for model in models}) == len(models)
    assert ShippedModel("compact") != TrainedRun(run.path) and TrainedRun(run.path).label == "run compact"
    assert resources.card(TrainedRun(run.path)) == resources.card(ShippedModel("mini_xception"))
    assert "% accuracy on FER2013" in accuracy_line(ShippedModel("compact"))


def test_a_run_by_a_relative_path_is_a_run(tmp_path, monkeypatch):
    """Its string has no slash, which once told runs from names."""
    monkeypatch.chdir(tmp_path)
    run = RunDirectory.create(tmp_path / "mine", TrainConfig())
    model = TrainedRun(run.path.relative_to(tmp_path))
    assert model.spec == "mine" and model.label == "mine" and not model.exists


def test_the_default_is_shipped_or_says_what_is_missing(monkeypatch):
    assert default_model() == ShippedModel(DEFAULT_MODEL) and default_model().exists
    monkeypatch.setattr("fer.app.model_choice.shipped_names", lambda: ["other"])
    assert default_model() == ShippedModel("other")
    monkeypatch.setattr("fer.app.model_choice.shipped_names", list)
    assert default_model() == ShippedModel(DEFAULT_MODEL) and not default_model().exists


def test_what_learned_from_drawings_says_so_wherever_it_is_chosen(tmp_path, monkeypatch):
    """Whatever its accuracy on drawings; a run that began with weights that saw photos, or saw a folder, does not."""
    monkeypatch.setenv("FER_RUNS", str(tmp_path))
    card = json.loads((ROOT / "weights" / "mini_xception.json").read_text())
    card["metrics"] = {"accuracy": 1.0, "split": "PublicTest"}
    cases = {
        "toy": ({"data": "synthetic", "training": {}}, True),
        "on": ({"data": "synthetic", "training": {"started_from": "synthetic", "config": {"init": "toy"}}}, True),
        "tuned": ({"data": "synthetic", "training": {"config": {"init": "compact"}}}, False),
        "photos": ({"data": "synthetic (folder)", "training": {}}, False),
    }
    for name, (values, drawings) in cases.items():
        run = RunDirectory.create(tmp_path / name, TrainConfig())
        shutil.copy(ROOT / "weights" / "mini_xception.safetensors", run.best)
        (run.path / "best.json").write_text(json.dumps(card | values))
        model = TrainedRun(run.path)
        assert from_drawings(model) == drawings, name
        told = f"{name} (learned from drawings, not meant for photos)" if drawings else name
        assert option_labels([model]) == {model.spec: told}
        assert ("100.0% accuracy" in accuracy_line(model)) != drawings
    assert option_labels([ShippedModel("compact")]) == {"compact": "compact"}
    options = option_labels(available_models())
    assert (
        len(options) == len(shipped_names()) + len(cases) and form._options("teacher", {}) == {"": "nothing"} | options
    )


def test_two_runs_with_the_same_title_are_told_apart_where_one_is_chosen(tmp_path):
    """Streamlit's lists take options with the same label for one."""
    runs = [RunDirectory.create(tmp_path / name, TrainConfig()) for name in ("one", "two")]
    for run in runs:
        write_about(run, About("Faces"))
    models = [TrainedRun(run.path) for run in runs]
    assert list(labels_of([ShippedModel("compact"), *models]).values()) == ["compact", "Faces [one]", "Faces [two]"]
    assert labels_of(models[:1]) == {models[0].spec: "Faces"} and len({model.key for model in models}) == 2
