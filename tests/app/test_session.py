"""What a visitor's session remembers: typed slots, and no page that touches session keys as strings."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import streamlit as st

from fer.app import session
from fer.app.model_choice import ShippedModel, TrainedRun
from fer.app.session import RecentSlot, Slot
from fer.models import DEFAULT_MODEL
from tests.conftest import ROOT

SOURCES = [*sorted((ROOT / "fer").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py")), ROOT / "streamlit_app.py"]


@pytest.fixture
def stored(monkeypatch) -> dict:
    monkeypatch.setattr(st, "session_state", {})
    return st.session_state


def test_only_session_py_touches_the_session_state():
    users = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr == "session_state")
        or (isinstance(node, ast.alias) and node.name.endswith("session_state"))
    }
    assert users == {"fer/app/session.py"}


def test_slots_are_made_in_state_modules_alone_and_no_two_share_a_key():
    keys = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("Slot", "RecentSlot"):
                assert path.name == "state.py" or path == ROOT / "fer/app/session.py", path
                keys.append(ast.literal_eval(node.args[0]))
    assert len(keys) > 20 and len(keys) == len(set(keys))


def test_a_slot_remembers_what_is_set_and_what_is_added(stored):
    number, names = Slot("number", int), Slot[set[str]]("names", set)
    assert number.get() == 0 and names.get() == set()
    number.set(3)
    names.get().add("one")
    assert number.get() == 3 and names.get() == {"one"} and stored == {"number": 3, "names": {"one"}}
    assert number.take() == 3 and number.get() == 0


def test_a_recent_slot_lets_the_oldest_go(stored):
    recent = RecentSlot[str, int]("recent", 2)
    for place, name in enumerate(("a", "b", "c")):
        recent.get()[name] = place
    assert list(recent.get()) == ["b", "c"]
    recent.get().move_to_end("b")
    recent.get()["d"] = 3
    assert list(recent.get()) == ["b", "d"]


def test_a_model_that_was_deleted_is_no_longer_in_use(stored, tmp_path):
    assert session.model() == ShippedModel(DEFAULT_MODEL)
    session.choose_model(ShippedModel("mini_xception"))
    assert session.model() == ShippedModel("mini_xception")
    run = TrainedRun(tmp_path)
    session.choose_model(run)
    assert session.model() == ShippedModel(DEFAULT_MODEL)
    Path(tmp_path / "best.safetensors").write_bytes(b"weights")
    assert session.model() == run


def test_a_widget_holds_what_it_should_or_nothing(stored):
    session.set_widget("tabs", "Photos")
    assert session.widget("tabs", str) == "Photos"
    assert session.widget("tabs", int) is None and session.widget("none", str) is None
