"""Caches outlive versions: what an earlier one wrote is read, under the name that it was written."""

from __future__ import annotations

import json

import numpy as np

from fer.data import synthetic
from fer.data.cache import cache_folder
from fer.expressions import COUNT

# Written by the first edition for `synthetic`: the name must not change while the faces do not.
FILE = "synthetic-4ae0f687c64323057136b2e3.npz"


def test_a_cache_of_before_is_read(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_CACHE", str(tmp_path))
    pixels = np.arange(COUNT, dtype=np.uint8)[:, None, None] + np.zeros((1, 48, 48), np.uint8)
    facts = {"name": "synthetic", "unreadable": [], "faceless": [], "remarks": ["of before"], "split_made": False}
    np.savez(
        cache_folder() / FILE,
        pixels=pixels,
        labels=np.arange(COUNT, dtype=np.int64),
        usage=np.array([0] * 5 + [1, 2], np.uint8),
        facts=json.dumps({**facts, "names": None}),
    )
    synthetic.read_synthetic.cache_clear()
    try:
        dataset = synthetic.read_synthetic()
        assert dataset.remarks == ("of before",) and (dataset.pixels == pixels).all()
        assert dataset.usage.tolist() == ["Training"] * 5 + ["PublicTest", "PrivateTest"] and dataset.others == ()
    finally:
        synthetic.read_synthetic.cache_clear()
