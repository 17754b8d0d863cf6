"""What Evaluate remembers of a visitor: evaluated models, measured stress, uploaded data.

What its controls hold Streamlit keeps itself (`persist_state="session"`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer.app.session import RecentSlot, Slot

if TYPE_CHECKING:  # they load PyTorch, or need this module
    from fer.app.evaluate.inputs import Choice
    from fer.data.dataset import Dataset
    from fer.evaluation.evaluation import Evaluation
    from fer.evaluation.robustness import StressPoint

MAX_EVALUATIONS = 4
MAX_UPLOADS = 2


@dataclass(frozen=True)
class GroupTable:
    """A visitor's table about the pictures, as it was uploaded."""

    name: str
    data: bytes


# By the weights' digest, their temperature, and the data with its settings.
evaluations: RecentSlot[tuple[str, float, Choice], Evaluation] = RecentSlot("evaluations", MAX_EVALUATIONS)
# By the weights' digest and the data.
stress_points: Slot[dict[tuple[str, Choice], list[StressPoint]]] = Slot("stress_points", dict)
# By the upload's digest and the classes that were told.
uploaded_datasets: RecentSlot[tuple[str, str], Dataset] = RecentSlot("uploaded_datasets", MAX_UPLOADS)
opened_face: Slot[str] = Slot("opened_face", str)  # the key of the photo that a gallery opened in Explain
group_table: Slot[GroupTable | None] = Slot("group_table", lambda: None)


def forget_data(digest: str) -> None:
    """Drop all that was computed from an upload."""
    datasets, evaluated, stress = uploaded_datasets.get(), evaluations.get(), stress_points.get()
    for upload in [key for key in datasets if key[0] == digest]:
        del datasets[upload]
    for evaluation in [key for key in evaluated if key[2].data == digest]:
        del evaluated[evaluation]
    for measured in [key for key in stress if key[1].data == digest]:
        del stress[measured]
