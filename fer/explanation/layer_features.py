"""A layer's output for a face, along with the logits."""

from __future__ import annotations

import torch
from torch import nn


def features_and_logits(model: nn.Module, layer: nn.Module, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """faces: (N, 1, S, S). Returns the layer's output (N, C, h, w) and the logits (N, 7), in one graph.

    Hooks the layer for this one pass; nobody else may run the model meanwhile.
    """
    outputs: list[torch.Tensor] = []
    hook = layer.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    try:
        logits = model(faces)
    finally:
        hook.remove()
    return outputs[0], logits
