"""Run a network with ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from fer.errors import FerError, WeightsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROVIDERS = {  # by device, fastest first
    "cuda": "CUDAExecutionProvider",
    "rocm": "MIGraphXExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
CHOSEN = ("cuda", "rocm", "directml", "cpu")  # for auto: Core ML runs such small networks slower than the CPU


class Engine:
    """Computes logits for batches; thread-safe. threads: processor threads per call.

    device: auto or a name in PROVIDERS; the attribute holds the device in use. Raises WeightsError for a network that
    ONNX Runtime rejects, FerError for a device without a provider.
    """

    def __init__(self, onnx_bytes: bytes, threads: int = 2, device: str = "cpu") -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # an arena never frees the memory of its largest batch
        # Waiting threads that spin would take processor time from the camera, the page and other visitors.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = _session(onnx_bytes, options, device)
        self.device = next(name for name, provider in PROVIDERS.items() if provider in self._session.get_providers())
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: NDArray[np.floating]) -> NDArray[np.float32]:
        """Preprocessed faces (N, 1, S, S) float32 -> logits (N, 7) float32. N may be 0.

        Raises WeightsError for a network that fails on them: indices and sizes may depend on the pixels.
        """
        array = np.ascontiguousarray(batch, np.float32)
        if not len(array):
            return np.empty((0, 7), np.float32)
        try:
            logits: NDArray[np.float32] = self._session.run(None, {self._input: array})[0]
        except Exception as error:  # as in _session
            reason = str(error).rpartition("Status Message: ")[2][:160]
            raise WeightsError(f"The network fails on this face: {reason!r}. Export it again.") from None
        return logits


def available_devices() -> list[str]:
    """The devices supported by the installed ONNX Runtime, fastest first; always includes cpu."""
    present = onnxruntime.get_available_providers()
    return [device for device, provider in PROVIDERS.items() if provider in present]


def _session(onnx_bytes: bytes, options: onnxruntime.SessionOptions, device: str) -> onnxruntime.InferenceSession:
    present = available_devices()
    if device != "auto" and device not in present:
        raise FerError(
            f"The installed ONNX Runtime does not support {device[:20]!r}, only {', '.join(present)}. Choose one of "
            "these, or install an ONNX Runtime for that device, such as onnxruntime-gpu instead of onnxruntime."
        )
    wanted = [name for name in CHOSEN if name in present] if device == "auto" else [device]
    providers = [PROVIDERS[name] for name in dict.fromkeys([*wanted, "cpu"])]
    try:
        session = onnxruntime.InferenceSession(onnx_bytes, options, providers=providers, enable_fallback=0)
    except Exception as error:  # ONNX Runtime's dozen error types share no other base
        raise WeightsError(f"ONNX Runtime cannot load the network: {str(error)[:160]!r}. Export it again.") from None
    if device != "auto" and PROVIDERS[device] not in session.get_providers():  # a driver or library is missing
        raise FerError(f"ONNX Runtime could not start on {device}. Check its driver, or choose --device cpu.")
    return session
