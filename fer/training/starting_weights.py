"""A run's starting point: new weights or a checkpoint's, and the frozen layers."""

from __future__ import annotations

from torch import nn

from fer.data.dataset import FACE_SIZE
from fer.errors import RunError
from fer.models.card import Card
from fer.models.checkpoints import load_checkpoint
from fer.models.registry import build
from fer.models.weights import find_weights
from fer.training.config import TrainConfig


def starting_network(config: TrainConfig) -> tuple[nn.Module, Card | None]:
    """A newly initialized network, or that of the checkpoint config.init, with its card.

    Raises RunError for a checkpoint of another architecture, WeightsError for one that cannot be read.
    """
    network = build(config.model, config.dropout)
    if not config.init:
        return network, None
    trained, card = load_checkpoint(find_weights(config.init))
    if card.architecture != config.model:
        raise RunError(
            f"The starting weights {config.init[-80:]} are for {card.architecture}; this run trains {config.model}. "
            f"Choose the network type {card.architecture}, or other starting weights."
        )
    if card.preprocessing.face_size != FACE_SIZE:
        raise RunError(
            f"The starting weights {config.init[-80:]} read faces of {card.preprocessing.face_size} pixels, but the "
            f"data has {FACE_SIZE}. Choose other starting weights."
        )
    network.load_state_dict(trained.state_dict())
    return network, card


def freeze(network: nn.Module, last: str) -> None:
    """Freeze all layers through `last`, a name in network.attribution_layers(). Raises RunError for other names."""
    layers: dict[str, nn.Module] = getattr(network, "attribution_layers", dict)()
    if last not in layers:
        raise RunError(f"There is no layer {last[:40]!r} to freeze up to. Choose from {', '.join(layers)}.")
    end = list(layers[last].modules())[-1]
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(False)
        if module is end:
            break


def keep_frozen(network: nn.Module) -> None:
    """Call after network.train(): batch-norms without a gradient also keep their statistics."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()
