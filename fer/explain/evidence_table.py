"""The measured table beside the weights: how faithful each method is on PublicTest, and so which layer is best."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from fer.explain.methods import FUSED
from fer.inference.recognizer import Recognizer
from fer.models.zoo import build


def table_path(weights: Path) -> Path:
    return weights.with_suffix(".faithfulness.json")


def read_table(recognizer: Recognizer) -> dict | None:
    """The table, with `current` saying whether it was measured on these very weights; None where there is none."""
    try:
        table = json.loads(table_path(recognizer.weights).read_text(encoding="utf-8"))
        rows = {(row["method"], row["layer"]): row for row in table["rows"]}
        return {**table, "by": rows, "current": table["sha256"] == recognizer.card.sha256}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def best_layer(recognizer: Recognizer) -> str | None:
    """The layer whose Grad-CAM scored best; None where these very weights were not measured."""
    table = read_table(recognizer)
    measured = table.get("default_layer") if table and table["current"] else None
    return measured if measured in (*_layers(recognizer.card.architecture), FUSED) else None


@lru_cache
def _layers(architecture: str) -> tuple[str, ...]:
    return tuple(build(architecture).attribution_layers())  # once: live asks five times a second


def default_layer(recognizer: Recognizer) -> str:
    """The best layer; all fused, which every network offers, where nothing was measured."""
    return best_layer(recognizer) or FUSED


def verdict(table: dict | None, method: str, layer: str) -> dict | None:
    """One row of the table: method, layer, cost, random, gain, low, high, deletion_area, ..., passes."""
    if table is None:
        return None
    return table["by"].get((method, layer)) or table["by"].get((method, None))
