"""What removing pixels does to a network, by gray and by ROAD."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from fer.data.synthetic import read_synthetic
from fer.inference.recognizer import load
from fer.tools.fills import SHARES, accuracies, figure


@pytest.fixture(scope="module")
def recognizer():
    return load("mini_xception", threads=1)


@pytest.fixture(scope="module")
def faces():
    return read_synthetic().take(np.arange(14))


def test_a_whole_face_is_read_as_the_recognizer_reads_it(recognizer, faces):
    found = accuracies(recognizer, faces.pixels, faces.labels)
    right = (recognizer.probabilities(faces.pixels).argmax(1) == faces.labels).mean()
    assert found.keys() == {"gray", "road"}
    assert all(len(shares) == 1 + len(SHARES) and shares[0] == pytest.approx(right) for shares in found.values())


def test_the_figure_has_three_curves_for_each_filling_all_within_its_panel(recognizer, faces):
    drawn = ElementTree.fromstring(figure(recognizer, faces.pixels[:2]))
    lines = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    places = [np.array([place.split(",") for place in line.get("points").split()], float) for line in lines]
    assert len(places) == 6
    for line in places:
        assert (np.diff(line[:, 0]) != 0).all() and (line[:, 1] >= 58).all() and (line[:, 1] <= 278).all()
