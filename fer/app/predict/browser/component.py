"""The Streamlit component (components v2) that reads the camera in the visitor's browser."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from fer.app import session
from fer.app.predict.browser import assets, ort_web, state
from fer.app.predict.browser.constants import constants
from fer.inference.live import LiveSettings
from fer.models.card import Card
from fer.models.graph import read_graph
from fer.models.weights import find_weights
from fer.vision import yunet_file

KEY = "browser_live"
HERE = Path(__file__).parent
HTML = '<div class="frame"><div class="live"></div></div>'
# Streamlit runs this text on the page; the rest is in modules that the browser caches.
JS = """export default async (component) => {
  const { default: show } = await import(new URL(`${component.data.modules}view.js`, location.href));
  return show(component);
};"""


def why_not() -> str:
    """Why faces cannot be read in a browser here; empty if they can."""
    if not assets.is_mounted():
        return "this server was not started by `streamlit run streamlit_app.py`, `fer app` or `make app`"
    if ort_web.obtain(0.2) is None:
        if ort_web.coming():
            return "onnxruntime-web (14 MB) is being downloaded, once; try again in a minute"
        return (
            "onnxruntime-web is missing and could not be downloaded (whoever runs this server can name a copy by "
            "FER_ORT_WEB)"
        )
    if yunet_file.obtain(0.2) is None:
        return "the YuNet detector is missing and could not be downloaded"
    return ""


def model(name: str, label: str) -> tuple[dict[str, object], Card]:
    """Serve a model from now on; returns what the browser needs to know about it, and its card. Raises WeightsError.

    label: its name on the page, which is for people. Rows name the model by its id, which differs for newer weights.
    """
    weights = find_weights(name)
    asset, card = _graph(weights, _changed_ns(weights))
    reading = {
        "preprocessing": card.preprocessing.to_json(),
        "temperature": card.temperature,
        "threshold": card.threshold,
        "sets": card.prediction_sets and card.prediction_sets.rule(),
    }
    model_id = hashlib.blake2b(f"{card.sha256} {name}".encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
    return {"id": model_id, "name": label, "url": f"{assets.offer(asset)}model.onnx", "card": reading}, card


def place(model: dict[str, object], settings: LiveSettings, wanted: bool, **handlers: Callable[[], None]) -> None:
    """Draw the component. wanted: whether its tab is open. handlers: on_rows_change, on_unfit_change, on_upload_change.

    The handlers' values are in `said`.
    """
    recording = state.recording.get()
    data = {
        "modules": assets.offer(_modules()),
        "constants": constants(),
        "runtime": _runtime(),
        "yunet": _yunet(),
        "model": model,
        "settings": {
            "smoothingS": settings.smoothing_s,
            "mirror": settings.mirror,
            "parts": sorted(settings.drawn),
            "longSide": settings.long_side,
        },
        "recording": recording and {"id": recording.id, "received": recording.received, "done": recording.done},
        "open": wanted,
    }
    _component()(key=KEY, data=data, **handlers)


def said(name: str) -> object:
    """In a handler: the browser's message."""
    return (session.widget(KEY, dict) or {}).get(name)


@cache
def _component() -> Any:
    css = (HERE / "js" / "style.css").read_text(encoding="utf-8")
    return st.components.v2.component("fer_browser_live", html=HTML, css=css, js=JS)


@cache
def _modules() -> assets.Asset:
    return assets.asset_of({file.name: file.read_bytes() for file in sorted((HERE / "js").glob("*.js"))})


def _runtime() -> dict[str, str]:
    if (found := ort_web.obtain(0)) is None:
        raise FileNotFoundError("onnxruntime-web")
    module, wasm = (assets.offer(_file_asset(path, path.stat().st_mtime_ns)) + path.name for path in found)
    return {"module": module, "wasm": wasm}


def _yunet() -> str:
    if (file := yunet_file.obtain(0)) is None:
        raise FileNotFoundError(yunet_file.NAME)
    return assets.offer(_any_size(file, file.stat().st_mtime_ns)) + file.name


@lru_cache(maxsize=8)
def _graph(weights: Path, changed_ns: int) -> tuple[assets.Asset, Card]:
    graph, card = read_graph(weights)
    return assets.asset_of({"model.onnx": graph}), card


@lru_cache(maxsize=4)
def _file_asset(file: Path, changed_ns: int) -> assets.Asset:
    return assets.asset_of({file.name: file.read_bytes()})


@lru_cache(maxsize=2)
def _any_size(file: Path, changed_ns: int) -> assets.Asset:
    """YuNet for pictures of any size: its file declares 640 x 640, which ONNX Runtime, unlike OpenCV, enforces."""
    import onnx

    model = onnx.load(str(file))
    for value in (*model.graph.input, *model.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            dimension.Clear()
    del model.graph.value_info[:]
    return assets.asset_of({file.name: model.SerializeToString()})


def _changed_ns(weights: Path) -> int:
    """The modification time of a model's newest file."""
    files = [weights.with_suffix(suffix) for suffix in (".safetensors", ".onnx", ".json")]
    return max(file.stat().st_mtime_ns for file in files if file.is_file())
