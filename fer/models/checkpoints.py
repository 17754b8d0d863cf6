"""Save and load PyTorch checkpoints: safetensors weights, an ONNX copy for prediction, and a card. Never pickled."""

from __future__ import annotations

from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from fer.errors import WeightsError
from fer.models import weights
from fer.models.card import Card
from fer.models.onnx_export import export_onnx, store_as_float16
from fer.models.registry import build


def save_checkpoint(path: Path, state: dict[str, torch.Tensor], card: Card) -> Card:
    """Write `path` (.safetensors), its .onnx and its card (.json), all or none; returns the card with both digests.

    Raises WeightsError if the state does not fit the card's architecture.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    network = network_of(path.name, card, dict(tensors))
    graph = store_as_float16(export_onnx(network, card.input_size))
    return weights.save_files(path, safetensors.torch.save(tensors), graph, card)


def load_checkpoint(path: Path | str) -> tuple[nn.Module, Card]:
    """The model in evaluation mode, and its card. Raises WeightsError naming the file and the problem."""
    path = Path(path)
    if path.suffix == ".onnx" and path.is_file():  # before the card, which may be inside
        raise WeightsError(
            f"{path.name} can only predict. Explaining and training need the .safetensors file it was exported from."
        )
    card = weights.read_card(path)
    try:
        state = read_tensors(path, card.sha256)
    except WeightsError:
        replaced = weights.read_card(path)  # a run may have saved better weights in between
        if replaced.sha256 == card.sha256:
            raise
        card, state = replaced, read_tensors(path, replaced.sha256)
    return network_of(path.name, card, state), card


def network_of(name: str, card: Card, state: dict[str, torch.Tensor]) -> nn.Module:
    """The card's network with these weights, in evaluation mode. Raises WeightsError if they do not fit."""
    model = build(card.architecture)
    expected = model.state_dict()
    if missing := sorted(set(expected) - set(state)):
        raise WeightsError(f"{name} lacks {missing[0]!r} of {card.architecture}. Choose weights for that network.")
    if extra := sorted(set(state) - set(expected)):
        raise WeightsError(
            f"{name} contains {extra[0][:60]!r}, which {card.architecture} does not have. Choose weights for that "
            "network."
        )
    for key, tensor in state.items():
        if tensor.shape != expected[key].shape:
            raise WeightsError(
                f"{name}: {key} has the shape {list(tensor.shape)}, expected {list(expected[key].shape)}."
            )
        if tensor.is_floating_point() != expected[key].is_floating_point() or tensor.is_complex():
            raise WeightsError(f"{name}: {key} contains {tensor.dtype}, expected {expected[key].dtype}.")
        state[key] = tensor.to(expected[key].dtype)  # before the check: a float64 may overflow float32
        if not torch.isfinite(state[key]).all():
            raise WeightsError(f"{name}: {key} contains infinite or NaN values, as after a diverged training run.")
    model.load_state_dict(state)
    return model.eval()


def read_tensors(path: Path, sha256: str = "") -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file, after checking its size and, if given, its sha256. Raises WeightsError."""
    blob = weights.read_bytes(path)
    weights.check_digest(path, blob, sha256)
    try:
        return safetensors.torch.load(blob)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError, MemoryError, AttributeError):
        raise WeightsError(f"{path.name} is not a complete safetensors file. Save or download it again.") from None
