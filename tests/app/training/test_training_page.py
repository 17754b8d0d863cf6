"""The run that Training opens on, by AppTest."""

from __future__ import annotations

import os

import pytest

from tests.app.helpers import made, words


@pytest.mark.parametrize("name", ["../../etc", "no-such-run", "a/b", "%00", "*", "x" * 200])
def test_an_untrusted_address_leads_nowhere(app, folder, name):
    made(folder, "mine")
    app.query_params["run"] = name
    app.switch_page("pages/training.py").run()
    assert not app.exception and len(app.error) == 1
    assert app.button(key="start") and app.selectbox(key="run_picker_new").options == ["mine"]


def test_it_opens_on_the_form_unless_the_newest_run_needs_a_look(app, folder):
    os.utime(made(folder, "older", "failed").path / "config.json", (1e9, 1e9))
    run = made(folder, "newer")
    app.switch_page("pages/training.py").run()
    assert not app.exception and app.button(key="start")
    run.write_status("failed", message="It broke.")
    assert app.run().selectbox(key="run_picker_newer").value == "newer"


def test_it_opens_on_the_run_that_was_watched_last(app, folder):
    for name in ("one", "two", "three"):
        made(folder, name)
    app.switch_page("pages/training.py").run()
    app.selectbox(key="run_picker_new").select("two").run()
    assert not app.exception and "**two**" in words(app)
    del app.query_params["run"]
    app.switch_page("pages/predict.py").run()
    app.switch_page("pages/training.py").run()
    assert not app.exception and app.selectbox(key="run_picker_two").value == "two"
