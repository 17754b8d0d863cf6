"""Is an untrusted ONNX file a plain network for faces? Checked on its text, before any of it runs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper, shape_inference

from fer.errors import WeightsError
from fer.expressions import COUNT
from fer.models.card import Card, checked_json

STANDARD = ("", "ai.onnx")
OPSETS = range(7, 25)
NODES = 5_000
PLACES = 2**22  # values of the largest tensor for one face
BATCHES = (1, 128)  # of faces: a size may be computed from that of the batch
WORK = 4e9  # multiply-adds for one face
# Plain arithmetic whose result's size follows from the shapes of its inputs.
OPERATORS = frozenset(
    [
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Cast",
        "Clip",
        "Concat",
        "Constant",
        "Conv",
        "DequantizeLinear",
        "Div",
        "Dropout",
        "Elu",
        "Erf",
        "Flatten",
        "Gather",
        "Gelu",
        "Gemm",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LayerNormalization",
        "LeakyRelu",
        "LogSoftmax",
        "MatMul",
        "MaxPool",
        "Mul",
        "PRelu",
        "Pow",
        "QuantizeLinear",
        "ReduceMax",
        "ReduceMean",
        "Relu",
        "Reshape",
        "Resize",
        "Selu",
        "Shape",
        "Sigmoid",
        "Slice",
        "Softmax",
        "Softplus",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tanh",
        "Transpose",
        "Unsqueeze",
    ]
)


def checked_model(name: str, blob: bytes) -> onnx.ModelProto:
    """The parsed file, if it is a network of plain operators from one face batch to seven logits.

    name: for messages. Raises WeightsError saying what is wrong.
    """
    try:
        model = onnx.load_from_string(blob)
        if not model.graph.node:
            raise ValueError("no nodes")
    except Exception:  # of protobuf, whose errors differ by its version
        raise WeightsError(f"{name} is not a whole ONNX file. Export it again.") from None
    _check_opset(name, model)
    _check_nodes(name, model)
    _check_constants(name, model)
    _check_ends(name, model.graph)
    _check_work(name, model)
    return model


def card_in(name: str, model: onnx.ModelProto) -> Card:
    """The card in the file's own metadata, as `fer export` writes it. Raises WeightsError."""
    values: dict[str, object] = {"architecture": "onnx"}
    try:
        for entry in model.metadata_props:
            values[entry.key] = checked_json(entry.value)
    except ValueError:
        raise WeightsError(f"{name}: its metadata is not JSON. Put {Path(name).stem}.json beside it.") from None
    if "preprocessing" not in values:
        raise WeightsError(f"{name} has no card. Put {Path(name).stem}.json beside it.")
    return Card.from_json(values)


def metadata_of(card: Card) -> dict[str, str]:
    """What `card_in` reads again."""
    names = (
        "architecture",
        "classes",
        "preprocessing",
        "temperature",
        "threshold",
        "prediction_sets",
        "licences",
        "notes",
    )
    values = card.to_json()
    return {key: json.dumps(values[key]) for key in names} | {"sha256_of_weights": json.dumps(card.sha256)}


def _check_opset(name: str, model: onnx.ModelProto) -> None:
    for imported in model.opset_import:
        if imported.domain in STANDARD and imported.version not in OPSETS:
            raise WeightsError(
                f"{name} has opset {imported.version}. Export it with one from {OPSETS[0]} to {OPSETS[-1]}."
            )
    if not any(imported.domain in STANDARD for imported in model.opset_import):
        raise WeightsError(f"{name} names no opset. Export it again.")
    if model.functions:
        raise WeightsError(f"{name} defines functions of its own. Export it without them.")


def _check_nodes(name: str, model: onnx.ModelProto) -> None:
    if len(model.graph.node) > NODES:
        raise WeightsError(f"{name} has {len(model.graph.node):,} nodes. At most {NODES:,} are read.")
    for node in model.graph.node:
        if node.domain not in STANDARD or node.op_type not in OPERATORS:
            raise WeightsError(f"{name} uses {node.op_type[:40]!r}, which is not taken. Export a plain network.")
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                raise WeightsError(f"{name} holds a graph inside {node.op_type}. Export a plain network.")


def _tensors(model: onnx.ModelProto) -> list[TensorProto]:
    attributes = [attribute for node in model.graph.node for attribute in node.attribute]
    return [*model.graph.initializer, *(attribute.t for attribute in attributes if attribute.HasField("t"))]


def _check_constants(name: str, model: onnx.ModelProto) -> None:
    attributes = [attribute for node in model.graph.node for attribute in node.attribute]
    if model.graph.sparse_initializer or any(attribute.HasField("sparse_tensor") for attribute in attributes):
        raise WeightsError(f"{name} holds sparse tensors. Export it with dense ones.")
    for tensor in _tensors(model):
        if tensor.external_data or tensor.data_location == TensorProto.EXTERNAL:
            raise WeightsError(f"{name} keeps weights in another file. Export it as one file.")
        if min(tensor.dims, default=1) < 0 or math.prod(tensor.dims) > 8 * tensor.ByteSize():
            raise WeightsError(f"{name} holds a tensor that is larger than its data. Export it again.")
        try:
            values = numpy_helper.to_array(tensor)
        except Exception:  # a type or a length that does not fit, told differently by every version
            raise WeightsError(f"{name} holds a tensor that cannot be read. Export it again.") from None
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise WeightsError(f"{name} holds values that are not numbers. The training had diverged.")


def _check_ends(name: str, graph: onnx.GraphProto) -> None:
    constant = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constant]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise WeightsError(f"{name} has {len(inputs)} inputs and {len(graph.output)} outputs. Expected one of each.")
    taken, given = (_shape(value) for value in (inputs[0], graph.output[0]))
    if not (len(taken) == 4 and taken[1] == 1 and taken[2] == taken[3] and 8 <= taken[2] <= 512):
        raise WeightsError(f"{name} takes {_words(taken)}. Expected gray faces [n, 1, S, S] of 8 to 512 pixels.")
    if len(given) != 2 or given[1] != COUNT:
        raise WeightsError(f"{name} returns {_words(given)}. Expected logits [n, {COUNT}].")
    for value in (inputs[0], graph.output[0]):
        if value.type.tensor_type.elem_type != TensorProto.FLOAT:
            raise WeightsError(f"{name}: {value.name[:40]!r} is not of 32-bit floats.")
    for shape in (taken, given):
        if shape[0] > 0:
            raise WeightsError(f"{name} takes exactly {shape[0]} faces a time. Export it with a free first dimension.")


def input_side(graph: onnx.GraphProto) -> int:
    """The side of the face that a checked graph takes, in pixels."""
    constant = {tensor.name for tensor in graph.initializer}
    return _shape(next(value for value in graph.input if value.name not in constant))[2]


def _check_work(name: str, model: onnx.ModelProto) -> None:
    """Every tensor's size is known beforehand and small, and so is the arithmetic."""
    for faces in BATCHES:
        _check_work_for(name, model, faces)


def _check_work_for(name: str, model: onnx.ModelProto, faces: int) -> None:
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    for value in (*sized.graph.input, *sized.graph.output):
        if value.type.tensor_type.shape.dim and not value.type.tensor_type.shape.dim[0].dim_value:
            value.type.tensor_type.shape.dim[0].dim_value = faces
    del sized.graph.value_info[:]  # what the file claims of its shapes is not believed
    try:
        inferred = shape_inference.infer_shapes(sized, check_type=True, strict_mode=True, data_prop=True)
    except Exception as error:
        raise WeightsError(f"{name} does not fit together: {str(error)[:120]!r}.") from None
    shapes = {value.name: _shape(value) for value in (*inferred.graph.value_info, *inferred.graph.input)}
    shapes |= {value.name: _shape(value) for value in inferred.graph.output}
    shapes |= {tensor.name: list(tensor.dims) for tensor in inferred.graph.initializer}
    work = 0.0
    for node in inferred.graph.node:
        for output in filter(None, node.output):
            shape = shapes.get(output)
            if shape is None or any(side <= 0 for side in shape):
                raise WeightsError(f"{name}: the size of what {node.op_type} returns cannot be told beforehand.")
            if math.prod(shape) > PLACES * faces:
                raise WeightsError(f"{name}: {node.op_type} returns {_words(shape)}, more than a face needs.")
            work += math.prod(shape) * _cost(node, shapes)
    if work > WORK * faces:
        raise WeightsError(f"{name} needs {work / faces:.2g} multiply-adds a face. At most {WORK:.2g} are run.")


def _cost(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> float:
    """Multiply-adds for one value of what the node returns."""
    if node.op_type in ("Conv", "Gemm", "MatMul") and len(node.input) > 1:
        kernel = shapes.get(node.input[1], [])
        return math.prod(kernel[1:]) if node.op_type == "Conv" else math.prod(kernel[:-1][-1:] or [1])
    pooled = next((attribute.ints for attribute in node.attribute if attribute.name == "kernel_shape"), ())
    return math.prod(pooled) if pooled else 1.0


def _shape(value: onnx.ValueInfoProto) -> list[int]:
    """-1 where a dimension is free."""
    return [dim.dim_value if dim.HasField("dim_value") else -1 for dim in value.type.tensor_type.shape.dim]


def _words(shape: list[int]) -> str:
    return "[" + ", ".join("n" if side < 0 else str(side) for side in shape[:8]) + "]"
