"""Reading photos and videos needs no PyTorch, nor what comes with it; the pages are in tests/pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer.vision.images import read_image
from fer.vision.video import VideoWriter

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "torchvision", "torchmetrics", "captum", "accelerate", "safetensors", "onnx", "optuna")
APP = ("streamlit", "streamlit_webrtc", "plotly")
BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in %r:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
sys.meta_path.insert(0, Blocked())
"""
MODULES = [
    "fer",
    "fer.batch",
    "fer.cli",
    "fer.service",
    "fer.records",
    "fer.inference.recognizer",
    "fer.inference.video",
    "fer.inference.live",
    "fer.vision.detection",
    "fer.models.card",
    "fer.models.weights",
    "fer.training.run_directory",
    "fer.training.config",
    "fer.data.read",
]


def run(code: str, without: tuple[str, ...] = HEAVY, **options) -> subprocess.CompletedProcess:
    block = BLOCK % (without,)
    return subprocess.run(
        [sys.executable, "-c", block + code], cwd=ROOT, capture_output=True, text=True, check=False, **options
    )


@pytest.mark.parametrize("module", MODULES)
def test_importing_needs_none_of_it(module):
    done = run(f"import {module}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("model", ["compact", "mini_xception"])
def test_a_photo_is_read_by_the_command(sample, model):
    done = run(
        f"from fer.cli import main; sys.exit(main(['predict', {str(sample)!r}, '--model', {model!r}, "
        "'--detector', 'hog', '--stability', '--json']))"
    )
    assert done.returncode == 0, done.stderr
    (face,) = json.loads(done.stdout)["faces"]
    assert face["expression"] == "happy" and face["stability"] == 1


def test_a_video_is_read_by_the_command(tmp_path, sample):
    sample_video = tmp_path / "in.mp4"
    with VideoWriter(sample_video, 512, 512, 10) as writer:
        for index in range(5):
            writer.write(read_image(sample), index / 10)
    done = run(
        f"from fer.cli import main; sys.exit(main(['video', {str(sample_video)!r}, '--out', "
        f"{str(tmp_path / 'out.mp4')!r}, '--detector', 'hog', '--json']))"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] and (tmp_path / "out.mp4").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["explain", "x.jpg", "--out", "y"], "train"),
        (["evaluate", "--data", "synthetic"], "train"),
        (["train", "--data", "synthetic"], "train"),
        (["summary", "mini_xception"], "train"),
    ],
)
def test_what_needs_it_says_how_to_install_it(arguments, named, tmp_path):
    runs = {"FER_RUNS": str(tmp_path / "runs")}
    done = run(f"from fer.cli import main; sys.exit(main({arguments!r}))", env={**os.environ, **runs})
    assert not list(tmp_path.iterdir())
    assert done.returncode == 1 and f"'.[{named}]'" in done.stderr and "Traceback" not in done.stderr


def test_evaluating_needs_nothing_of_the_app_unless_a_report_is_asked_for(tmp_path, small_csv):
    arguments = ["evaluate", "--data", str(small_csv), "--model", "mini_xception"]
    done = run(f"from fer.cli import main; sys.exit(main({arguments!r}))", without=APP)
    assert done.returncode == 0 and "confusion matrix" in done.stdout, done.stderr
    arguments += ["--report", str(tmp_path / "report.html")]
    done = run(f"from fer.cli import main; sys.exit(main({arguments!r}))", without=APP)
    assert done.returncode == 1 and "'.[app]'" in done.stderr and not done.stdout  # said before the work
