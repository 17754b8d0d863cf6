"""A checkpoint in PyTorch: weights as safetensors, with an ONNX copy for prediction and a card. Never unpickled."""

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
    """Write `path` (.safetensors), its .onnx and its card .json, all or none; returns the card with both digests.

    Raises WeightsError where the state is not one of the card's architecture.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    network = network_of(path.name, card, dict(tensors))
    graph = store_as_float16(export_onnx(network, card.input_size))
    return weights.save_files(path, safetensors.torch.save(tensors), graph, card)


def load_checkpoint(path: Path | str) -> tuple[nn.Module, Card]:
    """The model in evaluation mode, and its card. Raises WeightsError saying what is wrong with which file."""
    path = Path(path)
    card = weights.read_card(path)
    if path.suffix == ".onnx":
        raise WeightsError(
            f"{path.name} is for prediction alone. Explaining and training need the .safetensors file it came from."
        )
    try:
        state = read_tensors(path, card.sha256)
    except WeightsError:
        replaced = weights.read_card(path)  # a run may have put better weights there between the two
        if replaced.sha256 == card.sha256:
            raise
        card, state = replaced, read_tensors(path, replaced.sha256)
    return network_of(path.name, card, state), card


def network_of(name: str, card: Card, state: dict[str, torch.Tensor]) -> nn.Module:
    """The card's network with these weights, in evaluation mode. Raises WeightsError where they do not fit it."""
    model = build(card.architecture)
    expected = model.state_dict()
    if missing := sorted(set(expected) - set(state)):
        raise WeightsError(f"{name} lacks {missing[0]!r} of {card.architecture}. Choose weights of that network.")
    if extra := sorted(set(state) - set(expected)):
        raise WeightsError(f"{name} holds {extra[0][:60]!r}, which {card.architecture} does not have.")
    for key, tensor in state.items():
        if tensor.shape != expected[key].shape:
            raise WeightsError(
                f"{name}: {key} has the shape {list(tensor.shape)}, expected {list(expected[key].shape)}."
            )
        if tensor.is_floating_point() != expected[key].is_floating_point() or tensor.is_complex():
            raise WeightsError(f"{name}: {key} holds {tensor.dtype}, expected {expected[key].dtype}.")
        state[key] = tensor.to(expected[key].dtype)  # first: a float64 may be too large for a float32
        if not torch.isfinite(state[key]).all():
            raise WeightsError(f"{name}: {key} holds values that are not numbers. The training had diverged.")
    model.load_state_dict(state)
    return model.eval()


def read_tensors(path: Path, sha256: str = "") -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file, after size and (where given) sha256 are checked."""
    blob = weights.read_bytes(path)
    weights.check_digest(path, blob, sha256)
    try:
        return safetensors.torch.load(blob)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError, MemoryError, AttributeError):
        raise WeightsError(f"{path.name} is not a whole safetensors file. Only safetensors weights are read.") from None
