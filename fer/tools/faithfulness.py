"""Write the faithfulness table next to the weights: `python -m fer tools faithfulness --data fer2013.csv`.

Uses PublicTest only. For every method and layer: the predicted class's loss when the marked tenth of the face is
removed, against a random tenth of the same cells, with a bootstrap interval, filled with the face's mean gray and with
ROAD's imputation; how much the map changes if the network is scrambled, or if the face hardly changes; how sparse it
is, and whether it points at the parts of the face that the expression moves.
"""

from __future__ import annotations

import datetime
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from tqdm import tqdm

from fer.data.read import read_dataset
from fer.errors import FerError
from fer.explanation import sanity_check
from fer.explanation.attribution import units
from fer.explanation.faithfulness import curves, mean_curves, random_walks
from fer.explanation.faithfulness_table import road_advantage, table_path
from fer.explanation.job import FILLS, after_forgetting, expected_places, points_at_expected, sensitivity
from fer.explanation.measures import agreement, gini
from fer.explanation.methods import METHODS, evidence
from fer.explanation.regions import landmarks_in_input
from fer.explanation.subject import Subject, explainer_for
from fer.files import replace_file
from fer.inference.recognizer import Recognizer, load
from fer.models import DEFAULT_MODEL
from fer.records import Curves, FaceBox
from fer.tools.pages import table as markdown_table

SANITY_FACES = 20
SLOW_FACES, SLOW_SANITY_FACES = 20, 6  # for methods that take seconds per face
AGREEMENT_FACES = 20
BOOTSTRAPS = 2000

Pair = tuple[str, str | None]  # method and layer
Numbers = dict[Pair, dict[str, list[float]]]  # one list per number, one value per face


def measure(
    recognizer: Recognizer,
    faces: np.ndarray,
    methods: tuple[str, ...] = tuple(METHODS),
    layers: tuple[str, ...] | None = None,
    sane: bool = True,
    quiet: bool = True,
) -> list[dict]:
    """One row per method and layer. faces: (N, 48, 48) uint8 gray; each is explained for its predicted class.

    sane: also run the randomization test and measure sensitivity; otherwise their numbers are None. Slow methods use
    the first SLOW_FACES, the two tests the first SANITY_FACES and SLOW_SANITY_FACES.
    """
    explainer = explainer_for(recognizer)
    pairs = [
        (method, layer)
        for method in methods
        for layer in ((layers or explainer.layers) if METHODS[method].layered else (None,))
    ]
    numbers: Numbers = {pair: defaultdict(list) for pair in pairs}
    for index, gray in enumerate(tqdm(faces, unit="face", disable=quiet)):
        face = subject_of(recognizer, gray)
        batch, k = face.batch.numpy(), int(np.argmax(face.prediction.probabilities))
        random = {
            name: mean_curves(random_walks(face.probabilities, batch, index, fill=fill))[k]
            for name, fill in FILLS.items()
        }
        for method, layer in pairs:
            if METHODS[method].slow and index >= SLOW_FACES:
                continue
            began = time.perf_counter()
            values = face.attribute(method, units(), layer)[k]
            row = numbers[method, layer]
            row["seconds"].append(time.perf_counter() - began)
            _add_removal(row, face, evidence(values, method), k, random)
            if sane and index < (SLOW_SANITY_FACES if METHODS[method].slow else SANITY_FACES):
                _add_tests(row, face, values, (method, layer), k)
    return [_row(method, layer, numbers[method, layer]) for method, layer in pairs]


def bootstrap(gains: np.ndarray, seed: int = 0, rounds: int = BOOTSTRAPS) -> tuple[float, float]:
    """The 95% interval of the mean, by resampling faces."""
    rng = np.random.default_rng(seed)
    means = gains[rng.integers(0, len(gains), (rounds, len(gains)))].mean(1)
    return tuple(np.quantile(means, (0.025, 0.975)).tolist())


def _add_removal(
    row: dict[str, list[float]], face: Subject, marked: np.ndarray, k: int, random: dict[str, Curves]
) -> None:
    for name, fill in FILLS.items():
        found = curves(face.probabilities, face.batch.numpy(), marked, k, fill)
        for word, one in (("", found), ("random_", random[name])):
            row[f"{name} {word}cost"].append(one.cost())
            row[f"{name} {word}deletion_area"].append(one.deletion_area)
            row[f"{name} {word}insertion_area"].append(one.insertion_area)
    row["sparseness"].append(gini(marked))
    points = points_at_expected(face, marked, k)
    if points is not None:
        row["pointing"].append(points)
        row["pointing_by_chance"].append(float(np.isin(face.regions, expected_places(k)).mean()))


def _add_tests(row: dict[str, list[float]], face: Subject, values: np.ndarray, pair: Pair, k: int) -> None:
    forgot = after_forgetting(face, pair, k, values)
    row["complexity_rise"].append(forgot.complexity_rise)
    row["kept_top"].append(forgot.kept["top"])
    row["kept_all"].append(forgot.kept["all"])
    if not METHODS[pair[0]].slow:
        row["max_sensitivity"].append(sensitivity(face, pair, k))


def _row(method: str, layer: str | None, numbers: dict[str, list[float]]) -> dict:
    mean = {name: float(np.mean(values)) for name, values in numbers.items()}
    row: dict[str, object] = {"method": method, "layer": layer, "faces": len(numbers["seconds"])}
    for name, prefix in (("gray", ""), ("road", "road_")):
        gains = np.array(numbers[f"{name} cost"]) - np.array(numbers[f"{name} random_cost"])
        low, high = bootstrap(gains)
        row |= {
            f"{prefix}{key}": mean[f"{name} {key}"]
            for key in (
                "cost",
                "random_cost",
                "deletion_area",
                "random_deletion_area",
                "insertion_area",
                "random_insertion_area",
            )
        } | {f"{prefix}gain_low": low, f"{prefix}gain_high": high}
    row |= {
        key: mean.get(key)
        for key in (
            "kept_top",
            "kept_all",
            "complexity_rise",
            "max_sensitivity",
            "sparseness",
            "pointing",
            "pointing_by_chance",
        )
    }
    row["seconds"] = float(np.median(numbers["seconds"]))
    return {
        **{key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()},
        "faithful": float(str(row["road_gain_low"])) > 0,
        "sane": max(mean["kept_top"], mean["kept_all"]) < sanity_check.FAILS_FROM if "kept_top" in mean else None,
    }


def subject_of(recognizer: Recognizer, gray: np.ndarray) -> Subject:
    """A data set's face, used without detection and cropping."""
    height, width = map(float, gray.shape)
    face_rgb = np.repeat(gray[..., None], 3, 2)
    prediction = recognizer.read(face_rgb, [FaceBox(0, 0, width, height, detector="none")])[0]
    preprocessing = recognizer.card.preprocessing
    landmarks = landmarks_in_input(prediction.box, preprocessing.face_size, preprocessing.input_size)
    return Subject(recognizer, prediction, gray, face_rgb, landmarks)


def agreements(recognizer: Recognizer, faces: np.ndarray, layer: str) -> list[list[float]]:
    """The mean rank correlations between the methods' maps of the predicted class: (M, M), in METHODS' order."""
    found = []
    for gray in faces:
        face = subject_of(recognizer, gray)
        k = [int(np.argmax(face.prediction.probabilities))]
        maps = {
            method: evidence(face.attribute(method, units(k), layer if one.layered else None)[0], method)
            for method, one in METHODS.items()
        }
        found.append(agreement(maps))
    return np.mean(found, 0).round(3).tolist()


def main(data: str, model: str = DEFAULT_MODEL, faces: int = 60, seed: int = 0, out: Path | None = None) -> None:
    """Measure how faithful every method's maps are on PublicTest, and write the table next to the weights.

    Args:
        data: fer2013.csv.
        model: A name in weights/, a run directory, or a .safetensors file.
        faces: Number of random faces from PublicTest.
        seed: Random seed.
        out: Output file; next to the weights by default.
    """
    if faces < 1:
        raise FerError(f"A table needs at least 1 face, got {faces}.")
    recognizer = load(model, threads=1)
    path = out or table_path(recognizer.weights)
    if not os.access(path.parent, os.W_OK):
        raise FerError(f"{path.name} cannot be written into {path.parent.name}. Name another file with --out.")
    split = read_dataset(data).split("PublicTest")
    rows = np.random.default_rng(seed).choice(len(split), min(faces, len(split)), replace=False)
    pixels = split.pixels[np.sort(rows)]
    table = measure(recognizer, pixels, quiet=False)
    layer = most_faithful_layer(table)
    result = {
        "model": recognizer.name,
        "sha256": recognizer.card.sha256,
        "split": "PublicTest",
        "faces": len(rows),
        "seed": seed,
        "date": datetime.date.today().isoformat(),
        "default_layer": layer,
        "sanity_faces": min(SANITY_FACES, len(rows)),
        "agreement": agreements(recognizer, pixels[:AGREEMENT_FACES], layer),
        "rows": table,
    }
    replace_file(path, json.dumps(result, indent=1) + "\n")
    print(markdown(result))


def most_faithful_layer(rows: list[dict]) -> str:
    """The layer whose Grad-CAM has, by ROAD, the largest area under insertion minus that under deletion.

    Uses whole curves, since some layers' costs of the first tenth differ by less than chance.
    """
    best = max((row for row in rows if row["method"] == "grad_cam"), key=road_advantage)
    layer: str = best["layer"]
    return layer


def command(model: str, faces: int) -> str:
    """The command that measures this table."""
    return f"python -m fer tools faithfulness --data fer2013.csv --model {model} --faces {faces}"


def markdown(table: dict) -> str:
    """The table for the documentation, without columns that were not measured."""
    shown = [column for column in COLUMNS if column.needs in table["rows"][0]]
    rows = [tuple(column.text(row) for column in shown) for row in table["rows"]]
    return "\n\n".join(
        [
            f"`{table['model']}` (`{table['sha256'][:12]}`), {table['faces']} faces, {table['date']}: "
            f"`{command(table['model'], table['faces'])}`",
            markdown_table([tuple(column.title for column in shown), *rows]),
        ]
    )


@dataclass(frozen=True)
class Column:
    """title: its heading. text: a row's cell. needs: the number that the column requires."""

    title: str
    text: Callable[[dict], str]
    needs: str = "method"


def _cost(prefix: str) -> Callable[[dict], str]:
    return lambda row: f"{100 * row[f'{prefix}cost']:.1f} ({100 * row[f'{prefix}random_cost']:.1f})"


def _gain(prefix: str) -> Callable[[dict], str]:
    def text(row: dict) -> str:
        low, high = (round(100 * row[f"{prefix}{end}"], 1) + 0.0 for end in ("gain_low", "gain_high"))
        return f"{low:.1f} to {high:.1f}"

    return text


def _kept(row: dict) -> str:
    top, everything = (round(row[key], 2) + 0.0 for key in ("kept_top", "kept_all"))
    return f"{top:.2f} / {everything:.2f}"


def _number(key: str, form: str) -> Callable[[dict], str]:
    return lambda row: "" if row[key] is None else format(row[key], form)


COLUMNS = (
    Column("method", lambda row: METHODS[row["method"]].label),
    Column("layer", lambda row: row["layer"] or ""),
    Column("faithful", lambda row: "yes" if row["faithful"] else "no"),
    Column("ROAD: cost (random)", _cost("road_"), "road_cost"),
    Column("ROAD: gain", _gain("road_"), "road_cost"),
    Column("gray: cost (random)", _cost("")),
    Column("gray: gain", _gain("")),
    Column("sanity check", lambda row: "passes" if row["sane"] else "fails"),
    Column("kept: last layer / all layers", _kept),
    Column("complexity", _number("complexity_rise", "+.0%"), "complexity_rise"),
    Column("max-sensitivity", _number("max_sensitivity", ".2f"), "max_sensitivity"),
    Column("sparseness", _number("sparseness", ".2f"), "sparseness"),
    Column("points at expected parts", _number("pointing", ".0%"), "pointing"),
    Column("by chance", _number("pointing_by_chance", ".0%"), "pointing"),
    Column("seconds", _number("seconds", ".2f"), "seconds"),
)


if __name__ == "__main__":
    tyro.cli(main)
