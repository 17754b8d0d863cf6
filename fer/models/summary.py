"""The layer table in torchsummary's convention: one row per module that runs, without containers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from fer.models.registry import parameter_count

MEGABYTE = 1024 * 1024
FLOAT_BYTES = 4


@dataclass(frozen=True)
class LayerRow:
    """One module: its class, its output shape without the batch, and the number of its own parameters."""

    kind: str
    shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Summary:
    """The table and its totals in megabytes; forward/backward counts every output twice."""

    rows: tuple[LayerRow, ...]
    parameters: int
    input_mb: float
    forward_backward_mb: float
    parameters_mb: float

    @property
    def total_mb(self) -> float:
        return self.input_mb + self.forward_backward_mb + self.parameters_mb

    def to_json(self) -> dict[str, object]:
        return {
            "layers": [{"kind": row.kind, "shape": list(row.shape), "parameters": row.parameters} for row in self.rows],
            "parameters": self.parameters,
            "input_mb": round(self.input_mb, 2),
            "forward_backward_mb": round(self.forward_backward_mb, 2),
            "parameters_mb": round(self.parameters_mb, 2),
            "total_mb": round(self.total_mb, 2),
        }

    def __str__(self) -> str:
        line = "-" * 64
        rows = [
            f"{f'{row.kind}-{number}':>24} {str([-1, *row.shape]):>24} {row.parameters:>13,}"
            for number, row in enumerate(self.rows, 1)
        ]
        totals = [
            f"Total parameters: {self.parameters:,}",
            f"Input size (MB): {self.input_mb:.2f}",
            f"Forward/backward pass size (MB): {self.forward_backward_mb:.2f}",
            f"Parameters size (MB): {self.parameters_mb:.2f}",
            f"Estimated total size (MB): {self.total_mb:.2f}",
        ]
        head = f"{'Layer (type)':>24} {'Output shape':>24} {'Parameters':>13}"
        return "\n".join([line, head, line, *rows, line, *totals, line])


def summarize(model: nn.Module, input_size: int = 44) -> Summary:
    """Run one gray face of input_size x input_size through the model and record every module that runs."""
    rows: list[LayerRow] = []

    def note(module: nn.Module, _inputs: tuple[object, ...], output: torch.Tensor) -> None:
        own = sum(parameter.numel() for parameter in module._parameters.values() if parameter is not None)
        rows.append(LayerRow(type(module).__name__, tuple(output.shape[1:]), own))

    run_noted(
        model,
        input_size,
        note,
        [
            module
            for module in model.modules()
            if module is not model and not isinstance(module, (nn.Sequential, nn.ModuleList))
        ],
    )
    outputs = sum(torch.Size(row.shape).numel() for row in rows)
    parameters = parameter_count(model)
    return Summary(
        tuple(rows),
        parameters,
        input_size**2 * FLOAT_BYTES / MEGABYTE,
        2 * outputs * FLOAT_BYTES / MEGABYTE,
        parameters * FLOAT_BYTES / MEGABYTE,
    )


def multiply_adds(model: nn.Module, input_size: int = 44) -> int:
    """Multiply-adds per face in convolutions and linear layers, without norms, activations and pooling."""
    total = 0

    def note(module: nn.Conv2d | nn.Linear, _inputs: tuple[object, ...], output: torch.Tensor) -> None:
        nonlocal total
        places = output[0].numel()  # every output value is one dot product
        total += places * (module.weight[0].numel() if isinstance(module, nn.Conv2d) else module.in_features)

    run_noted(
        model, input_size, note, [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    )
    return total


def run_noted(model: nn.Module, input_size: int, note: Callable[..., None], modules: Sequence[nn.Module]) -> None:
    """Run one gray face through the model and call note(module, inputs, output) as each of the modules runs."""
    hooks = [module.register_forward_hook(note) for module in modules]
    training = model.training
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, 1, input_size, input_size))
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
