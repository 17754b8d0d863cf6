"""Untrusted text in Markdown stays text."""

from __future__ import annotations

import re

import pytest

from fer.app.markdown import WORD_JOINER, plain

# What mdast-util-gfm-autolink-literal, in Streamlit's Markdown, links in text whose escapes were read.
ADDRESS = re.compile(r"https?://[-.\w]+|www\.[-.\w]+|[-.\w+]+@[-\w]+(\.[-\w]+)+", re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    [
        "Session expired, www.evil.example",
        "WWW.x.org.jpg",
        "https://evil.example/a",
        "a HTTP://evil.example",
        "someone@evil.example",
        "mailto:someone@evil.example",
        "www.www.evil.example https://www.evil.example",
    ],
)
def test_an_address_is_no_link(text):
    assert ADDRESS.search(text)
    shown = re.sub(r"\\(.)", r"\1", plain(text))
    assert not ADDRESS.search(shown) and shown.replace(WORD_JOINER, "") == text


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\r\nb", "a\u2028b", "a\x0bb", "a\nb\n"])
def test_a_line_end_is_a_space(text):
    assert plain(text) == "a b"


def test_what_markdown_reads_is_escaped():
    assert plain("*a* [b](c) <i>:red[d]") == r"\*a\* \[b\]\(c\) \<i\>\:red\[d\]"
    assert plain("") == "" and plain("größe 2") == "größe 2"
