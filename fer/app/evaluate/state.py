"""What Evaluate remembers of a visitor: evaluated models, measured stress, uploaded data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer.app.session import RecentSlot, Slot

if TYPE_CHECKING:  # they load PyTorch, or need this module
    from fer.app.evaluate.inputs import Choice
    from fer.data.dataset import Dataset
    from fer.evaluation.evaluation import Evaluation
    from fer.evaluation.robustness import StressPoint

MAX_EVALUATIONS = 4
MAX_UPLOADS = 2

# By the weights' digest, their temperature, and the data with its settings.
evaluations: RecentSlot[tuple[str, float, Choice], Evaluation] = RecentSlot("evaluations", MAX_EVALUATIONS)
# By the weights' digest and the data.
stress_points: Slot[dict[tuple[str, Choice], list[StressPoint]]] = Slot("stress_points", dict)
uploaded_datasets: RecentSlot[str, Dataset] = RecentSlot("uploaded_datasets", MAX_UPLOADS)  # by the upload's digest
