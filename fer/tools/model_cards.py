"""Write the parts of README.md and docs/ that come from the shipped weights: cards, class scores, faithfulness.

python -m fer tools model-cards
"""

from __future__ import annotations

import json
from pathlib import Path

import tyro

from fer.explanation.faithfulness_table import table_path
from fer.explanation.methods import METHODS
from fer.expressions import NAMES
from fer.models import DEFAULT_MODEL
from fer.models.card import Card
from fer.models.registry import build, parameter_count
from fer.models.weights import find_weights, read_card, shipped_names
from fer.tools.pages import renew, table

VIEWS = {"none": "one view", "flip": "a view and its mirror image", "tencrop": "ten crops"}
USE = """**For**: learning how expression recognition works and fails; trying it on photos of yourself or of people who
agree; research that keeps the limits below in mind.

**Not for**: work, schools, hiring, policing, border control, advertising, or any judgment of a person; nor for
medical use. Some of these are forbidden in the European Union."""


def cards() -> str:
    """A section for each shipped model."""
    return "\n".join(model_card(name, _card(name)) for name in shipped_names())


def classes() -> str:
    """Precision, recall and F1 of each class, for all models side by side."""
    names = shipped_names()
    rows: list[tuple[str, ...]] = [("class", "faces", *(f"{name}: precision, recall, F1" for name in names))]
    scores = [_class_scores(_card(name).metrics["confusion_matrix"]) for name in names]
    faces = [sum(row) for row in _card(names[0]).metrics["confusion_matrix"]]
    rows += [
        (name, f"{faces[k]:,}", *(", ".join(f"{value:.3f}" for value in model[k]) for model in scores))
        for k, name in enumerate(NAMES)
    ]
    return table(rows)


def claims() -> str:
    """The README's numbers about the default model's confidence and how far its maps can be trusted."""
    from fer.tools.faithfulness import command as faithfulness_command

    card = _card(DEFAULT_MODEL)
    held, sets = card.metrics["held_out_calibration"], card.metrics["held_out_sets"]
    measured = json.loads(table_path(find_weights(DEFAULT_MODEL)).read_text(encoding="utf-8"))
    tested = _explanations(DEFAULT_MODEL, card).removeprefix("**Explanations**: ")
    answered, right = _percent(held["share_answered"]), _percent(held["accuracy_of_answers"])
    everything, covered = _percent(card.metrics["accuracy"]), _percent(sets["coverage"])
    return (
        f"- **It says when it does not know.** `{DEFAULT_MODEL}` answers {answered} of held-out faces, and {right} of "
        'those answers are right; for the other faces it says "not sure". Forced to answer always, it is right '
        f"for {everything}. Each face also gets a set of expressions, {sets['mean_size']:.2f} on average, which holds "
        f"the true one for {covered} of held-out faces. `python -m fer evaluate --data fer2013.csv --split PublicTest` "
        f"measures the {everything}; the held-out shares are of [its card](docs/models.md#{DEFAULT_MODEL}).\n"
        f"- **It tests its own explanations.** {tested[0].upper()}{tested[1:]} Explain measures for each map whether "
        "its marks matter more than chance, and whether it changes when the network forgets what it learned. "
        f"`{faithfulness_command(DEFAULT_MODEL, measured['faces'])}`"
    )


def faithfulness() -> str:
    """The faithfulness table of each shipped model that has one."""
    from fer.tools.faithfulness import markdown

    files = [table_path(find_weights(name)) for name in shipped_names()]
    return "\n\n".join(markdown(json.loads(file.read_text(encoding="utf-8"))) for file in files if file.is_file())


PARTS = {"cards": cards, "classes": classes, "claims": claims, "faithfulness": faithfulness}


def _card(name: str) -> Card:
    return read_card(find_weights(name))


def _class_scores(matrix: list[list[int]]) -> list[tuple[float, float, float]]:
    """Precision, recall and F1 by class. matrix: rows are the truth."""
    found = []
    for k, row in enumerate(matrix):
        named = sum(other[k] for other in matrix)
        found.append((row[k] / max(named, 1), row[k] / max(sum(row), 1), 2 * row[k] / max(named + sum(row), 1)))
    return found


def model_card(name: str, card: Card) -> str:
    """One model's section, in Markdown."""
    return (
        "\n\n".join(
            [
                f"## {name}",
                table(_facts(name, card)),
                USE,
                f"**Limits**: {card.notes}",
                "**How good**",
                table(_scores(card.metrics)),
                table(_classes(card.metrics)),
                _sureness(card),
                _sets(card),
                _explanations(name, card),
            ]
        )
        + "\n"
    )


def _facts(name: str, card: Card) -> list[tuple[str, ...]]:
    size = card.preprocessing.input_size
    licences = "; ".join(f"{source}: {licence}" for source, licence in card.licences.items())
    return [
        ("", ""),
        (
            "architecture",
            f"`{card.architecture}`, {parameter_count(build(card.architecture)):,} parameters in "
            f"training, {find_weights(name).stat().st_size / 2**20:.1f} MB",
        ),
        ("reads", f"one gray face of {size} x {size} pixels"),
        ("answers", ", ".join(card.classes)),
        ("learned from", card.data),
        ("data licenses", licences),
        ("trained by", f"`{card.training['command']}`" if card.training.get("command") else "not recorded"),
        ("remark", card.training.get("remark", "")),
        ("date, sha256", f"{card.date}, `{card.sha256[:12]}`"),
    ]


def _scores(metrics: dict) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("", "accuracy", "without train duplicates", "macro-F1")]
    for words, found in (("one view", metrics), ("with the mirror image (`--tta flip`)", metrics.get("flip"))):
        if found:
            rows.append(
                (
                    words,
                    _percent(found.get("accuracy")),
                    _percent(found.get("accuracy_without_train_duplicates")),
                    f"{found['macro_f1']:.3f}",
                )
            )
    return rows


def _classes(metrics: dict) -> list[tuple[str, ...]]:
    """A class's recall, and its most frequent confusion."""
    rows: list[tuple[str, ...]] = [("class", "faces", "recognized", "most often mistaken for")]
    for index, (name, row) in enumerate(zip(NAMES, metrics["confusion_matrix"], strict=True)):
        other = max((k for k in range(len(NAMES)) if k != index), key=lambda k: row[k])
        rows.append(
            (
                name,
                f"{sum(row):,}",
                _percent(row[index] / sum(row)),
                f"{NAMES[other]}, {_percent(row[other] / sum(row))}",
            )
        )
    return rows


def _sureness(card: Card) -> str:
    held = card.metrics.get("held_out_calibration", {})
    words = (
        f"**How sure**: calibrated with a temperature of {card.temperature:.2f}; expected calibration error "
        f"{card.metrics['ece']:.3f}. A label is given from a confidence of {_percent(card.threshold)}."
    )
    if held:
        words += (
            f" On held-out faces, that answers {_percent(held['share_answered'])} of them, and "
            f"{_percent(held['accuracy_of_answers'])} of those answers are right."
        )
    return words


def _sets(card: Card) -> str:
    """The level of the prediction sets and their held-out coverage, class by class."""
    sets, held = card.prediction_sets, card.metrics.get("held_out_sets")
    if sets is None or held is None:
        return "**Prediction sets**: not fitted."
    words = (
        f"**Prediction sets** ({sets.method.upper()}, by class): fitted on {sets.split} to hold the truth in "
        f"{_percent(sets.level)} of faces like FER2013's, for {', '.join(VIEWS[view] for view in sets.quantiles)}. On "
        f"held-out faces, one view: {_percent(held['coverage'])} with {held['mean_size']:.2f} labels a face."
    )
    rows: list[tuple[str, ...]] = [("class", "faces", "true label in the set", "labels a face")]
    rows += [
        (name, f"{row['support']:,}", _percent(row["coverage"]), f"{row['mean_size']:.2f}")
        for name, row in held["per_class"].items()
    ]
    return f"{words}\n\n{table(rows)}"


def _explanations(name: str, card: Card) -> str:
    file = table_path(find_weights(name))
    if not file.is_file():
        return "**Explanations**: not measured yet."
    measured = json.loads(file.read_text(encoding="utf-8"))
    cost = "road_cost" if "road_cost" in measured["rows"][0] else "cost"
    trusted = [row for row in measured["rows"] if row["faithful"] and row["sane"]]
    best = max(trusted or measured["rows"], key=lambda row: row[cost])
    words = (
        f"**Explanations**: on {best.get('faces', measured['faces'])} faces, removing the 10% that "
        f"{METHODS[best['method']].label} marks most costs {100 * best[cost]:.0f} points of confidence; removing a "
        f"random 10% costs {100 * best[cost.replace('cost', 'random_cost')]:.0f}."
    )
    return words if measured["sha256"] == card.sha256 else words + " Measured on earlier weights of this model."


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}%"


def main(folder: Path | None = None) -> None:
    """Write the parts of the documentation that come from the cards and tables of the weights.

    Args:
        folder: The repository's folder; this one by default.
    """
    for page in renew(PARTS, folder):
        print(f"written: {page}")


if __name__ == "__main__":
    tyro.cli(main)
