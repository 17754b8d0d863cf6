"""Untrusted text, such as a file's name, in places that read Markdown."""

from __future__ import annotations

SPECIAL = "\\`*_{}[]()#+-.!|<>~$:^&="


def plain(text: str) -> str:
    """The text with all that Markdown would interpret escaped: it is shown letter by letter, on one line."""
    return "".join(f"\\{letter}" if letter in SPECIAL else letter for letter in text.replace("\n", " "))
