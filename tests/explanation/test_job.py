"""The work on one face: in which order, and never twice."""

from __future__ import annotations

import numpy as np
import pytest

from fer.explanation.explain import assemble
from fer.explanation.job import MEASUREMENTS, ExplanationJob, key_of
from fer.explanation.methods import FAST, METHODS
from fer.expressions import INDEX


@pytest.fixture
def keys(face):
    from fer.explanation.subject import explainer_for

    return [key_of(method, explainer_for(face.recognizer).layers[-2]) for method in METHODS]


def test_the_asked_for_map_comes_first_then_the_fast_ones_then_what_it_is_worth(face, keys):
    job = ExplanationJob(face)
    asked = (next(key for key in keys if key[0] == "occlusion"), INDEX["happy"])
    pieces = list(job.pieces(keys, asked))
    assert pieces[0].label == "Drawing Occlusion" and [piece.urgency for piece in pieces].count("asked") == 1
    soon = [piece.label for piece in pieces if piece.urgency == "soon"]
    assert soon == [f"Drawing {METHODS[name].label}" for name in FAST]
    assert [piece.urgency for piece in pieces[len(soon) + 1 :]] == ["later"] * (len(pieces) - len(soon) - 1)


def test_a_piece_is_done_once_and_counted(face, keys):
    job, asked = ExplanationJob(face), (keys[0], INDEX["happy"])
    quick = [key for key in keys if key[0] in FAST]
    total, done = job.pending(quick, asked), 0
    for piece in job.pieces(quick, asked):
        piece.run()
        done += 1
        assert job.pending(quick, asked) == total - done
    assert done == total == len(quick) + len(MEASUREMENTS)
    assert list(job.pieces(quick, asked)) == [] and job.has_measured(asked)
    assert job.judgment(asked)[0] in ("pass", "unclear", "fail")
    sad = (keys[0], INDEX["sad"])
    assert not job.has_measured(sad) and job.judgment(sad) == ("unclear", "")
    assert [piece.label for piece in job.pieces(quick, asked, [asked, sad])][0].startswith("Checking")


def test_a_map_is_judged_when_all_of_it_is_measured_and_not_before(face, keys):
    job, asked = ExplanationJob(face), (keys[0], INDEX["happy"])
    for piece in job.pieces(keys[:1], asked):
        assert not assemble(job, keys, "fused").judgments.get(keys[0][0])
        piece.run()
    assert list(assemble(job, keys, "fused").judgments[keys[0][0]]) == ["happy"]


def test_a_map_of_one_class_is_that_of_all_seven(face, keys):
    every, happy = ExplanationJob(face), ExplanationJob(face, (INDEX["happy"],))
    assert np.allclose(every.values((keys[1], INDEX["happy"])), happy.values((keys[1], INDEX["happy"])), atol=1e-5)


def test_agreement_is_of_the_maps_that_are_there(face, keys):
    job = ExplanationJob(face)
    job.map_of(keys[0])
    job.map_of(keys[1])
    methods, matrix = job.agreement(keys, INDEX["happy"])
    assert methods == [keys[0][0], keys[1][0]] and np.allclose(np.diag(matrix), 1) and matrix.shape == (2, 2)
