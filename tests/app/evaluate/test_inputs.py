"""Data that is evaluated: folders, uploads, and sentences for bad data."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.app.evaluate.helpers import evaluate
from tests.app.helpers import control, words


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
