"""The model cards of docs/models.md, written from the JSON cards beside the shipped weights.

python -m fer tools model-cards
"""

from __future__ import annotations

import json
from pathlib import Path

import tyro

from fer.explanation.faithfulness_table import table_path
from fer.explanation.methods import METHODS
from fer.expressions import NAMES
from fer.locations import app_folder
from fer.models.card import Card
from fer.models.registry import build, parameter_count
from fer.models.weights import find_weights, read_card, shipped_names

PAGE = app_folder() / "docs" / "models.md"
VIEWS = {"none": "one view", "flip": "a view and its mirror image", "tencrop": "ten crops"}
INTRODUCTION = """# Model cards

Written by `python -m fer tools model-cards` from the cards in `weights/`; do not edit by hand. All numbers are on
FER2013's PublicTest part, which chose the weights; PrivateTest was never looked at. "Without train duplicates" leaves
out the pictures that also occur in the Training part. [How it works](how-it-works.md) explains the words,
[Ethics and limits](ethics.md) what these models are not for.
"""
USE = """**For**: learning how expression recognition works and fails, trying it on photos of oneself or of people who
agree, research with the limits below in mind.

**Not for**: work, schools, hiring, policing, border control, advertising, or any judgement of a person; nor for
medical use. In the European Union some of these are forbidden."""


def page(names: list[str]) -> str:
    """The whole of docs/models.md."""
    return "\n".join([INTRODUCTION, *(model_card(name, read_card(find_weights(name))) for name in names)])


def model_card(name: str, card: Card) -> str:
    """One model's section, in Markdown."""
    return (
        "\n\n".join(
            [
                f"## {name}",
                _table(_facts(name, card)),
                USE,
                f"**Limits**: {card.notes}",
                "**How good**",
                _table(_scores(card.metrics)),
                _table(_classes(card.metrics)),
                _sureness(card),
                _sets(card),
                _explanations(name, card),
            ]
        )
        + "\n"
    )


def _facts(name: str, card: Card) -> list[tuple]:
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
        ("licences of the data", licences),
        ("trained by", f"`{card.training['command']}`" if card.training.get("command") else "not recorded"),
        ("remark", card.training.get("remark", "")),
        ("date, sha256", f"{card.date}, `{card.sha256[:12]}`"),
    ]


def _scores(metrics: dict) -> list[tuple]:
    rows = [("", "accuracy", "without train duplicates", "macro-F1")]
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


def _classes(metrics: dict) -> list[tuple]:
    """Recall, and what a class is most often taken for."""
    rows = [("class", "faces", "named rightly", "most often taken for")]
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
        f"{card.metrics['ece']:.3f}. The app gives a label from {_percent(card.threshold)} on."
    )
    if held:
        words += (
            f" On held-out faces that answers {_percent(held['share_answered'])} of them, and "
            f"{_percent(held['accuracy_of_answers'])} of those answers are right."
        )
    return words


def _sets(card: Card) -> str:
    """What the prediction sets promise and what they kept, held out, class by class."""
    sets, held = card.prediction_sets, card.metrics.get("held_out_sets")
    if sets is None or held is None:
        return "**Prediction sets**: not fitted."
    words = (
        f"**Prediction sets** ({sets.method.upper()}, by class): fitted on {sets.split} to hold the truth in "
        f"{_percent(sets.level)} of faces like FER2013's, for {', '.join(VIEWS[view] for view in sets.quantiles)}. On "
        f"held-out faces, one view: {_percent(held['coverage'])} with {held['mean_size']:.2f} labels a face."
    )
    rows = [("class", "faces", "truth in the set", "labels a face")]
    rows += [
        (name, f"{row['support']:,}", _percent(row["coverage"]), f"{row['mean_size']:.2f}")
        for name, row in held["per_class"].items()
    ]
    return f"{words}\n\n{_table(rows)}"


def _explanations(name: str, card: Card) -> str:
    file = table_path(find_weights(name))
    if not file.is_file():
        return "**Explanations**: not measured yet."
    table = json.loads(file.read_text(encoding="utf-8"))
    best = max(table["rows"], key=lambda row: row["cost"])
    words = (
        f"**Explanations**: on {table['faces']} faces, removing the 10% that {METHODS[best['method']].label} "
        f"marks most costs {100 * best['cost']:.0f} points of confidence, removing a random 10% costs "
        f"{100 * best['random_cost']:.0f}."
    )
    return words if table["sha256"] == card.sha256 else words + " Measured on an earlier checkpoint of this model."


def _table(rows: list[tuple]) -> str:
    head, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *rest])


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}%"


def main(out: Path = PAGE) -> None:
    """Write the page.

    Args:
        out: Where to; docs/models.md by default.
    """
    out.write_text(page(shipped_names()), encoding="utf-8")
    print(f"{len(shipped_names())} cards in {out}")


if __name__ == "__main__":
    tyro.cli(main)
