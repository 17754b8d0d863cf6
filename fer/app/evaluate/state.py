"""Evaluate's session state: evaluated models, measured stress, uploaded data.

Streamlit itself keeps the values of the controls (`persist_state="session"`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer.app.session import RecentSlot, Slot

if TYPE_CHECKING:  # these load PyTorch, or import this module
    from fer.app.evaluate.inputs import Choice
    from fer.data.dataset import Dataset
    from fer.evaluation.evaluation import Evaluation
    from fer.evaluation.robustness import StressPoint

MAX_EVALUATIONS = 4
MAX_UPLOADS = 2


@dataclass(frozen=True)
class GroupTable:
    """A visitor's table about the pictures, as uploaded."""

    name: str
    data: bytes


# Keyed by the model, its card, and the data with its settings.
evaluations: RecentSlot[tuple[str, str, Choice], Evaluation] = RecentSlot("evaluations", MAX_EVALUATIONS)
# Keyed by the weights' digest and the data.
stress_points: Slot[dict[tuple[str, Choice], list[StressPoint]]] = Slot("stress_points", dict)
# Keyed by the upload's digest and the visitor's classes.
uploaded_datasets: RecentSlot[tuple[str, str], Dataset] = RecentSlot("uploaded_datasets", MAX_UPLOADS)
opened_face: Slot[str] = Slot("opened_face", str)  # the key of the photo that a gallery opened in Explain
group_table: Slot[GroupTable | None] = Slot("group_table", lambda: None)


def forget_data(digest: str) -> None:
    """Drop everything computed from an upload."""
    datasets, evaluated, stress = uploaded_datasets.get(), evaluations.get(), stress_points.get()
    for upload in [key for key in datasets if key[0] == digest]:
        del datasets[upload]
    for evaluation in [key for key in evaluated if key[2].data == digest]:
        del evaluated[evaluation]
    for measured in [key for key in stress if key[1].data == digest]:
        del stress[measured]
