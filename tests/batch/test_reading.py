"""One input: the rows of the recognizer, or the sentence why there are none."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
from dataclasses import asdict

import pytest
from PIL import Image

import fer
from fer.batch import read_input
from fer.batch import reading as reading_module
from fer.batch.ray_cluster import _Actor
from fer.batch.reading import PIECE, Interrupted, Reader, Reading, Settings
from fer.errors import FerError
from fer.inference.recognizer import load
from fer.records import CSV_COLUMNS, FaceRecord
from fer.vision.images import read_image
from tests.batch.conftest import given, settings


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(settings("hog"))


def rows(reading: Reading) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(reading.lines()).decode())))


def test_a_photos_row_is_what_the_recognizer_says(reader, sample):
    reading = read_input(reader, given(sample))
    (face,) = reader.recognizer.predict(read_image(sample), "hog")
    assert rows(reading) == [list(FaceRecord(face, str(sample), person=1, model="mini_xception").to_row())]
    assert reading.faces == 1 and reading.answers == {face.answer: 1} and not reading.error
    assert (reading.size, reading.changed_ns) == (sample.stat().st_size, sample.stat().st_mtime_ns)


def test_a_videos_rows_have_times_and_people(reader, photos_and_video):
    shares = []
    reading = read_input(reader, given(photos_and_video / "clip.mp4"), lambda share: shares.append(share) or True)
    found = rows(reading)
    assert reading.video and reading.faces == len(found) == 10
    assert [float(row[1]) for row in found] == pytest.approx([index / 10 for index in range(10)])
    assert {row[2] for row in found} == {"1"} and shares == sorted(shares) and shares[-1] > 0.8


def test_a_crop_is_one_face_for_every_worker_as_it_is_for_predict(tmp_path, sample):
    crop = tmp_path / "crop.png"
    Image.open(sample).crop((170, 60, 280, 190)).resize((48, 48)).save(crop)
    automatic, named = settings("auto"), settings(settings("auto").detector)
    (face,) = load("mini_xception").predict(read_image(crop), "auto")
    expected = [list(FaceRecord(face, str(crop), person=1, model="mini_xception").to_row())]
    assert face.box.detector == "none"
    travelled = json.dumps(asdict(automatic))
    assert rows(read_input(Reader(Settings(**json.loads(travelled))), given(crop))) == expected
    (line,) = _Actor(travelled)({"inputs": [json.dumps([[str(crop), str(crop)]])]})["reading"]
    assert rows(Reading.from_line(line)) == expected
    assert rows(read_input(Reader(named), given(crop))) != expected and named.key != automatic.key


def test_the_key_of_a_named_detector_is_that_of_ledgers_from_before_auto_was_a_setting():
    values = {**asdict(settings("hog")), "model": "", "device": "", "version": fer.__version__}
    assert not values.pop("automatic")
    assert settings("hog").key == hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def test_nobody_waits_for_a_video(reader, photos_and_video):
    with pytest.raises(Interrupted):
        read_input(reader, given(photos_and_video / "clip.mp4"), lambda share: False)


@pytest.mark.parametrize("name", ["broken.jpg", "nowhere.jpg", "nowhere.mp4", "a\0b.png"])
def test_what_cannot_be_read_has_a_sentence(reader, photos_and_video, name):
    reading = read_input(reader, given(photos_and_video / name))
    assert reading.error.endswith(".") and not rows(reading) and reading.faces == 0


def test_what_nobody_foresaw_is_a_number_and_memory_a_sentence(reader, sample, monkeypatch, caplog):
    def fails(error):
        def read(path):
            raise error

        return read

    monkeypatch.setattr(reading_module, "read", fails(MemoryError()))
    assert "memory" in read_input(reader, given(sample)).error
    monkeypatch.setattr(reading_module, "read", fails(RuntimeError("x")))
    with caplog.at_level(logging.ERROR):
        error = read_input(reader, given(sample)).error
    assert error.partition("number ")[2][:6] in caplog.text


def test_stability_is_measured_where_it_is_asked_for(sample):
    with_stability = Reader(settings("hog", stability=True))
    (row,) = rows(read_input(with_stability, given(sample)))
    assert dict(zip(CSV_COLUMNS, row, strict=True))["stability"] == "1.000"


def test_a_reading_travels_as_one_line(reader, sample):
    reading = read_input(reader, given(sample))
    assert "\n" not in reading.to_line() and Reading.from_line(reading.to_line()) == reading
    for broken in ("", "{}", "[]", "3", '{"table": "!"}', reading.to_line()[:-5]):
        with pytest.raises(ValueError):
            Reading.from_line(broken)


def test_a_long_table_is_unpacked_in_pieces(reader, sample):
    (face,) = reader.recognizer.predict(read_image(sample), "hog")
    packing = reading_module._Packing()
    packing.add(FaceRecord(face, "a", time_s=float(index)) for index in range(5000))
    reading = Reading("a", 0, 0, "", True, table=packing.packed())
    pieces = list(reading.lines())
    assert packing.count == 5000 and packing.answers == {face.answer: 5000}
    assert max(map(len, pieces)) <= PIECE and b"".join(pieces).count(b"\r\n") == 5000
    assert len(reading.table) < 100_000


def test_settings_that_give_another_table_have_another_key():
    first = settings()
    assert first.key == settings(device="auto").key
    assert len({first.key, settings("hog").key, settings(readings_per_s=2.0).key, settings(stability=True).key}) == 4


def test_other_weights_than_the_batch_began_with_are_refused():
    from dataclasses import replace

    with pytest.raises(FerError, match="differs from the model"):
        Reader(replace(settings(), card="0"))
