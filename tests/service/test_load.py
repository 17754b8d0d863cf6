"""Many clients at once, some of whom leave: no error, and every place is free again."""

from __future__ import annotations

from dataclasses import replace

from tests.load.service import crowd
from tests.service.conftest import CONFIG, serving
from tests.waiting import wait_for


def test_a_crowd_is_answered_without_an_error_and_leaves_no_trace():
    with serving(replace(CONFIG, model="mini_xception", detector="hog")) as served:
        places, free = served.shared.admission.places, served.shared.admission.bytes_free
        tally = crowd(int(served.address.rpartition(":")[2]), clients=20, seconds=3)
        assert not tally.errors and tally.answered > 20
        wait_for(lambda: served.shared.admission.places == places)
        assert served.shared.admission.bytes_free == free
