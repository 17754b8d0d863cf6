"""The models that a visitor can choose: shipped ones, and runs trained here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fer.errors import FerError
from fer.models import DEFAULT_MODEL
from fer.models.card import DRAWINGS
from fer.models.weights import find_weights, read_card, shipped_names
from fer.training.run_about import distinct, title_of
from fer.training.run_directory import RunDirectory
from fer.training.run_store import list_runs


@dataclass(frozen=True)
class ShippedModel:
    """A model in weights/, by its name there."""

    name: str

    @property
    def spec(self) -> str:
        """What `fer.load`, --model and the settings of a run take; unique among all models."""
        return self.name

    @property
    def key(self) -> str:
        """For widgets' keys, which the browser sees: as unique as `spec`, and no path."""
        return self.name

    @property
    def label(self) -> str:
        return display_name(self.name)

    @property
    def exists(self) -> bool:
        return self.name in shipped_names()


@dataclass(frozen=True)
class TrainedRun:
    """The best weights of a run, by the run's directory."""

    path: Path

    @property
    def name(self) -> str:
        """The run's id, without the folder that it lies in."""
        return self.path.name

    @property
    def spec(self) -> str:
        """What `fer.load`, --model and the settings of a run take; unique among all models."""
        return str(self.path)

    @property
    def key(self) -> str:
        """For widgets' keys, which the browser sees: as unique as `spec`, and no path."""
        return f"run_{self.name}"

    @property
    def label(self) -> str:
        """The run's title; a run that is called like a shipped model says that it is one.

        Two runs may have the same: see `labels_of`.
        """
        title = title_of(RunDirectory(self.path))
        return f"run {title}" if title in map(display_name, shipped_names()) else title

    @property
    def exists(self) -> bool:
        """Whether it has a finished epoch, and was not deleted."""
        return RunDirectory(self.path).best.is_file()


Model = ShippedModel | TrainedRun


def available_models() -> list[Model]:
    """The shipped models, then the runs with a finished epoch, the newest first."""
    runs = [TrainedRun(run.path) for run in list_runs() if run.best.is_file()]
    return [*map(ShippedModel, shipped_names()), *runs]


def default_model() -> ShippedModel:
    """The model to begin with; it need not exist where no weights are shipped, and loading it then says so."""
    names = shipped_names()
    return ShippedModel(DEFAULT_MODEL if DEFAULT_MODEL in names or not names else names[0])


def from_drawings(model: Model) -> bool:
    """Whether it learned from synthetic faces alone."""
    try:
        return read_card(find_weights(model.spec)).from_drawings
    except FerError:
        return False


def labels_of(models: Iterable[Model]) -> dict[str, str]:
    """The labels by `spec`, each different: Streamlit's lists take options with the same label for one."""
    return distinct({model.spec: model.label for model in models})


def option_labels(models: Iterable[Model]) -> dict[str, str]:
    """The same for a list that also says which models are not meant for photos."""
    models = list(models)
    labels = labels_of(models)
    return {
        model.spec: f"{labels[model.spec]} ({DRAWINGS})" if from_drawings(model) else labels[model.spec]
        for model in models
    }


def display_name(name: str) -> str:
    """The name of a shipped model or an architecture, for people."""
    return name.replace("_", "-")
