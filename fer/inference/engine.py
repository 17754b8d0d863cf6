"""Run a network by ONNX Runtime; its graph is exported in memory on loading: no file, nothing to go stale."""

from __future__ import annotations

import io
import threading
import warnings

import numpy as np
import onnxruntime
import torch
from torch import nn

from fer.models.zoo import fold

OPSET = 17
_exporting = threading.Lock()  # torch.onnx refuses a second export beside the first


class Engine:
    """Batches in, logits out; safe to call from several threads. threads: processor threads a call may use."""

    def __init__(self, onnx_bytes: bytes, threads: int = 2) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        # Threads that spin while they wait take the processor from the camera, the page and other visitors.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])

    @classmethod
    def from_model(cls, model: nn.Module, input_size: int, threads: int = 2) -> Engine:
        return cls(export_onnx(model, input_size), threads)

    def __call__(self, batch: np.ndarray | torch.Tensor) -> np.ndarray:
        """(N, 1, S, S) float32 preprocessed -> logits (N, 7) float32. N may be 0."""
        array = np.ascontiguousarray(batch, np.float32)
        if not len(array):
            return np.empty((0, 7), np.float32)
        return self._session.run(None, {"faces": array})[0]


def export_onnx(model: nn.Module, input_size: int) -> bytes:
    """The folded model as an ONNX graph, faces (N, 1, S, S) -> logits (N, 7)."""
    file = io.BytesIO()
    with _exporting, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's deprecation; torch is pinned, see DESIGN section 4
        torch.onnx.export(
            fold(model), (torch.zeros(2, 1, input_size, input_size),), file, dynamo=False, opset_version=OPSET,
            input_names=["faces"], output_names=["logits"], dynamic_axes={"faces": {0: "n"}, "logits": {0: "n"}})
    return file.getvalue()
