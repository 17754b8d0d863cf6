"""What a network runs on: the devices that the installed ONNX Runtime has a provider for."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from fer.errors import FerError
from fer.inference.engine import PROVIDERS, Engine, available_devices
from fer.locations import weights_folder

GRAPH = (weights_folder() / "mini_xception.onnx").read_bytes()


def test_auto_and_cpu_give_the_same_numbers():
    batch = np.random.default_rng(0).normal(size=(2, 1, 44, 44)).astype(np.float32)
    auto, cpu = Engine(GRAPH, device="auto"), Engine(GRAPH)
    assert cpu.device == "cpu" and auto.device in available_devices()
    assert np.allclose(auto(batch), cpu(batch), atol=1e-3)


def test_a_device_without_a_provider_is_a_sentence():
    absent = next(device for device in PROVIDERS if device not in available_devices())
    with pytest.raises(FerError, match=f"does not support '{absent}'"):
        Engine(GRAPH, device=absent)


def fake_session(asked: list, working: set):
    class Session:
        def __init__(self, graph, options, providers, enable_fallback) -> None:
            asked.append(providers)
            self._providers = [each for each in providers if each in working]

        def get_providers(self):
            return self._providers

        def get_inputs(self):
            from types import SimpleNamespace

            return [SimpleNamespace(name="x")]

    return Session


def test_auto_takes_the_gpu_and_falls_back_where_its_driver_is_missing(monkeypatch):
    asked: list = []
    present = [PROVIDERS[name] for name in ("cuda", "coreml", "cpu")]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: present)
    monkeypatch.setattr(onnxruntime, "InferenceSession", fake_session(asked, set(present)))
    assert Engine(GRAPH, device="auto").device == "cuda" and asked[-1] == [PROVIDERS["cuda"], PROVIDERS["cpu"]]
    assert Engine(GRAPH, device="coreml").device == "coreml" and Engine(GRAPH).device == "cpu"
    monkeypatch.setattr(onnxruntime, "InferenceSession", fake_session(asked, {PROVIDERS["cpu"]}))
    assert Engine(GRAPH, device="auto").device == "cpu"
    with pytest.raises(FerError, match="could not start on cuda"):
        Engine(GRAPH, device="cuda")
