"""The options of every command and the methods of `fer explain`, written into docs/ from the code.

python -m tests.command_line
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import docstring_parser
import tyro

from fer import cli
from fer.explanation.methods import METHODS
from fer.tools.pages import renew, table
from fer.training.config import TrainConfig, field_help


def commands() -> str:
    """A section for each command: what it does, its arguments and options."""
    return "\n\n".join(map(section, cli.COMMANDS))


def section(command: Callable[..., int]) -> str:
    """One command in Markdown."""
    docstring = docstring_parser.parse(command.__doc__ or "")
    text = " ".join(filter(None, [docstring.short_description, docstring.long_description])).replace("\n", " ")
    helps = {each.arg_name: " ".join((each.description or "").split()) for each in docstring.params}
    rows: list[tuple[str, ...]] = [("option", "what it sets", "default")]
    hints = typing.get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        if name == "config":
            rows += _settings()
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            rows.insert(1, (f"`{name.upper()}`", helps[name], "required"))
        else:
            rows.append((_option(name, hints[name]), helps[name], _default(parameter.default)))
    return f"## fer {command.__name__}\n\n{text}\n\n{table(rows)}"


def _settings() -> list[tuple[str, ...]]:
    """The settings of a training run, each of which is an option of `fer train`."""
    helps, hints = field_help(), typing.get_type_hints(TrainConfig)
    return [(_option(one.name, hints[one.name]), helps[one.name], _default(one.default)) for one in fields(TrainConfig)]


def _option(name: str, hint: object) -> str:
    flag = f"--{name.replace('_', '-')}"
    choices = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
    return " ".join([f"`{flag}`", *([", ".join(f"`{choice}`" for choice in choices)] if len(choices) > 1 else [])])


def _default(value: object) -> str:
    if value is inspect.Parameter.empty:
        return "required"
    if value is None or value is False or value in ("", ()):
        return ""
    return f"`{' '.join(value) if isinstance(value, tuple) else value}`"


def methods() -> str:
    """The explanation methods: what to call each, what it shows, where it comes from."""
    rows: list[tuple[str, ...]] = [("`--methods`", "name", "what it shows", "source")]
    return table(rows + [(f"`{name}`", one.label, one.says, one.source) for name, one in METHODS.items()])


PARTS = {"commands": commands, "methods": methods}


def main(folder: Path | None = None) -> None:
    """Write the pages.

    Args:
        folder: The repository's folder; this one where none is given.
    """
    for page in renew(PARTS, folder):
        print(f"written: {page}")


if __name__ == "__main__":
    tyro.cli(main)
