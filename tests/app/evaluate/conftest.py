"""The page Evaluate."""

from __future__ import annotations

import pytest


@pytest.fixture
def app(home):
    return home.switch_page("pages/evaluate.py").run()
