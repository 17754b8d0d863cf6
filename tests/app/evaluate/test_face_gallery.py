"""The model beside people, by AppTest."""

from __future__ import annotations

import csv

from fer.data.ferplus import VOTE_NAMES
from tests.app.evaluate.helpers import evaluate, evaluate_part
from tests.app.helpers import words


def test_people_where_there_are_votes(app, small_csv):
    with open(small_csv.with_name("fer2013new.csv"), "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Usage", "Image name", *VOTE_NAMES])
        writer.writerows([["", "", 3, 5, 0, 0, 2, 0, 0, 0, 0, 0]] * 280)
    evaluate_part(evaluate(app, small_csv), "People")
    assert not app.exception and "28 faces have FER+ votes" in words(app) and "Label noise?" in words(app)
