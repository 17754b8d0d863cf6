"""The run in Training's address, by AppTest."""

from __future__ import annotations

import pytest

from tests.app.helpers import made, words


@pytest.mark.parametrize("name", ["../../etc", "no-such-run", "a/b", "%00", "*", "x" * 200])
def test_an_untrusted_address_leads_nowhere(app, folder, name):
    made(folder, "mine")
    app.query_params["run"] = name
    app.switch_page("pages/training.py").run()
    assert not app.exception and len(app.error) == 1 and "mine" in words(app)
