"""Describe a network as a diagram's boxes, in the order in which a face passes through them, with their shortcuts.

The boxes need no PyTorch; `parts_of` imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import fx, nn

SILENT = ("", "ReLU", "norm", "Dropout", "Dropout2d")  # in the layer table, but left out of the diagram


@dataclass(frozen=True)
class Part:
    """One box: a block or layer, or several identical ones.

    operations: along the main path, in order; shortcuts: the operations of each path added to it, "identity" if there
    are none; shape: of the output, without the batch; parameters: of all `repeats` together.
    """

    name: str
    operations: tuple[str, ...]
    shortcuts: tuple[str, ...]
    shape: tuple[int, ...]
    parameters: int
    repeats: int = 1

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Part:
        lists = {name: tuple(values[name]) for name in ("operations", "shortcuts", "shape")}
        return cls(**{**values, **lists})


def parts_of(model: nn.Module, input_size: int) -> list[Part]:
    """Run one gray face of this size through the model and record its blocks and layers as they run."""
    from fer.models.registry import parameter_count
    from fer.models.summary import run_noted

    units = {unit: path for path, unit in _units(model)}
    names = _names(model)
    parts: list[Part] = []

    def note(module: nn.Module, _inputs: tuple[object, ...], output: torch.Tensor) -> None:
        operations, shortcuts = _flow(module)
        part = Part(names(units[module]), operations, shortcuts, tuple(output.shape[1:]), parameter_count(module))
        last = parts[-1] if parts else None
        if last and not operations and not shortcuts:  # a norm or an activation belongs to the layer before it
            parts[-1] = replace(last, parameters=last.parameters + part.parameters)
        elif last and (last.operations, last.shortcuts, last.shape) == (operations, shortcuts, part.shape):
            parts[-1] = replace(last, parameters=last.parameters + part.parameters, repeats=last.repeats + 1)
        else:
            parts.append(part)

    run_noted(model, input_size, note, list(units))
    return parts


def _units(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """A network's blocks and layers, including those in nested lists, with their paths."""
    from torch import nn

    for name, child in module.named_children():
        if isinstance(child, nn.Sequential | nn.ModuleList):
            yield from _units(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def _names(model: nn.Module) -> Callable[[str], str]:
    """A function that names a unit by its layer in attribution_layers(), or by the first part of its path."""
    known: dict[str, nn.Module] = getattr(model, "attribution_layers", dict)()
    layers = {id(module): name for name, module in known.items()}

    def name(path: str) -> str:
        steps = path.split(".")
        for end in range(len(steps), 0, -1):
            if found := layers.get(id(model.get_submodule(".".join(steps[:end])))):
                return found
        return steps[0]

    return name


def _flow(module: nn.Module) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The operations on a unit's longest path, and its shortcuts."""
    if word := _word(module):
        return tuple(each for each in (word,) if each not in SILENT), ()
    from torch import fx

    try:
        return _traced(fx.symbolic_trace(module).graph, module)
    except Exception:  # a custom network may not be traceable: list its layers in order
        words = tuple(word for _, child in module.named_modules() if (word := _word(child)))
        return _told(words), ()


def _traced(graph: fx.Graph, module: nn.Module) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Follow the longest path to every node; other paths that are added to it are shortcuts."""
    ways: dict[fx.Node, tuple[str, ...]] = {}
    shortcuts: list[str] = []
    for node in graph.nodes:  # in topological order
        before = [ways[other] for other in node.all_input_nodes]
        longest = max(before, key=len, default=())
        if node.op == "call_module":
            longest = (*longest, _word(module.get_submodule(str(node.target))) or str(node.target))
        elif len(before) > 1 and _name_of(node) == "add":
            before.remove(longest)
            shortcuts += [" + ".join(_told(way[_common(longest, way) :])) or "identity" for way in before]
        elif len(before) > 1 and _name_of(node) == "mul":
            longest = (*min(before, key=len), "channel attention")
        ways[node] = longest
    return _told(longest), tuple(shortcuts)


def _name_of(node: fx.Node) -> str:
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return {"iadd": "add", "add_": "add", "imul": "mul"}.get(name, name)


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """The length of `other` if `one` begins with it, otherwise 0: the paths then share nothing."""
    return len(other) if one[: len(other)] == other else 0


def _told(words: tuple[str, ...]) -> tuple[str, ...]:
    """Drop norms and activations, and merge a depthwise and a 1x1 convolution into a separable one."""
    told: list[str] = []
    for word in words:
        if word in SILENT:
            continue
        if word == "conv 1×1" and told and told[-1].startswith("depthwise "):
            told[-1] = told[-1].replace("depthwise", "separable")
        else:
            told.append(word)
    return tuple(told)


def _word(module: nn.Module) -> str:
    """A short name for one of PyTorch's own layers; empty for a block of several."""
    from torch import nn

    if isinstance(module, nn.Conv2d):
        kernel = "×".join(map(str, module.kernel_size))
        if module.groups == module.in_channels > 1:
            return f"depthwise conv {kernel}"
        return f"conv {kernel}" + (f", {module.groups} groups" if module.groups > 1 else "")
    for kind, word in (
        (nn.BatchNorm2d, "norm"),
        (nn.MaxPool2d, "max-pool"),
        (nn.AvgPool2d, "average"),
        (nn.AdaptiveAvgPool2d, "average"),
        (nn.Linear, "linear"),
    ):
        if isinstance(module, kind):
            return word
    return type(module).__name__ if not list(module.children()) else ""
