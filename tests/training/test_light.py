"""What the page and a waiting worker load stays light: no PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LIGHT = [
    "fer.training.launcher",
    "fer.training.run_store",
    "fer.training.run_queue",
    "fer.training.watched_faces",
    "fer.training.worker",
    "fer.training.presets",
    "fer.visualization.training_figures",
    "fer.data.synthetic",
    "fer.data.folders",
    "fer.data.report",
]


@pytest.mark.parametrize("module", LIGHT)
def test_no_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0
