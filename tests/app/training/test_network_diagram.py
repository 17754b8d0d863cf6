"""What the picture of a network shows."""

from __future__ import annotations

from fer.app.training.network_diagram import boxes, words
from fer.app.training.timing import NetworkShown
from fer.models.registry import build
from fer.models.structure import parts_of


def test_boxes_from_the_face_to_seven_expressions():
    shown = NetworkShown(44, tuple(parts_of(build("se_resnet_small"), 44)), (), 1_245_000, 4.0, 5.0, 9.0)
    face, stem, one, two, *_, average, last = boxes(shown)
    assert face == {"name": "face", "lines": ["1×44×44"], "side": 44, "sheets": 1}
    assert stem["lines"] == ["conv 3×3", "32×44×44"] and "shortcut" in stem and not stem["shortcut"]
    assert one["shortcut"] == "identity" and two["shortcut"] == "conv 1×1"
    assert two["lines"] == ["2 conv 3×3", "channel", "attention", "64×22×22"] and two["side"] == 22
    assert average["sheets"] == 1 and last["lines"] == ["linear", "7 expressions"]
    assert "stage1: 2 conv 3×3, channel, attention, 32×44×44, shortcut identity" in words(shown, "se-resnet-small")
