"""Check, without running it, that an untrusted ONNX file is a plain network for faces."""

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
PLACES = 2**22  # values per face in the largest tensor
BATCHES = (1, 128)  # checked batch sizes, since sizes may depend on the batch
VALUES = 8 * PLACES  # per face in all outputs together: ONNX Runtime may have to hold them all at once
WORK = 4e9  # multiply-adds per face
# Plain arithmetic, with output sizes that follow from the input shapes.
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
    """Parse a file and check that it is a network of plain operators from a batch of faces to seven logits.

    name: for messages. Raises WeightsError naming the problem.
    """
    try:
        model = onnx.load_from_string(blob)
        if not model.graph.node:
            raise ValueError("no nodes")
    except Exception:  # protobuf's error types differ by version
        raise WeightsError(f"{name} is not a complete ONNX file. Export it again.") from None
    _check_opset(name, model)
    _check_nodes(name, model)
    _check_constants(name, model)
    _check_ends(name, model.graph)
    _check_work(name, model)
    return model


def card_in(name: str, model: onnx.ModelProto) -> Card:
    """The card in the file's metadata, as written by `fer export`. Raises WeightsError."""
    values: dict[str, object] = {"architecture": "onnx"}
    try:
        for entry in model.metadata_props:
            values[entry.key] = checked_json(entry.value)
    except ValueError:
        raise WeightsError(
            f"The metadata of {name} is not JSON. Put {Path(name).stem}.json in the same folder."
        ) from None
    if "preprocessing" not in values:
        raise WeightsError(f"{name} has no card. Put {Path(name).stem}.json in the same folder.")
    return Card.from_json(values)


def metadata_of(card: Card) -> dict[str, str]:
    """The metadata from which `card_in` restores a card."""
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
    told = {key: values[key] for key in names} | {"sha256_of_weights": card.sha256}
    if card.from_drawings:  # all that it takes to restore that; other data's name may be private
        told["data"] = card.data
    return {key: json.dumps(value) for key, value in told.items()}


def _check_opset(name: str, model: onnx.ModelProto) -> None:
    for imported in model.opset_import:
        if imported.domain in STANDARD and imported.version not in OPSETS:
            raise WeightsError(
                f"{name} has opset {imported.version}. Export it with an opset from {OPSETS[0]} to {OPSETS[-1]}."
            )
    if not any(imported.domain in STANDARD for imported in model.opset_import):
        raise WeightsError(f"{name} names no opset. Export it again.")
    if model.functions:
        raise WeightsError(f"{name} defines functions of its own. Export it without them.")


def _check_nodes(name: str, model: onnx.ModelProto) -> None:
    if len(model.graph.node) > NODES:
        raise WeightsError(f"{name} has {len(model.graph.node):,} nodes; the limit is {NODES:,}. Export a smaller one.")
    for node in model.graph.node:
        if node.domain not in STANDARD or node.op_type not in OPERATORS:
            raise WeightsError(f"{name} uses {node.op_type[:40]!r}, which is not allowed. Export a plain network.")
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                raise WeightsError(f"{name} contains a graph inside {node.op_type}. Export a plain network.")


def _tensors(model: onnx.ModelProto) -> list[TensorProto]:
    attributes = [attribute for node in model.graph.node for attribute in node.attribute]
    return [*model.graph.initializer, *(attribute.t for attribute in attributes if attribute.HasField("t"))]


def _check_constants(name: str, model: onnx.ModelProto) -> None:
    attributes = [attribute for node in model.graph.node for attribute in node.attribute]
    if model.graph.sparse_initializer or any(attribute.HasField("sparse_tensor") for attribute in attributes):
        raise WeightsError(f"{name} contains sparse tensors. Export it with dense ones.")
    for tensor in _tensors(model):
        if tensor.external_data or tensor.data_location == TensorProto.EXTERNAL:
            raise WeightsError(f"{name} stores weights in another file. Export it as one file.")
        if min(tensor.dims, default=1) < 0 or math.prod(tensor.dims) > 8 * tensor.ByteSize():
            raise WeightsError(f"{name} contains a tensor that is larger than its data. Export it again.")
        try:
            values = numpy_helper.to_array(tensor)
        except Exception:  # the type or length is wrong; the error type differs by version
            raise WeightsError(f"{name} contains a tensor that cannot be read. Export it again.") from None
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise WeightsError(f"{name} contains infinite or NaN values, as after a diverged training run.")


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
            raise WeightsError(f"{name}: {value.name[:40]!r} must hold 32-bit floats. Export it again.")
    for shape in (taken, given):
        if shape[0] > 0:
            raise WeightsError(f"{name} has a fixed batch size of {shape[0]}. Export it with a free first dimension.")


def input_side(graph: onnx.GraphProto) -> int:
    """The side, in pixels, of the faces that a checked graph takes."""
    constant = {tensor.name for tensor in graph.initializer}
    return _shape(next(value for value in graph.input if value.name not in constant))[2]


def _check_work(name: str, model: onnx.ModelProto) -> None:
    """Check that the sizes of all tensors and the amount of work are known in advance and small."""
    for faces in BATCHES:
        _check_work_for(name, model, faces)


def _check_work_for(name: str, model: onnx.ModelProto, faces: int) -> None:
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    for value in (*sized.graph.input, *sized.graph.output):
        if value.type.tensor_type.shape.dim and not value.type.tensor_type.shape.dim[0].dim_value:
            value.type.tensor_type.shape.dim[0].dim_value = faces
    del sized.graph.value_info[:]  # the shapes stated in the file are untrusted
    try:
        inferred = shape_inference.infer_shapes(sized, check_type=True, strict_mode=True, data_prop=True)
    except Exception as error:
        raise WeightsError(f"{name} is inconsistent: {str(error)[:120]!r}. Export it again.") from None
    shapes = {value.name: _shape(value) for value in (*inferred.graph.value_info, *inferred.graph.input)}
    shapes |= {value.name: _shape(value) for value in inferred.graph.output}
    shapes |= {tensor.name: list(tensor.dims) for tensor in inferred.graph.initializer}
    work, values = 0.0, 0
    for node in inferred.graph.node:
        for output in filter(None, node.output):
            shape = shapes.get(output)
            if shape is None or any(side <= 0 for side in shape):
                raise WeightsError(f"{name}: the output size of {node.op_type} is unknown. Export a plain network.")
            if math.prod(shape) > PLACES * faces:
                raise WeightsError(f"{name}: {node.op_type} returns {_words(shape)}, more than a face needs.")
            values += math.prod(shape)
            read = max((math.prod(shapes.get(given, ())) for given in node.input), default=0)
            work += max(math.prod(shape) * _cost(node, shapes), read)  # a mean reads more than it returns
    if values > VALUES * faces:
        raise WeightsError(f"{name} computes {values / faces:.2g} values per face; the limit is {VALUES:.2g}.")
    if work > WORK * faces:
        raise WeightsError(f"{name} needs {work / faces:.2g} multiply-adds per face; the limit is {WORK:.2g}.")


def _cost(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> float:
    """Multiply-adds per value of the node's output."""
    attributes = {attribute.name: attribute for attribute in node.attribute}
    if node.op_type == "Conv":
        return math.prod(shapes.get(node.input[1], [])[1:])
    if node.op_type in ("Gemm", "MatMul"):
        left = shapes.get(node.input[0], [])  # (..., M, K), or (K, M) if transposed
        return math.prod(left[:1] if "transA" in attributes and attributes["transA"].i else left[-1:])
    return math.prod(attributes["kernel_shape"].ints) if "kernel_shape" in attributes else 1.0


def _shape(value: onnx.ValueInfoProto) -> list[int]:
    """The dimensions, with -1 for free ones."""
    return [dim.dim_value if dim.HasField("dim_value") else -1 for dim in value.type.tensor_type.shape.dim]


def _words(shape: list[int]) -> str:
    return "[" + ", ".join("n" if side < 0 else str(side) for side in shape[:8]) + "]"
