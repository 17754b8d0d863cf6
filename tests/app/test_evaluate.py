"""The page Evaluate by AppTest: a result before any choice, every part of the report, sentences for bad data."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from fer.data.ferplus import VOTE_NAMES
from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory
from tests.conftest import ROOT, write_csv

PARTS = ("Overview", "Confusion", "Calibration", "Curves", "Errors", "People", "Groups", "Another model")


@pytest.fixture
def app(monkeypatch, offline):
    monkeypatch.chdir(ROOT)
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=90).run()
    return app.switch_page("pages/evaluate.py").run()


def words(app) -> str:
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.header)
    return "\n".join(element.value for kind in kinds for element in kind)


def control(app, key: str):
    return next(element for element in app.get("button_group") if element.key == key)


def evaluate(app, path):
    control(app, "evaluate_source").set_value("path").run()
    app.text_input(key="evaluate_path").set_value(str(path)).run()
    return app


def test_the_card_is_there_before_any_choice(app):
    assert not app.exception and "What its card says, on PublicTest" in words(app)
    assert {metric.label for metric in app.metric} == {"Accuracy", "Macro-F1", "ECE", "Without train duplicates"}
    assert len(app.get("plotly_chart")) == 2


def test_every_part_of_the_report(app, small_csv):
    evaluate(app, small_csv)
    assert not app.exception and not app.error and "28 faces" in words(app)
    for part in PARTS:
        control(app, "evaluate_section").set_value(part).run()
        assert not app.exception and not app.error, (part, words(app))
    assert "no FER+ votes" in words(evaluate_part(app, "People"))


def test_the_test_split_is_scored_when_it_is_asked_for(app, tmp_path):
    splits = ("PublicTest", "PrivateTest")
    write_csv(tmp_path / "fer2013.csv", [(label, split) for split in splits for label in range(7)])
    evaluate(app, tmp_path / "fer2013.csv")
    assert {choice.split for _, _, choice in app.session_state["evaluations"]} == {"PublicTest"}
    app.toggle(key="evaluate_by_split").set_value(True).run()
    assert not app.exception and len(app.session_state["evaluations"]) == 2
    assert any(
        "Test (PrivateTest)" in frame.value.get("split", []).tolist()
        for frame in app.dataframe
        if "split" in frame.value
    )


def test_a_run_named_like_the_model_gets_its_own_column(app, small_csv, tmp_path, monkeypatch):
    import shutil

    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    run = RunDirectory.create(tmp_path / "runs" / "compact", TrainConfig())
    for suffix in ("safetensors", "json"):
        shutil.copy(ROOT / "weights" / f"mini_xception.{suffix}", run.path / f"best.{suffix}")
    evaluate_part(evaluate(app, small_csv), "Another model")
    app.selectbox(key="compare_with").select(str(run.path)).run()
    assert not app.exception and {"compact", "run compact", "difference"} <= set(app.dataframe[0].value)


def evaluate_part(app, part):
    control(app, "evaluate_section").set_value(part).run()
    return app


def test_people_where_there_are_votes(app, small_csv):
    with open(small_csv.with_name("fer2013new.csv"), "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Usage", "Image name", *VOTE_NAMES])
        writer.writerows([["", "", 3, 5, 0, 0, 2, 0, 0, 0, 0, 0]] * 280)
    evaluate_part(evaluate(app, small_csv), "People")
    assert not app.exception and "faces with votes" in words(app) and "Label noise?" in words(app)


def test_the_stress_test_runs_and_is_kept(app, small_csv):
    evaluate_part(evaluate(app, small_csv), "Stress")
    app.button(key="stress_run_compact").click().run()
    assert not app.exception and len(app.get("plotly_chart")) == 14
    assert not [button for button in app.button if button.key == "stress_run_compact"]


def test_groups_from_a_table(app, small_csv):
    evaluate_part(evaluate(app, small_csv), "Groups")
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["file", "source"])
    writer.writerows([f"fer{row:07d}.png", "a" if row % 2 else "<b>b</b>"] for row in range(224, 240))
    app.file_uploader(key="slices_upload").set_value([("t.csv", table.getvalue().encode(), "text/csv")]).run()
    assert not app.exception and "16 of 28 pictures" in words(app) and "under 50 faces" in words(app)
    assert set(app.dataframe[0].value["value"]) == {"a", "<b>b</b>"}
    app.file_uploader(key="slices_upload").set_value([("t.csv", b"file,age\nother,3\n", "text/csv")]).run()
    assert "None of the table" in app.error[0].value.replace("\\", "")


def test_one_class_only_and_missing_classes_are_told(app, tmp_path):
    write_csv(tmp_path / "fer2013.csv", [(3, "PublicTest")] * 5)
    evaluate(app, tmp_path / "fer2013.csv")
    assert not app.exception and "no faces of: angry" in words(app) and "one class only" in words(app)
    for part in PARTS:
        assert not evaluate_part(app, part).exception and not app.error, part


def test_own_photos_in_class_folders(app, tmp_path, sample):
    for name in ("happy", "sad"):
        (tmp_path / "own" / "test" / name).mkdir(parents=True)
        (tmp_path / "own" / "test" / name / "portrait.jpg").write_bytes(sample.read_bytes())
    Image.fromarray(np.full((300, 300, 3), 90, np.uint8)).save(tmp_path / "own" / "test" / "sad" / "flat.png")
    (tmp_path / "own" / "test" / "sad" / "broken.jpg").write_bytes(b"no picture")
    evaluate(app, tmp_path / "own")
    assert not app.exception and not app.error
    labels = [expander.label for expander in app.expander]
    assert any("no face was found" in label for label in labels)
    assert any("could not be read" in label for label in labels)
    assert "flat" in words(app) and "broken" in words(app)


@pytest.mark.parametrize(
    ("content", "says"), [("emotion,pixels\n", "no rows"), ("hello", "no column"), (None, "nothing at")]
)
def test_bad_data_is_a_sentence(app, tmp_path, content, says):
    path = tmp_path / "data.csv"
    if content is not None:
        path.write_text(content)
    evaluate(app, path)
    assert not app.exception and says in app.error[0].value


def test_an_uploaded_zip_leaves_nothing_on_disk(app, sample, tmp_path, monkeypatch):
    import zipfile

    from fer.locations import cache_folder

    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in ("happy", "neutral"):
            archive.writestr(f"{name}/portrait.jpg", sample.read_bytes())
    control(app, "evaluate_source").set_value("upload").run()
    app.file_uploader(key="evaluate_upload").set_value([("own.zip", data.getvalue(), "application/zip")]).run()
    assert not app.exception and not app.error and "on 2 faces" in words(app)  # all of them, though never split
    assert not list(tmp_path.rglob("*.jpg")) and not list(tmp_path.rglob("*.npz"))
    assert not cache_folder().exists() or not list(cache_folder().iterdir())
    app.file_uploader(key="evaluate_upload").set_value([("own.zip", b"PK broken", "application/zip")]).run()
    assert not app.exception and "no whole zip" in app.error[0].value.replace("\\", "")
