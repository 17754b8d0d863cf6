"""Home, as a visitor opens it: without YuNet and without network."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT


@pytest.fixture
def home(monkeypatch, offline, tmp_path) -> AppTest:
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(ROOT)
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=180).run()


@pytest.fixture
def unmeasured(monkeypatch) -> None:
    """Explain without its slow measurements, which take most of a minute: for what is about the choice of face."""
    from fer.app.explain import measurements

    monkeypatch.setattr(measurements, "work", lambda *given: None)
