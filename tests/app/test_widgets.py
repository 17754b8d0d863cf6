"""What the pages say of one face, word for word the record's."""

from __future__ import annotations

import pytest

from fer.app import widgets
from fer.conformal import LEVELS, PredictionSets
from fer.expressions import NAMES
from fer.models.card import Card
from fer.records import FaceBox, Quality

FACE = (0.05, 0.0, 0.1, 0.5, 0.0, 0.05, 0.3)
CARD = Card("m", prediction_sets=PredictionSets("lac", {"none": {name: (0.75,) * len(LEVELS) for name in NAMES}}))


@pytest.mark.parametrize(
    ("threshold", "quality", "card", "headline", "tells"),
    [
        (0.5, Quality(), CARD, "## Happy, 50%", ""),
        (
            0.6,
            Quality(),
            CARD,
            "## Not sure",
            "**Happy or neutral.** The best guess is happy at 50%. This model names an expression from 60% up.",
        ),
        (0.6, Quality(), Card("m"), "## Not sure", "The best guess is happy at 50%."),
        (
            0.504,
            Quality(),
            CARD,
            "## Not sure",
            "The best guess is happy at 50.0%. This model names an expression from 50.4% up.",
        ),
        (0.5, Quality(False, ("blurred",)), CARD, "## Not sure", "hard to read: blurred"),
        (0.5, Quality(), Card("m", data="synthetic"), "**Happy, 50%** (learned from drawings)", ""),
        (0.6, Quality(), Card("m", data="synthetic"), "**Not sure** (learned from drawings)", "happy at 50%."),
    ],
)
def test_a_verdict(monkeypatch, threshold, quality, card, headline, tells):
    from dataclasses import replace

    said = []
    monkeypatch.setattr(widgets.st, "markdown", lambda words, **more: said.append(words))
    card = replace(card, threshold=threshold)
    widgets.verdict(card.judge(FaceBox(0, 0, 9, 9, detector="none"), FACE, quality), card)
    assert said[0] == headline and tells in " ".join(said[1:])


def test_a_reason_is_plain_words_and_its_number_is_in_the_tooltip(monkeypatch):
    said = []
    monkeypatch.setattr(widgets.st, "markdown", lambda words, **more: said.append((words, more)))
    quality = Quality(False, ("too dark", "blurred"), ("The mean gray is 12 of 255.", "The sharpness is 0.010."))
    widgets.verdict(CARD.judge(FaceBox(0, 0, 9, 9, detector="none"), FACE, quality), CARD)
    assert said[1] == (
        "This face is hard to read: too dark; blurred.",
        {"help": "The mean gray is 12 of 255. The sharpness is 0.010."},
    )


def test_a_model_that_learned_from_drawings_is_not_called_steady(monkeypatch):
    said = []
    monkeypatch.setattr(widgets.st, "caption", lambda words, **more: said.append(words))
    for card in (CARD, Card("m", data="synthetic")):
        widgets.stability_note(1.0, "happy", card)
    assert said == [
        "Steady: happy in 16 of 16 slightly changed copies.",
        "Happy in 16 of 16 slightly changed copies.",
    ]
