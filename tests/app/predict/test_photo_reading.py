"""What goes out of a photo's reading."""

from __future__ import annotations

from pathlib import Path

from fer.app.model_choice import ShippedModel, TrainedRun
from fer.app.predict import photo_reading
from fer.app.predict.photo_reading import Photo, Reading
from fer.errors import ImageError
from fer.records import FaceBox, Prediction


def test_files_that_are_passed_on_name_no_folder(sample):
    reading = Reading(Photo("a.jpg", b""), TrainedRun(Path("/home/me/runs/first")), "hog")
    assert reading.to_json()["model"] == "first"


def test_csv_defuses_formulas_and_json_is_the_command_lines():
    photo = Photo("=cmd.jpg", b"x")
    failed = Reading(photo, ShippedModel("m"), "hog", error=ImageError("Damaged."))
    assert '"Damaged."' in photo_reading.to_json([failed]).decode()

    face = Prediction(FaceBox(1, 2, 3, 4, detector="yunet"), (0.7, *[0.05] * 6), True)
    rows = photo_reading.rows_of([Reading(photo, ShippedModel("m"), "hog", faces=(face,))])
    assert photo_reading.to_csv(rows).decode().splitlines()[1].startswith("'=cmd.jpg,1,angry,0.7,True")
