"""The HTML report holds what was measured, and shows strangers' names letter by letter."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fer.cli import main
from fer.data.dataset import Dataset
from fer.errors import FerError
from fer.evaluation.evaluation import study
from fer.evaluation.report import render_report, write_report
from fer.evaluation.robustness import StressPoint
from fer.models.weights import find_weights
from tests.evaluation.test_metrics import Teller


@pytest.fixture
def item():
    pixels = np.zeros((8, 48, 48), np.uint8)
    pixels[:, 0, 0] = [0, 1, 2, 3, 4, 5, 6, 0]
    return study(Teller(), Dataset(pixels, np.array([0, 1, 2, 3, 4, 5, 6, 3]), np.full(8, "PublicTest")), "validation")


def test_a_report_holds_its_numbers_and_stress(item):
    point = StressPoint("noise", 1, 0.5, -0.375, -0.5, -0.2)
    text = render_report([item], {"teller": [point]})
    assert "87.5%" in text and "8 faces" in text and "<h4>noise</h4>" in text and "Most confident mistakes" in text
    assert "Loses most under noise: 38 points at strength 1." in text
    assert "<td>sad</td><td>1</td><td>100.0%</td><td>21% to 100%</td>" in text  # of the answers
    assert "Stress" not in render_report([item]).partition("</script>")[2]


def test_a_class_without_faces_is_said_and_has_no_scores(item):
    rows = np.flatnonzero(item.labels != 6)
    text = render_report([replace(item, part=item.part.take(rows), probabilities=item.probabilities[rows])])
    assert "no faces of neutral" in text and "<td>neutral</td><td>–</td><td>–</td><td>–</td><td>0</td>" in text
    assert "no faces of" not in render_report([item])


def test_names_cannot_become_markup(item):
    hostile = "<script>alert(1)</script>"
    named = replace(item, model=hostile, part=replace(item.part, name=hostile, remarks=(hostile,)))
    text = render_report([named])
    assert hostile not in text and "&lt;script&gt;alert(1)" in text


def test_the_command_lines_report_escapes_folders_and_weights(tmp_path, capsys):
    hostile = "<script>alert(1)<b>"
    for place in ("test/happy", "test/sad", f"test/{hostile}"):
        folder = tmp_path / hostile / place
        folder.mkdir(parents=True)
        Image.fromarray(np.full((48, 48), len(place), np.uint8)).save(folder / f"{hostile}.png")
    for suffix in (".safetensors", ".json"):
        shutil.copy(find_weights("mini_xception").with_suffix(suffix), tmp_path / f"{hostile}{suffix}")
    assert (
        main(
            [
                "evaluate",
                "--data",
                str(tmp_path / hostile),
                "--split",
                "test",
                "--report",
                str(tmp_path / "r.html"),
                "--model",
                str(tmp_path / f"{hostile}.safetensors"),
            ]
        )
        == 0
    )
    text = (tmp_path / "r.html").read_text()
    assert hostile not in text and text.count("&lt;script&gt;alert(1)&lt;b&gt;") == 3  # weights, data, a class


def test_a_folder_that_cannot_be_made_is_a_sentence(item, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FerError, match="could not be written"):
        write_report(tmp_path / "file" / "report.html", [item])


def test_a_model_whose_name_is_not_utf8_has_a_report(item, tmp_path):
    write_report(tmp_path / "report.html", [replace(item, model=os.fsdecode(b"\xff"))])
    assert "<h2>\\udcff on Validation" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_report_names_the_run_by_its_title_and_says_that_it_learned_from_drawings(item):
    drawn = replace(item, title="My first run", from_drawings=True, part=replace(item.part, name="synthetic"))
    text = render_report([drawn])
    assert "<h2>My first run on Validation</h2>" in text and "learned from drawings, not meant for photos" in text
    text = render_report([item])
    assert f"<h2>{item.model} on Validation (PublicTest)</h2>" in text and "learned from drawings" not in text
    assert drawn.to_json() == item.to_json()
