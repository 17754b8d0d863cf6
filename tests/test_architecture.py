"""The layout's promises: who may import whom, no pickle, light modules stay light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = [
    {"expressions", "records", "errors"},
    {"vision", "data", "models"},
    {"inference", "training", "evaluation", "explain", "display"},
    {"app", "tools"},
]
SOURCES = [*sorted((ROOT / "fer").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py")), ROOT / "streamlit_app.py"]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_only_the_pages_and_fer_app_import_streamlit():
    users = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if any(name.split(".")[0].startswith("streamlit") for name in imported(path))
    }
    assert users and all(name == "streamlit_app.py" or name.startswith(("pages/", "fer/app/")) for name in users)


@pytest.mark.parametrize("path", sorted((ROOT / "fer").glob("*/*.py")), ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_imports_point_one_way(path):
    level = next(index for index, layer in enumerate(LAYERS) if path.parent.name in layer)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "fer" and len(parts) > 1:
            above = [layer for layer in LAYERS[level + 1 :] if parts[1] in layer]
            assert not above, f"{path} imports {name}"


def test_nothing_unpickles():
    for path in SOURCES:
        assert not {"pickle", "dill", "joblib", "shelve"} & imported(path), path
        assert not re.search(r"(?<!safetensors\.)torch\.load\(", path.read_text()), path


LIGHT = ["fer", "fer.expressions", "fer.records", "fer.training.run_directory", "fer.visualization.figures"]


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_do_not_import_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
