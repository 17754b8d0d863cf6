"""What a network is built of, from its modules: boxes in the order in which a face goes through, with their shortcuts.

The boxes need no PyTorch; `parts_of` loads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import fx, nn

SILENT = ("", "ReLU", "norm", "Dropout", "Dropout2d")  # what the table tells and a diagram need not


@dataclass(frozen=True)
class Part:
    """One box: a block, a layer, or several that are alike.

    operations: of the main path, in order; shortcuts: what runs beside it and is added, "identity" where nothing is
    done there; shape: of what comes out, without the batch; parameters: of all `repeats` together.
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
    """Run one gray face of that size through the model, and note its blocks and layers as they take part."""
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
    """The blocks and layers that a network is made of, whatever lists they stand in, with their paths."""
    from torch import nn

    for name, child in module.named_children():
        if isinstance(child, nn.Sequential | nn.ModuleList):
            yield from _units(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def _names(model: nn.Module) -> Callable[[str], str]:
    """How a unit's path is told: by the layer of attribution_layers() that it belongs to, else by its beginning."""
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
    """What a unit does on its longest way, and what is added to that."""
    if word := _word(module):
        return tuple(each for each in (word,) if each not in SILENT), ()
    from torch import fx

    try:
        return _traced(fx.symbolic_trace(module).graph, module)
    except Exception:  # whatever a network of one's own does that cannot be traced: its layers are told in order
        words = tuple(word for _, child in module.named_modules() if (word := _word(child)))
        return _told(words), ()


def _traced(graph: fx.Graph, module: nn.Module) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of every node the words of the longest way there; what is added on other ways is a shortcut."""
    ways: dict[fx.Node, tuple[str, ...]] = {}
    shortcuts: list[str] = []
    for node in graph.nodes:  # each after all that it needs
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
    """How many words two ways begin with, where one is the whole beginning of the other; else they part at once."""
    return len(other) if one[: len(other)] == other else 0


def _told(words: tuple[str, ...]) -> tuple[str, ...]:
    """Without norms and activations; a convolution a channel and a 1x1 across are a separable one."""
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
    """A layer of PyTorch's own in a word or two; empty for a block of several."""
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
