"""The service's own OpenAPI description, against which schemathesis sends what it thinks of."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.conftest import CONFIG, serving

CASES = 12  # an operation; the long run is in docs/api.md


def test_what_schemathesis_thinks_of_gets_neither_a_5xx_nor_an_answer_that_is_not_described(tmp_path):
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("schemathesis is not installed")
    with serving(CONFIG) as served:
        command = [program, "run", f"{served.address}/openapi.json", f"--max-examples={CASES}", "--seed=1"]
        # Bytes that fit the description are hardly ever a picture, so that refusing them is no finding.
        options = ["--exclude-checks=positive_data_acceptance", "--request-timeout=20", "--no-color"]
        done = subprocess.run(
            [*command, *options, "--continue-on-failure"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
    assert done.returncode == 0, done.stdout[-4000:]


def test_every_answer_that_can_come_is_described(client):
    described = client.get("/openapi.json").json()
    for path in ("/predict", "/explain"):
        answers = described["paths"][path]["post"]["responses"]
        assert {"200", "400", "401", "403", "408", "413", "415", "421", "422", "503"} <= answers.keys()
        assert all(list(answers[code]["content"]) == ["application/problem+json"] for code in answers if code != "200")
    assert "501" in described["paths"]["/explain"]["post"]["responses"]
