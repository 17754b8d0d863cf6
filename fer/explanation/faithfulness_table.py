"""The table measured for each model's weights: how faithful each method and layer is on PublicTest."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from fer.explanation.methods import FUSED, METHODS
from fer.inference.recognizer import Recognizer
from fer.models.registry import architecture


def table_path(weights: Path) -> Path:
    return weights.with_suffix(".faithfulness.json")


def read_table(recognizer: Recognizer) -> dict[str, Any] | None:
    """The table, with `current` telling whether it was measured on these weights; None if there is none."""
    path = table_path(recognizer.weights)
    try:
        stat = path.stat()
        table = _parsed(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    return {**table, "current": table["sha256"] == recognizer.card.sha256}


@lru_cache(maxsize=16)
def _parsed(path: Path, changed_ns: int, size: int) -> dict[str, Any]:
    """The file's values, with rows by method and layer. Raises one of what `read_table` catches for other content."""
    table = json.loads(path.read_text(encoding="utf-8"))
    for row in (table["rows"][0], *table["rows"]):
        float(row["seconds"]), bool(row["sane"]), bool(row["faithful"])
        if "road_cost" in row:
            road_advantage(row)
    return {**table, "sha256": table["sha256"], "by": {(row["method"], row["layer"]): row for row in table["rows"]}}


def measured_by_road(recognizer: Recognizer) -> bool:
    """Whether ROAD was measured on these very weights, so that a method may be called the most faithful."""
    table = read_table(recognizer)
    return table is not None and table["current"] and "road_cost" in table["rows"][0]


def best_layer(recognizer: Recognizer) -> str | None:
    """The layer whose Grad-CAM scored best; None if these weights were not measured."""
    table = read_table(recognizer)
    measured = table.get("default_layer") if table and table["current"] else None
    layers = architecture(recognizer.card.architecture).layers
    return measured if measured in (*layers, FUSED) else None


def default_layer(recognizer: Recognizer) -> str:
    """The best layer; if nothing was measured, all fused, which every network offers."""
    return best_layer(recognizer) or FUSED


QUICK_S = 0.5  # slower maps are not shown when the page opens


def road_advantage(row: dict[str, Any]) -> float:
    """ROAD's area under insertion minus that under deletion: both orders in one number, higher is better."""
    return float(row["road_insertion_area"] - row["road_deletion_area"])


def opening_map(recognizer: Recognizer) -> tuple[str, str]:
    """The method and layer that Explain opens with: the most faithful by ROAD among those that take less than QUICK_S
    and pass the randomization test, on a layer whose Grad-CAM is faithful too, since the page shows all methods on one
    layer. Grad-CAM if these weights were not measured.
    """
    table, layer = read_table(recognizer), default_layer(recognizer)
    if table is None or not measured_by_road(recognizer):
        return "grad_cam", layer
    faithful = {row["layer"] for row in table["rows"] if row["method"] == "grad_cam" and row["faithful"]}
    quick = [
        row
        for row in table["rows"]
        if row["method"] in METHODS and row["layer"] in (None, *faithful) and row["seconds"] < QUICK_S and row["sane"]
    ]
    if not quick:
        return "grad_cam", layer
    best = max(quick, key=road_advantage)
    return best["method"], best["layer"] or layer


def verdict(table: dict[str, Any] | None, method: str, layer: str | None) -> dict[str, Any] | None:
    """One row of the table: method, layer, cost, random_cost, gain_low, gain_high, areas, ..., faithful, sane."""
    if table is None:
        return None
    return table["by"].get((method, layer)) or table["by"].get((method, None))
