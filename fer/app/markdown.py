"""Escape untrusted text, such as a file's name, for Markdown."""

from __future__ import annotations

SPECIAL = "\\`*_{}[]()#+-.!|<>~$:^&="


def plain(text: str) -> str:
    """The text with everything that Markdown would interpret escaped, on one line."""
    return "".join(f"\\{letter}" if letter in SPECIAL else letter for letter in text.replace("\n", " "))
