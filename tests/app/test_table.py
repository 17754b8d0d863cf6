"""Tables that a narrow screen shows as cards, by AppTest and by hand."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from fer.app.table import Shares, _class, _least_width
from fer.expressions import COLORS
from fer.visualization.palettes import ink_on


def shown(columns, rows) -> dict:
    def page(columns, rows):
        from fer.app.table import table

        table(columns, rows, "A table", key="a")

    app = AppTest.from_function(page, kwargs={"columns": columns, "rows": rows}, default_timeout=60).run()
    assert not app.exception
    return json.loads(app.get("bidi_component")[0].proto.json)


def test_a_table_too_wide_for_a_phone_becomes_cards_and_a_small_one_does_not():
    few = shown(["class", "coverage", "faces"], [["angry", "90.1%", "25"], ["happy", "–", "0"]])
    assert not few["cards"] and few["classes"] == ["", "number", "number"]
    many = shown(["class", *["a long heading"] * 8], [["angry", *["0.123"] * 8]])
    assert many["cards"]
    assert shown(["class", "predicted as"], [["angry", Shares([1, 0, 0, 0, 0, 0, 0])]])["cards"]


def test_the_least_width_is_that_of_the_longest_words():
    assert _least_width(["a bc", "d"], [["efg h", "1,000"]]) == 7 * (3 + 5) + 12


@pytest.mark.parametrize(
    ("cells", "kind"), [(["68.5%", "–"], "number"), (["+22.7 points", "-0.079"], "number"), (["1 to 2"], "")]
)
def test_columns_of_numbers_stand_to_the_right(cells, kind):
    assert _class(cells) == kind


def test_seven_shares_are_one_bar_that_is_told_in_words_the_largest_first():
    bar = Shares([0.25, 0, 0, 0.7, 0, 0, 0.05]).to_json()
    assert bar["words"] == "happy 70%, angry 25%, neutral 5%"
    assert [(part["share"], part["words"]) for part in bar["parts"]] == [
        (0.25, "angry 25%"),
        (0.7, "happy 70%"),
        (0.05, "neutral 5%"),
    ]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast of two #rrggbb, by its own formula."""

    def luminance(color: str) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (v / 255 for v in bytes.fromhex(color[1:]))
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


INKS = {"black": "#000000", "white": "#ffffff"}


@pytest.mark.parametrize(
    "color", [*COLORS.values(), *(f"#{level:02x}{level:02x}{level:02x}" for level in range(0, 256, 5))]
)
def test_words_on_a_color_can_be_read(color):
    assert contrast(color, INKS[ink_on(color)]) >= 4.5
