"""What Predict remembers of a visitor, and what it lets go."""

from __future__ import annotations

from dataclasses import replace

from fer.app.predict import state
from fer.limits import OPEN
from tests.app.helpers import upload_photos


def test_what_was_taken_out_leaves_when_the_files_are_many(app, sample, monkeypatch):
    portrait = sample.read_bytes()
    monkeypatch.setattr(state, "limits", lambda: replace(OPEN, session_bytes=int(2.5 * len(portrait))))
    for names in (("a.jpg", "b.jpg"), ("c.jpg", "d.jpg"), ("e.jpg",)):
        upload_photos(app, *((name, portrait) for name in names))
        assert not app.exception and len(app.dataframe[0].value) == len(names)
    kept = [reading.photo.name for reading in app.session_state["photo_results"].values()]
    assert kept[-1] == "e.jpg" and len(kept) <= 3
