"""A network as an ONNX graph, faces (N, 1, S, S) -> logits (N, 7), so that predicting needs no PyTorch."""

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
# Values from which a kernel is stored in 16 bits. Small networks feel the rounding and gain nothing: 0.0022 in a
# probability of mini_xception, 0.0005 in one of compact (500 faces of PublicTest).
LARGE = 2**15
_exporting = threading.Lock()  # torch.onnx refuses a second export beside the first


def export_onnx(model: nn.Module, input_size: int) -> bytes:
    """The folded model as an ONNX file in 32-bit floats."""
    file = io.BytesIO()
    with _exporting, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's deprecation; requirements.txt pins torch
        torch.onnx.export(
            fold(model),
            (torch.zeros(2, 1, input_size, input_size),),
            file,  # type: ignore[arg-type]  # a stream is taken where dynamo is False
            dynamo=False,
            opset_version=OPSET,
            input_names=["faces"],
            output_names=["logits"],
            dynamic_axes={"faces": {0: "n"}, "logits": {0: "n"}},
        )
    return file.getvalue()


def store_as_float16(graph: bytes) -> bytes:
    """The same graph with its large kernels stored in 16 bits, each cast to 32 at load: half the file, the same speed.

    A graph whose kernels would overflow 16 bits is returned as it is.
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
