"""What the documentation takes from cards, tables and commands is what they say now."""

from __future__ import annotations

import pytest

from fer.errors import FerError
from fer.tools import model_cards
from fer.tools.pages import pages_with, renew, renewed
from tests import command_line
from tests.conftest import ROOT


@pytest.mark.parametrize("tool", [model_cards, command_line])
def test_the_pages_are_up_to_date(tool):
    pages = pages_with(tool.PARTS, ROOT)
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text == renewed(text, tool.PARTS), f"{page.name} is out of date: python -m {tool.__name__}"


def test_every_part_has_its_page():
    for parts in (model_cards.PARTS, command_line.PARTS):
        for name, part in parts.items():
            assert len(pages_with({name: part}, ROOT)) == 1, name


def test_only_what_stands_between_the_comments_is_written(tmp_path):
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text("a\n<!-- written: x -->\nold\n<!-- end -->\nb\n<!-- written: y -->\nkept\n<!-- end -->\n")
    assert renew({"x": lambda: "new"}, tmp_path) == [page]
    expected = "a\n<!-- written: x -->\n\nnew\n\n<!-- end -->\nb\n<!-- written: y -->\nkept\n<!-- end -->\n"
    assert page.read_text() == expected
    assert renewed(expected, {"x": lambda: "new"}) == expected
    with pytest.raises(FerError, match="checkout"):
        renew({"z": lambda: ""}, tmp_path)


def test_a_commands_options_are_told_with_choices_and_defaults():
    told = command_line.commands()
    assert "| `IMAGE` | A photo. | required |" in told and "| `--out` |" in told
    assert "| `--tta` `none`, `flip`, `tencrop` |" in told and "| `--learning-rate` |" in told
    assert "<" not in told  # GitHub would take it for HTML
