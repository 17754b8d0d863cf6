"""Every row of SECURITY.md names the tests that hold it, and they are there."""

from __future__ import annotations

import re

from tests.conftest import ROOT

ROWS = [line for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]


def test_each_threat_is_held_by_a_test_that_exists():
    assert len(ROWS) > 10
    for row in ROWS:
        held = row.rsplit("|", 2)[1]
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", held)
        assert named or held.strip() == "by hand", row
        for file, test in named:
            text = (ROOT / file).read_text(encoding="utf-8")
            assert f"def {test}(" in text if test else "def test_" in text, (file, test)
