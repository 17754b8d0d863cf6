"""Home, Predict with all its views, and the form of Training: none of them needs PyTorch, which is barred here."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

VISIT = """
import sys
for name in ("torch", "torchvision", "torchmetrics", "captum", "accelerate", "onnx", "safetensors"):
    sys.modules[name] = None   # an import of it fails from now on

from streamlit.testing.v1 import AppTest

app = AppTest.from_file("streamlit_app.py", default_timeout=120).run()
assert not app.exception and not app.error and any("Happy" in text.value for text in app.markdown)
app.switch_page("pages/predict.py").run()
app.button(key="sample_astronaut").click().run()
assert not app.exception and not app.error and any(one.value == "All faces" for one in app.header)


from types import SimpleNamespace
from fer.app.predict import live_tab, webcam
webcam.webrtc_streamer = lambda *given, **named: SimpleNamespace(state=SimpleNamespace(signalling=False, playing=False))
for view in ("camera", "live", "video"):
    app.session_state["wanted_predict_view"] = view
    app.switch_page("pages/predict.py").run()
    assert not app.exception and not app.error, view
app.switch_page("pages/training.py").run()
assert not app.exception and not app.error and not app.button(key="start").disabled
app.switch_page("pages/evaluate.py").run()
assert not app.exception and not app.error
"""


def test_home_predict_and_the_form_of_training(offline, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_RUNS", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", VISIT], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
