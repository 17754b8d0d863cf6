"""Run a network by ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from fer.errors import WeightsError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Engine:
    """Batches in, logits out; safe to call from several threads. threads: processor threads a call may use.

    Raises WeightsError for bytes that ONNX Runtime does not take.
    """

    def __init__(self, onnx_bytes: bytes, threads: int = 2) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # an arena keeps the memory of the largest batch ever seen
        # Threads that spin while they wait take the processor from the camera, the page and other visitors.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                onnx_bytes, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as error:  # ONNX Runtime has a dozen kinds, all of them plain Exceptions
            raise WeightsError(f"ONNX Runtime refuses the network: {str(error)[:160]!r}.") from None
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: NDArray[np.floating]) -> NDArray[np.float32]:
        """(N, 1, S, S) float32 preprocessed -> logits (N, 7) float32. N may be 0."""
        array = np.ascontiguousarray(batch, np.float32)
        if not len(array):
            return np.empty((0, 7), np.float32)
        logits: NDArray[np.float32] = self._session.run(None, {self._input: array})[0]
        return logits
