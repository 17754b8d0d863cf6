"""A model's ONNX graph for prediction: the file next to its weights, or an exported and cached copy."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from fer.errors import WeightsError
from fer.files import replace_file
from fer.locations import cache_folder, weights_folder
from fer.models import weights
from fer.models.card import Card
from fer.models.registry import architecture

FORMAT = 1  # version of the cached files; increase it when the exporter changes


def read_graph(path: Path) -> tuple[bytes, Card]:
    """An ONNX file's bytes, safe to run, and their card. Raises WeightsError.

    path: a .safetensors or .onnx file, as returned by fer.models.weights.find_weights.
    """
    if _holds_its_card(path):
        return _untrusted(path, None)
    card = weights.read_card(path)
    try:
        return _graph_of(path, card)
    except WeightsError:
        replaced = weights.read_card(path)  # a run may have saved better weights in between
        if replaced == card:
            raise
        return _graph_of(path, replaced)


def card_of(model: str | Path) -> Card:
    """The card of a name, run or file, which may be inside an .onnx file. Raises WeightsError."""
    path = weights.find_weights(model)
    return _untrusted(path, None)[1] if _holds_its_card(path) else weights.read_card(path)


def _holds_its_card(path: Path) -> bool:
    return path.suffix == ".onnx" and not os.path.isfile(path.with_suffix(".json"))


def _graph_of(path: Path, card: Card) -> tuple[bytes, Card]:
    file = path.with_suffix(".onnx")
    if path.suffix == ".safetensors" and os.path.isfile(path) and not (card.onnx_sha256 and os.path.isfile(file)):
        return _exported(path, card), card
    if path.parent == weights_folder():
        blob = weights.read_bytes(file)
        weights.check_digest(file, blob, card.onnx_sha256)
        return blob, card
    return _untrusted(file, card)


def _untrusted(file: Path, card: Card | None) -> tuple[bytes, Card]:
    """Check an untrusted file before it is run. card: None if the card is in the file's own metadata."""
    from fer.models.onnx_check import card_in, checked_model, input_side

    if not os.path.isfile(file):  # unlike Path's, also False for invalid names and in unreadable folders
        raise WeightsError(f"There are no weights called {file.name}.")
    blob = weights.read_bytes(file)
    if card is not None:
        weights.check_digest(file, blob, card.onnx_sha256)
    model = checked_model(file.name, blob)
    card = card or card_in(file.name, model)
    if (side := input_side(model.graph)) != card.input_size:
        raise WeightsError(
            f"{file.name} takes faces of {side} pixels, but its card says {card.input_size}. Correct the card."
        )
    return blob, card


def _exported(path: Path, card: Card) -> bytes:
    """Export the graph of a .safetensors file without an .onnx, and cache it under the weights' digest."""
    architecture(card.architecture)  # raises WeightsError for an unknown one
    blob = weights.read_bytes(path)
    weights.check_digest(path, blob, card.sha256)
    stem = f"graph{FORMAT}-{weights.sha256(blob)[:24]}-{card.architecture}-{card.input_size}"
    for file in cache_folder().glob(f"{stem}-*.onnx"):
        cached = file.read_bytes()
        if file.stem.rpartition("-")[2] == weights.sha256(cached)[:24]:
            return cached
    try:
        from fer.models.checkpoints import load_checkpoint
        from fer.models.onnx_export import export_onnx, store_as_float16
    except ImportError:
        raise WeightsError(
            f"{path.stem}.onnx is missing, and creating it from {path.name} needs PyTorch: pip install "
            "'.[train]' in the folder of FER Studio's source."
        ) from None
    graph = store_as_float16(export_onnx(load_checkpoint(path)[0], card.input_size))
    with suppress(OSError):  # on a read-only or full disk, only the next load is slower
        replace_file(cache_folder() / f"{stem}-{weights.sha256(graph)[:24]}.onnx", graph)
    return graph
