"""The faithfulness table: `python -m fer tools faithfulness --data fer2013.csv` writes it beside the weights.

On PublicTest alone. For every method and layer: what the marked tenth of the face costs the predicted class, against
a random tenth of the same cells, with a bootstrap interval; and how much of a map stays where nothing was learned.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import numpy as np
import tyro
from tqdm import tqdm

from fer.data.read import read_dataset
from fer.explanation import sanity_check
from fer.explanation.attribution import units
from fer.explanation.explain import Subject, explainer_for
from fer.explanation.faithfulness import curves, random_curves
from fer.explanation.faithfulness_table import table_path
from fer.explanation.methods import METHODS, evidence
from fer.inference.recognizer import Recognizer, load
from fer.records import FaceBox

SANITY_FACES = 50
BOOTSTRAPS = 2000


def measure(
    recognizer: Recognizer,
    faces: np.ndarray,
    methods: tuple[str, ...] = tuple(METHODS),
    layers: tuple[str, ...] | None = None,
    sane: bool = True,
    quiet: bool = True,
) -> list[dict]:
    """One row a method and layer. faces: (N, 48, 48) uint8 gray; each is explained for its predicted class.

    sane: run the sanity check too; else its numbers are None.
    """
    explainer = explainer_for(recognizer)
    pairs = [
        (method, layer)
        for method in methods
        for layer in ((layers or explainer.layers) if METHODS[method].layered else (None,))
    ]
    numbers: dict[tuple[str, str | None], list[tuple[float, ...]]] = {pair: [] for pair in pairs}
    for index, gray in enumerate(tqdm(faces, unit="face", disable=quiet)):
        probabilities = recognizer.probabilities(gray[None])[0]
        face = _subject(recognizer, gray)
        k, batch = int(probabilities.argmax()), face.batch.numpy()
        baseline = random_curves(face.probabilities, batch, seed=index)[k]
        for method, layer in pairs:
            found = curves(face.probabilities, batch, evidence(face.attribute(method, units([k]), layer)[0], method), k)
            numbers[method, layer].append(
                (
                    found.cost(),
                    baseline.cost(),
                    found.deletion_area,
                    baseline.deletion_area,
                    found.insertion_area,
                    baseline.insertion_area,
                )
            )
    kept = _sanity(recognizer, faces[:SANITY_FACES], pairs) if sane else {}
    return [_row(method, layer, np.array(numbers[method, layer]), kept.get((method, layer))) for method, layer in pairs]


def bootstrap(gains: np.ndarray, seed: int = 0, rounds: int = BOOTSTRAPS) -> tuple[float, float]:
    """The 95% interval of the mean, by resampling faces."""
    rng = np.random.default_rng(seed)
    means = gains[rng.integers(0, len(gains), (rounds, len(gains)))].mean(1)
    return tuple(np.quantile(means, (0.025, 0.975)).tolist())


def _row(method: str, layer: str | None, numbers: np.ndarray, kept: dict[str, float] | None) -> dict:
    cost, random, deletion, random_deletion, insertion, random_insertion = numbers.mean(0).tolist()
    low, high = bootstrap(numbers[:, 0] - numbers[:, 1])
    row = {
        "method": method,
        "layer": layer,
        "cost": cost,
        "random_cost": random,
        "gain_low": low,
        "gain_high": high,
        "deletion_area": deletion,
        "random_deletion_area": random_deletion,
        "insertion_area": insertion,
        "random_insertion_area": random_insertion,
        "kept_top": kept and kept["top"],
        "kept_all": kept and kept["all"],
    }
    return {
        **{key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()},
        "faithful": low > 0,
        "sane": max(kept.values()) < sanity_check.FAILS_FROM if kept else None,
    }


def _sanity(recognizer: Recognizer, faces: np.ndarray, pairs: list[tuple[str, str | None]]) -> dict:
    """The mean rank correlation of each map with that of the randomized network."""
    explainer = explainer_for(recognizer)
    untaught = {part: sanity_check.randomized(explainer, part) for part in ("top", "all")}
    kept: dict[tuple[str, str | None], dict[str, list[float]]] = {pair: {"top": [], "all": []} for pair in pairs}
    for gray in faces:
        face = _subject(recognizer, gray)
        direction = units([int(recognizer.probabilities(gray[None])[0].argmax())])
        for method, layer in pairs:
            trained = face.attribute(method, direction, layer)[0]
            for part, other in untaught.items():
                values = other.attribute(method, face.batch, direction, layer)[0]
                kept[method, layer][part].append(sanity_check.rank_correlation(trained, values, method))
    return {pair: {part: float(np.mean(values)) for part, values in parts.items()} for pair, parts in kept.items()}


def _subject(recognizer: Recognizer, gray: np.ndarray) -> Subject:
    """A data set's face as it is: nothing to find, nothing to cut."""
    height, width = map(float, gray.shape)
    face_rgb = np.repeat(gray[..., None], 3, 2)
    prediction = recognizer.read(face_rgb, [FaceBox(0, 0, width, height, detector="none")])[0]
    return Subject(recognizer, prediction, gray, face_rgb, np.zeros((5, 2)))


def main(data: str, model: str = "mini_xception", faces: int = 500, seed: int = 0, out: Path | None = None) -> None:
    """Measure how faithful every map is, on PublicTest, and write the table beside the weights.

    Args:
        data: fer2013.csv.
        model: A name in weights/, a run directory, or a .safetensors file.
        faces: How many of PublicTest's faces, drawn at random.
        seed: Of that draw.
        out: Where to write; beside the weights where none is given.
    """
    recognizer = load(model, threads=1)
    split = read_dataset(data).split("PublicTest")
    rows = np.random.default_rng(seed).choice(len(split), min(faces, len(split)), replace=False)
    table = measure(recognizer, split.pixels[np.sort(rows)], quiet=False)
    result = {
        "model": recognizer.name,
        "sha256": recognizer.card.sha256,
        "split": "PublicTest",
        "faces": len(rows),
        "seed": seed,
        "date": datetime.date.today().isoformat(),
        "default_layer": most_faithful_layer(table),
        "sanity_faces": min(SANITY_FACES, len(rows)),
        "rows": table,
    }
    path = out or table_path(recognizer.weights)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(markdown(result))


def most_faithful_layer(rows: list[dict]) -> str:
    """The layer whose Grad-CAM has the most area under insertion above that under deletion (Petsiuk et al. 2018).

    Of the whole curves, since the costs of the first tenth alone differ by less than chance between some layers.
    """
    return max(
        (row for row in rows if row["method"] == "grad_cam"),
        key=lambda row: row["insertion_area"] - row["deletion_area"],
    )["layer"]


def markdown(table: dict) -> str:
    """The table as the README shows it."""
    lines = [
        f"{table['model']}, {table['faces']} PublicTest faces, {table['date']}",
        "",
        "| method | layer | marked 10% costs | random 10% costs | gain, 95% interval | deletion area (random) "
        "| insertion area (random) | faithful | map kept, top / all weights random | sanity check |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in table["rows"]:
        lines.append(
            f"| {METHODS[row['method']].label} | {row['layer'] or ''} | {100 * row['cost']:.1f} points "
            f"| {100 * row['random_cost']:.1f} | {100 * row['gain_low']:.1f} to {100 * row['gain_high']:.1f} "
            f"| {row['deletion_area']:.3f} ({row['random_deletion_area']:.3f}) "
            f"| {row['insertion_area']:.3f} ({row['random_insertion_area']:.3f}) "
            f"| {'yes' if row['faithful'] else 'no'} | {row['kept_top']:.2f} / {row['kept_all']:.2f} "
            f"| {'passes' if row['sane'] else 'fails'} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    tyro.cli(main)
