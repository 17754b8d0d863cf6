"""Escape untrusted text, such as a file's name, for Markdown."""

from __future__ import annotations

import re

SPECIAL = "\\`*_{}[]()#+-.!|<>~$:^&="
# Where Streamlit's Markdown looks for addresses to link after it has read all escapes: "www.", "https://" and "@".
ADDRESS = re.compile(r"(?<=www)(?=\.)|(?<=:)(?=//)|(?=@)", re.IGNORECASE)
WORD_JOINER = "\u2060"  # invisible; breaks an address, but no line


def plain(text: str) -> str:
    """The text with everything that Markdown would interpret escaped, on one line, and without links."""
    line = ADDRESS.sub(WORD_JOINER, " ".join(text.splitlines()))
    return "".join(f"\\{letter}" if letter in SPECIAL else letter for letter in line)
