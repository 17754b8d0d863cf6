"""The model beside people, and a face of a gallery that Explain reopens, by AppTest."""

from __future__ import annotations

import csv

import numpy as np

from fer.app.evaluate.face_gallery import row_of
from fer.app.evaluate.inputs import Choice
from fer.app.explain.face_choice import face_of_row
from fer.data.dataset import ALL
from fer.data.ferplus import VOTE_NAMES
from fer.data.read import read_dataset
from fer.evaluation.evaluation import Evaluation
from fer.vision.images import decode_image
from tests.app.evaluate.helpers import evaluate, evaluate_part
from tests.app.helpers import words


def test_people_where_there_are_votes(app, small_csv):
    with open(small_csv.with_name("fer2013new.csv"), "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Usage", "Image name", *VOTE_NAMES])
        writer.writerows([["", "", 3, 5, 0, 0, 2, 0, 0, 0, 0, 0]] * 280)
    evaluate_part(evaluate(app, small_csv), "People")
    assert not app.exception and "28 faces have FER+ votes" in words(app) and "Wrong labels?" in words(app)


def test_a_face_opened_from_a_gallery_is_in_explains_address(app, small_csv, unmeasured):
    evaluate_part(evaluate(app, small_csv), "Errors")
    next(button for button in app.button if button.label == "Explain").click().run()
    assert not app.exception and [title.value for title in app.title] == ["Explain"]
    opened = app.session_state["explained_face"]
    assert app.query_params["data"] == str(small_csv) and app.query_params["part"] == "PublicTest"
    again = face_of_row(opened.row)
    assert again.truth == opened.truth
    assert np.array_equal(decode_image(again.photo.data), decode_image(opened.photo.data))


def test_each_row_of_all_splits_is_found_again_and_none_of_an_upload(app, small_csv):
    item, choice = evaluation_of(small_csv), Choice(str(small_csv), "", "", ALL, "none")
    found = [row_of(item, choice, row) for row in (0, 223, 224, 279)]
    assert [(one.part, one.number) for one in found] == [
        ("Training", 0),
        ("Training", 223),
        ("PublicTest", 0),
        ("PrivateTest", 27),
    ]
    assert row_of(item, Choice("a digest", "", "", ALL, "none", uploaded=True), 0) is None


def evaluation_of(path) -> Evaluation:
    part = read_dataset(str(path), quiet=True).split(ALL)
    return Evaluation("any", ALL, 0.5, part, np.full((len(part), 7), 1 / 7), "none", None)
