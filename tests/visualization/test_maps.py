"""The colors of maps, and what stands for them beside a map."""

from __future__ import annotations

import numpy as np
import pytest

from fer.visualization.maps import color_scale, layers

FACE = np.zeros((8, 8, 3), np.uint8)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("alone", [True, False])
def test_the_ends_of_the_color_scale_are_a_maps_strongest_colors(signed, alone):
    scale = color_scale(signed, alone)
    assert scale.shape == (1, 256, 4)
    for end, value in ((scale[0, -1], 1.0), (scale[0, 0], -1.0 if signed else 0.0)):
        _, marks = layers(np.full((4, 4), value, np.float32), 1.0, signed, FACE, alone, 8)
        assert (marks == end).all()
    assert scale[0, 0, 3] == (255 if signed or alone else 0)  # over the face nothing is drawn where nothing counts
