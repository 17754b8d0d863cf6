"""The maintainers' commands, `fer tools NAME ...`, each a module of this package."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

from fer.errors import FerError

TOOLS = (
    "batch-benchmark",
    "crop-measurement",
    "detected-crops",
    "detection-benchmark",
    "faithfulness",
    "fills",
    "fit-sets",
    "model-cards",
    "robustness-table",
    "ship-weights",
    "training-benchmark",
)


def main(arguments: list[str]) -> int:
    """Run one tool, or list all. Raises FerError for an unknown one."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: fer tools NAME [options]\n")
        for name in TOOLS:
            print(f"  {name:<22}{_says(name)}")
        return 0
    name, *options = arguments
    if name not in TOOLS:
        raise FerError(f"There is no tool {name[:40]!r}. Choose from {', '.join(TOOLS)}.")
    before, sys.argv = sys.argv, [f"fer tools {name}", *options]
    try:
        runpy.run_module(_module(name), run_name="__main__")
    finally:
        sys.argv = before
    return 0


def _module(name: str) -> str:
    return f"fer.tools.{name.replace('-', '_')}"


def _says(name: str) -> str:
    """The first line of the tool's docstring, read without importing the tool."""
    source = Path(__file__).with_name(f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0].partition(": `python")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
