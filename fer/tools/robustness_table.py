"""Compare several models under every condition of the stress report.

python -m fer tools robustness-table mini_xception compact --data fer2013.csv
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tyro
from tqdm import tqdm

from fer.data.read import read_dataset
from fer.evaluation.robustness import CONDITIONS, STRENGTHS, stress_report
from fer.inference.recognizer import Recognizer, load

SPLIT = "PublicTest"


def mean_by_condition(recognizer: Recognizer, faces: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Accuracy in 0..1: `clean`, then each condition's mean over its five strengths, then the mean of `all`."""

    def predict(pixels: np.ndarray) -> np.ndarray:
        return recognizer.probabilities(pixels)

    found: dict[str, list[float]] = {name: [] for name in CONDITIONS}
    points = tqdm(
        stress_report(predict, faces, labels),
        total=len(CONDITIONS) * len(STRENGTHS),
        unit="point",
        desc=recognizer.name,
        leave=False,
    )
    for point in points:
        found[point.condition].append(point.accuracy)
    means = {name: float(np.mean(values)) for name, values in found.items()}
    return {
        "clean": float((predict(faces).argmax(1) == labels).mean()),
        **means,
        "all": float(np.mean(list(means.values()))),
    }


def main(models: tyro.conf.Positional[list[str]], data: str) -> None:
    """Print a Markdown table: accuracy on PublicTest in percent, one column per model.

    Args:
        models: Names in weights/, run directories or .safetensors files.
        data: fer2013.csv, or a folder <split>/<class>/*.
    """
    part = read_dataset(data).split(SPLIT)
    columns = [mean_by_condition(load(model), part.pixels, part.labels) for model in models]
    print("| condition | " + " | ".join(Path(model).stem for model in models) + " |\n|---" + "|---" * len(models) + "|")
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(f"{100 * column[name]:.1f}%" for column in columns) + " |")


if __name__ == "__main__":
    tyro.cli(main)
