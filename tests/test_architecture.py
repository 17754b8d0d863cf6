"""The layout's promises: packages form a graph without cycles, no pickle, light modules stay light.

`python -m tests.test_architecture` prints the graph.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Who may import whom: only what stands further down. Peers of one line may not form a cycle either.
LEVELS = [
    {"app", "service", "batch", "cli", "tools", "__main__"},
    {"explanation", "evaluation", "training", "visualization"},
    {"inference", "models"},
    {"data", "vision"},
]
SOURCES = [*sorted((ROOT / "fer").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py")), ROOT / "streamlit_app.py"]


def nodes_at_runtime(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker sees."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from nodes_at_runtime(child)


def imported(path: Path) -> set[str]:
    names = set()
    for node in nodes_at_runtime(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def package_graph() -> dict[str, set[str]]:
    """Each package and single module of fer, and those that it imports, at the top of a file or inside a function."""
    rooms = {path.stem for path in (ROOT / "fer").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    graph: dict[str, set[str]] = {}
    for path in SOURCES:
        if path.is_relative_to(ROOT / "fer") and path != ROOT / "fer" / "__init__.py":
            room = path.relative_to(ROOT / "fer").parts[0].removesuffix(".py")
            parts = (name.split(".") for name in imported(path))
            found = {part[1] for part in parts if part[0] == "fer" and len(part) > 1 and part[1] in rooms}
            graph.setdefault(room, set()).update(found - {room})
    return graph


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    """One way around, or nothing."""
    done: set[str] = set()

    def walk(room: str, way: list[str]) -> list[str]:
        if room in way:
            return [*way[way.index(room) :], room]
        if room in done:
            return []
        for other in sorted(graph.get(room, ())):
            if found := walk(other, [*way, room]):
                return found
        done.add(room)
        return []

    return next((found for room in sorted(graph) if (found := walk(room, []))), [])


def test_a_cycle_is_seen():
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert not cycle_in({"a": {"b", "c"}, "b": {"c"}})


def test_packages_form_a_graph_without_cycles():
    graph = package_graph()
    assert len(graph) > 15 and not cycle_in(graph)


def test_packages_import_only_what_stands_below_them():
    level = {room: index for index, rooms in enumerate(LEVELS) for room in rooms}
    for room, others in package_graph().items():
        above = [other for other in others if level.get(other, 9) < level.get(room, 9)]
        assert not above, f"{room} imports {above}"


def test_only_the_pages_and_fer_app_import_streamlit():
    users = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if any(name.split(".")[0].startswith("streamlit") for name in imported(path))
    }
    assert users and all(name == "streamlit_app.py" or name.startswith(("pages/", "fer/app/")) for name in users)


def test_nothing_unpickles():
    for path in SOURCES:
        assert not {"pickle", "dill", "joblib", "shelve"} & imported(path), path
        assert not re.search(r"(?<!safetensors\.)torch\.load\(", path.read_text()), path


LIGHT = [
    "fer",
    "fer.batch",
    "fer.batch.run",
    "fer.service",
    "fer.data.folders",
    "fer.data.report",
    "fer.data.synthetic",
    "fer.expressions",
    "fer.inference.live",
    "fer.inference.recognizer",
    "fer.inference.video",
    "fer.models.card",
    "fer.models.registry",
    "fer.records",
    "fer.training.launcher",
    "fer.training.presets",
    "fer.training.run_directory",
    "fer.training.run_queue",
    "fer.training.run_store",
    "fer.training.watched_faces",
    "fer.training.worker",
    "fer.vision.detection",
    "fer.visualization.figures",
    "fer.visualization.training_figures",
]


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_do_not_import_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    for name, others in sorted(package_graph().items()):
        print(f"{name:<16} -> {', '.join(sorted(others)) or '-'}")
