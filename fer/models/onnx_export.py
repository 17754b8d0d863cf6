"""Export networks as ONNX graphs, faces (N, 1, S, S) -> logits (N, 7), so that prediction needs no PyTorch."""

from __future__ import annotations

import io
import threading
import warnings

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from fer.models.registry import fold

OPSET = 17
# Kernels with at least this many values are stored in 16 bits. In small networks rounding costs accuracy and saves
# little: it changes probabilities by 0.0022 in mini_xception and 0.0005 in compact (500 faces of PublicTest).
LARGE = 2**15
_exporting = threading.Lock()  # torch.onnx cannot run two exports at once


def export_onnx(model: nn.Module, input_size: int) -> bytes:
    """The folded model as an ONNX file in 32-bit floats."""
    file = io.BytesIO()
    with _exporting, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this exporter is deprecated, but requirements.txt pins torch
        torch.onnx.export(
            fold(model),
            (torch.zeros(2, 1, input_size, input_size),),
            file,  # type: ignore[arg-type]  # streams are allowed with dynamo=False
            dynamo=False,
            opset_version=OPSET,
            input_names=["faces"],
            output_names=["logits"],
            dynamic_axes={"faces": {0: "n"}, "logits": {0: "n"}},
        )
    return file.getvalue()


def store_as_float16(graph: bytes) -> bytes:
    """Store large kernels in 16 bits and cast them to 32 at load, which halves the file at the same speed.

    Returns the graph unchanged if a kernel would overflow 16 bits.
    """
    model = onnx.load_from_string(graph)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < LARGE:
            continue
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.isfinite(half).all():
            return graph
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.float16"))
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    for place, node in enumerate(casts):
        model.graph.node.insert(place, node)
    stored: bytes = model.SerializeToString()
    return stored
