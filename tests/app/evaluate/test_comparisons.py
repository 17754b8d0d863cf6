"""Stress, groups and another model, by AppTest."""

from __future__ import annotations

import csv
import io
import json
import shutil

import pytest

from fer.app.evaluate import comparisons, sets
from fer.evaluation.groups import Slice
from fer.evaluation.robustness import CONDITIONS, STRENGTHS, StressPoint
from fer.training.config import TrainConfig
from fer.training.run_about import About, write_about
from fer.training.run_directory import RunDirectory
from tests.app.evaluate.helpers import evaluate, evaluate_part
from tests.app.helpers import tables, words
from tests.conftest import ROOT


def test_a_run_named_like_the_model_gets_its_own_column(app, small_csv, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    run = RunDirectory.create(tmp_path / "runs" / "compact", TrainConfig())
    for suffix in ("safetensors", "json"):
        shutil.copy(ROOT / "weights" / f"mini_xception.{suffix}", run.path / f"best.{suffix}")
    evaluate_part(evaluate(app, small_csv), "Another model")
    app.selectbox(key="compare_with").select(str(run.path)).run()
    assert not app.exception and {"compact", "run compact", "difference"} <= set(tables(app)[0])


def test_the_stress_test_runs_and_is_kept(app, small_csv):
    evaluate_part(evaluate(app, small_csv), "Stress")
    app.button(key="stress_run_compact").click().run()
    assert not app.exception and len(app.get("plotly_chart")) == 14
    assert not [button for button in app.button if button.key == "stress_run_compact"]


def test_stress_tells_two_runs_with_the_same_title_apart(app, small_csv, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    for name in ("one", "two"):
        run = RunDirectory.create(tmp_path / "runs" / name, TrainConfig())
        write_about(run, About("Faces"))
        for suffix in ("safetensors", "json"):
            shutil.copy(ROOT / "weights" / f"mini_xception.{suffix}", run.path / f"best.{suffix}")
    runs = tmp_path / "runs"
    app.run().sidebar.selectbox(key="model_widget").select(str(runs / "one")).run()
    evaluate_part(evaluate(app, small_csv), "Stress")
    app.selectbox(key="stress_second").select(str(runs / "two")).run()
    assert not app.exception and app.button(key="stress_run_run_one") and app.button(key="stress_run_run_two")
    points = [StressPoint(name, at, 0.5, -0.1, -0.2, 0.0, coverage=0.8) for name in CONDITIONS for at in STRENGTHS]
    monkeypatch.setattr(comparisons, "points_of", lambda model, choice: points)
    app.run()
    assert not app.exception and "Solid: Faces \\[one\\], dotted: Faces \\[two\\]." in words(app)
    assert len(json.loads(app.get("plotly_chart")[0].proto.spec)["data"]) == 4  # a line and an interval each


def test_the_names_of_groups_are_no_formulas_in_the_csv():
    text = comparisons._groups_csv([Slice("@age", "=1+2", 9, 0.5, 0.4, 0.6), Slice("@age", "<30", 9, 0.5, 0.4, 0.6)])
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    assert [(row["column"], row["value"], row["faces"]) for row in rows] == [
        ("'@age", "'=1+2", "9"),
        ("'@age", "<30", "9"),
    ]


@pytest.mark.parametrize(
    ("lowest", "told"),
    [
        (0.898, "The promise of 90.0% coverage, made for clean faces, breaks: under blur, coverage falls to 89.8%."),
        (0.71, "The promise of 90% coverage, made for clean faces, breaks: under blur, coverage falls to 71%."),
        (0.93, "The promise of 90% coverage, made for clean faces, holds: the lowest coverage is 93%, under blur."),
    ],
)
def test_whether_the_promise_holds_is_told_by_numbers_that_differ(lowest, told):
    assert sets.promise_sentence(lowest, "blur", 0.9) == told


def test_groups_from_a_table(app, small_csv):
    evaluate_part(evaluate(app, small_csv), "Groups")
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["file", "source"])
    writer.writerows([f"fer{row:07d}.png", "a" if row % 2 else "<b>b</b>"] for row in range(224, 240))
    app.file_uploader(key="slices_upload").set_value([("t.csv", table.getvalue().encode(), "text/csv")]).run()
    assert (
        not app.exception
        and "16 of the 28 pictures here. All of its rows match." in words(app)
        and "fewer than 50 faces" in words(app)
    )
    assert set(tables(app)[0]["group"]) == {"source: a", "source: <b>b</b>"}
    app.file_uploader(key="slices_upload").set_value([("t.csv", b"file,age\nother,3\n", "text/csv")]).run()
    assert "None of the names" in app.error[0].value.replace("\\", "")
