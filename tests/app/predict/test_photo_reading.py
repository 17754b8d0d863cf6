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
    reading = Reading(photo, ShippedModel("m"), "hog", faces=(face, face), stabilities=[0.5])
    _, first, second = photo_reading.to_csv(photo_reading.records_of([reading])).decode().splitlines()
    assert first.startswith("'=cmd.jpg,,1,1.0,2.0,3.0,4.0,angry,angry,0.7000,True,,")
    assert first.endswith(",ok,0.500,yunet,m") and second.endswith(",ok,,yunet,m")
    assert [face.get("stability") for face in reading.to_json()["faces"]] == [0.5, None]
