"""Data that is evaluated: folders, uploads, and sentences for bad data."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from fer.app.markdown import plain
from fer.app.model_choice import TrainedRun
from fer.expressions import NAMES
from tests.app.evaluate.helpers import evaluate
from tests.app.helpers import control, words
from tests.conftest import ROOT, write_csv


def test_own_photos_in_class_folders(app, tmp_path, sample):
    for name in ("happy", "sad"):
        (tmp_path / "own" / "test" / name).mkdir(parents=True)
        (tmp_path / "own" / "test" / name / "portrait.jpg").write_bytes(sample.read_bytes())
    Image.fromarray(np.full((300, 300, 3), 90, np.uint8)).save(tmp_path / "own" / "test" / "sad" / "flat.png")
    (tmp_path / "own" / "test" / "sad" / "broken.jpg").write_bytes(b"no picture")
    evaluate(app, tmp_path / "own")
    assert not app.exception and not app.error
    labels = [expander.label for expander in app.expander]
    assert any("no face found" in label for label in labels)
    assert any("could not be read" in label for label in labels)
    assert "flat" in words(app) and "broken" in words(app)


def split_folders(folder, *splits):
    rng = np.random.default_rng(0)
    for split in splits:
        for name in ("happy", "sad"):
            (folder / split / name).mkdir(parents=True)
            for number in range(10):
                face = Image.fromarray(rng.integers(0, 256, (48, 48), np.uint8))
                face.save(folder / split / name / f"{number}.png")
    return folder


def warned(app) -> bool:
    return any("may have been trained on some of these" in warning.value for warning in app.warning)


def test_pictures_that_a_model_may_have_learned_are_warned_of(app, tmp_path):
    """Of train/ and test/, as FER2013 comes, train/ may be what the model learned; a visitor's own folder is not."""
    evaluate(app, split_folders(tmp_path / "kaggle", "train", "test"))
    assert "on 2 faces" in words(app) and warned(app)  # validation, held out of train/
    next(box for box in app.selectbox if box.label == "Split").set_value("PrivateTest").run()
    assert "on 20 faces" in words(app) and not warned(app)
    evaluate(app, split_folders(tmp_path / "own", "."))
    assert "on 20 faces" in words(app) and not warned(app)


def test_a_run_is_not_judged_by_the_pictures_that_it_learned(app, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "tests" / "models" / "before_onnx" / "run", tmp_path / "runs" / "mine")
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    app.session_state["chosen_model"] = TrainedRun(tmp_path / "runs" / "mine")
    evaluate(app, split_folders(tmp_path / "own", "."))
    assert not app.exception and "on 2 faces" in words(app) and not warned(app)  # held out in training too
    next(box for box in app.selectbox if box.label == "Split").set_value("All").run()
    assert "on 20 faces" in words(app) and warned(app)


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
    app.file_uploader(key="evaluate_upload_1").set_value([("bad.zip", b"PK broken", "application/zip")]).run()
    assert not app.exception and "bad.zip is damaged or incomplete" in app.error[0].value.replace("\\", "")


def numbered(folder):
    """Class folders 1 and 2, as RAF-DB names them, with other files beside."""
    for name, value in (("1", 30), ("2", 90)):
        (folder / "test" / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(np.full((48, 48), value + number, np.uint8)).save(folder / "test" / name / f"{number}.png")
    (folder / "test" / "1" / "landmarks.txt").write_text("1 2 3")
    (folder / "README.txt").write_text("about")
    return folder


def class_boxes(app):
    """The selects that ask what each folder shows."""
    return [box for box in app.selectbox if str(box.key).startswith("class_")]


def test_numbered_folders_are_told_by_a_form_and_what_is_skipped_is_counted(app, tmp_path):
    folder = numbered(tmp_path / "raf")
    evaluate(app, folder)
    assert not app.exception and "one of the seven classes" in app.error[0].value
    assert [box.label for box in class_boxes(app)] == [plain("1 (2 pictures)"), plain("2 (2 pictures)")]
    class_boxes(app)[0].set_value("surprise")
    next(button for button in app.button if button.label == "Use these classes").click().run()
    assert not app.exception and not app.error and "on 2 faces" in words(app)
    assert "names match no class: 2 (2 pictures)" in words(app).replace("\\", "")
    assert "1 file skipped: not in a picture format" in [box.label for box in app.expander]
    assert "landmarks" in words(app) and "README" not in words(app)
    class_boxes(app)[1].set_value("fear")
    next(button for button in app.button if button.label == "Use these classes").click().run()
    assert not app.error and "on 4 faces" in words(app)


def test_numbers_of_another_data_set_can_all_be_corrected(app, tmp_path):
    """RAF-DB's 1 to 7 in a table: FER2013 lacks 7, and the others are read as its own until they are named."""
    raf = ["surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"]
    rows = [(number, split) for number in range(1, 8) for split in ("Training", "PublicTest")]
    write_csv(tmp_path / "raf.csv", rows)
    evaluate(app, tmp_path / "raf.csv")
    assert not app.exception and not app.error and "1 is disgust" in words(app)
    boxes = class_boxes(app)
    assert [box.label for box in boxes] == [plain(f"{number} (2 pictures)") for number in range(1, 8)]
    assert [box.value for box in boxes] == [*NAMES[1:], "leave out"]
    for box, name in zip(boxes, raf, strict=True):
        box.set_value(name)
    next(button for button in app.button if button.label == "Use these classes").click().run()
    assert not app.error and "on 7 faces" in words(app) and "1 is" not in words(app)
    assert [box.value for box in class_boxes(app)] == raf
