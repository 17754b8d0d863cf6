"""The reader gives the pictures as written, and names the row of whatever is wrong."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer.data import fer2013
from fer.data.fer2013 import parse_pixels, read_fer2013
from fer.data.ferplus import VOTE_NAMES, vote_distribution
from fer.errors import DatasetError
from fer.expressions import NAMES
from fer.limits import OWNER
from fer.locations import cache_folder
from tests.conftest import write_csv

GOOD = " ".join(["7"] * 2304)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(path: Path):
    return read_fer2013(path, quiet=True)


def test_reads_pixels_labels_and_splits(tmp_path):
    pixels = write_csv(tmp_path / "fer2013.csv", [(3, "Training"), (0, "PublicTest"), (6, "PrivateTest")])
    data = read(tmp_path / "fer2013.csv")
    assert data.pixels.dtype == np.uint8 and np.array_equal(data.pixels, pixels)
    assert data.labels.tolist() == [3, 0, 6]
    assert data.usage.tolist() == ["Training", "PublicTest", "PrivateTest"]
    assert data.votes is None
    assert data.split("validation").labels.tolist() == [0] and data.split("test").labels.tolist() == [6]


def test_second_load_comes_from_the_cache_and_a_changed_file_does_not(tmp_path, monkeypatch):
    path = tmp_path / "fer2013.csv"
    write_csv(path, [(1, "Training")] * 3)
    first = read(path)
    monkeypatch.setattr(fer2013, "_parse", lambda *_: pytest.fail("parsed again"))
    assert np.array_equal(read(path).pixels, first.pixels)
    monkeypatch.undo()
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    write_csv(path, [(2, "Training")] * 4)
    assert read(path).labels.tolist() == [2] * 4


def test_a_damaged_cache_is_parsed_again(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    write_csv(tmp_path / "fer2013.csv", [(1, "Training")])
    read(tmp_path / "fer2013.csv")
    (cached,) = (tmp_path / "cache").iterdir()
    whole = cached.read_bytes()
    for damaged in (b"torn", b"", whole[: len(whole) // 2]):  # the last begins as a zip file does
        cached.write_bytes(damaged)
        assert read(tmp_path / "fer2013.csv").labels.tolist() == [1]


def test_the_other_public_forms(tmp_path):
    icml = read(write(tmp_path / "icml_face_data.csv", f"emotion, Usage, pixels\n4,PublicTest,{GOOD}\n"))
    assert icml.labels.tolist() == [4] and icml.usage.tolist() == ["PublicTest"] and (icml.pixels == 7).all()
    train = read(write(tmp_path / "train.csv", f'emotion,pixels\n2,"{GOOD}"\n'))
    assert train.labels.tolist() == [2] and train.usage.tolist() == ["Training"] and train.remarks
    test = read(write(tmp_path / "test.csv", f"pixels\n{GOOD}\n"))
    with pytest.raises(DatasetError, match="no labels"):
        test.split("test")


@pytest.mark.parametrize(
    ("text", "row", "says"),
    [
        ("", 1, "empty"),
        ("emotion,Usage\n1,Training\n", 1, "'pixels'"),
        (f"pixels,Usage\n{GOOD},Training\n", 1, "'emotion'"),
        ("emotion,pixels,Usage\n", 2, "no rows"),
        (f"emotion,pixels,Usage\n1,{GOOD},Training\n1,{GOOD[:-2]},Training\n", 3, "2303 pixels"),
        (f"emotion,pixels,Usage\n1,{GOOD[:-1]}256,Training\n", 2, "256"),
        (f"emotion,pixels,Usage\n1,{GOOD[:-1]}x,Training\n", 2, "'x'"),
        (f"emotion,pixels,Usage\n1,{GOOD[:-1]}-1,Training\n", 2, "'-1'"),
        (f"emotion,pixels,Usage\n1,{GOOD[:-1]}1000,Training\n", 2, "1000"),
        (f"emotion,pixels,Usage\n1,{GOOD},fold 1\n", 2, "'fold 1'"),
        (f"emotion,pixels,Usage\n1,{GOOD},\n", 2, "the usage ''"),
        (f"emotion,pixels,Usage\n1,{GOOD},Training\n1,{GOOD[:500]}", 3, "cut off"),
        (f"emotion,pixels,Usage\n\n1,{GOOD},Training,more\n", 3, "4 of 3 columns"),
    ],
)
def test_bad_input_names_the_row_and_caches_nothing(tmp_path, monkeypatch, text, row, says):
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    with pytest.raises(DatasetError, match=says) as caught:
        read(write(tmp_path / "fer2013.csv", text))
    assert caught.value.details["row"] == row
    assert not cache_folder().exists() or not os.listdir(cache_folder())


def test_two_rows_that_share_their_pixels_wrongly_are_told(tmp_path):
    short, long = GOOD[:-2], GOOD + " 7"  # the sum is right, each row is not
    with pytest.raises(DatasetError, match="Row 2 has 2303"):
        read(write(tmp_path / "fer2013.csv", f"emotion,pixels,Usage\n1,{short},Training\n1,{long},Training\n"))


def test_binary_files_are_no_csv(tmp_path):
    path = tmp_path / "fer2013.csv"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(DatasetError):
        read(path)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(DatasetError, match="no file"):
        read(tmp_path / "nowhere.csv")


def test_a_file_that_may_not_be_read_is_a_sentence_without_its_path(tmp_path, monkeypatch):
    def forbidden(path, *_mode):
        if path.name == fer2013.FERPLUS_FILE:
            raise PermissionError(13, "Permission denied", str(tmp_path))
        return opened(path, *_mode)

    opened = Path.open
    for name in ("fer2013.csv", fer2013.FERPLUS_FILE):
        (tmp_path / name).write_text("emotion,pixels,Usage")
    monkeypatch.setattr(Path, "open", forbidden)
    for cached in (True, False):
        with pytest.raises(DatasetError, match="^fer2013new.csv cannot be read: Permission denied") as told:
            read_fer2013(tmp_path / "fer2013.csv", quiet=True, cached=cached)
        assert str(tmp_path) not in str(told.value)


ROWS = [("3", "Training"), ("4", "PublicTest"), ("0", "PrivateTest")]


def table(rows, header=("emotion", "pixels", "Usage"), delimiter=",", end="\n") -> str:
    lines = [header, *((label, GOOD, split)[: len(header)] for label, split in rows)]
    return "".join(delimiter.join(line) + end for line in lines)


@pytest.mark.parametrize(
    "content",
    [
        (table(ROWS) + "\n").encode(),
        table(ROWS, end="\n\n").encode(),
        (table(ROWS) + ",,\n , ,\n").encode(),
        table(ROWS, end=",\n").encode(),
        table(ROWS, end="\r\n").encode(),
        table(ROWS, end="\r").encode(),
        table(ROWS, delimiter=";").encode(),
        table(ROWS, delimiter="\t").encode(),
        ("sep=;\r\n" + table(ROWS, delimiter=";", end="\r\n")).encode(),
        table(ROWS).encode("utf-8-sig"),
        table(ROWS, delimiter="\t", end="\r\n").encode("utf-16"),
        table(ROWS, delimiter="\t").encode("utf-16-be"),
        b"\xfe\xff" + table(ROWS).encode("utf-16-be"),
        table(ROWS, delimiter=";").encode("utf-16-le"),
        table([("3.0", "train"), ("4.", "val"), ("0.00", "test")]).encode(),
        table([("3,0", "TRAIN"), ("4,0", "Valid"), ("0,0", "TEST")], delimiter=";").encode(),
        table([('"3"', '"Train"'), ("'4'", "'Public Test'"), (" 0 ", ' "private_test"')]).encode(),
        table([("happy", "training"), ("Sadness", "validation"), ("ANGER", "testing")]).encode(),
        table(ROWS, header=("Label", " Pixels ", "split")).encode(),
        table(ROWS).replace("emotion", '"emotion"').encode(),
        b"note," + table(ROWS).replace("\n", "\ncaf\xe9,", 3).encode("latin-1"),
    ],
)
def test_what_spreadsheets_and_people_write_is_read(tmp_path, content):
    (tmp_path / "faces.csv").write_bytes(content)
    data = read(tmp_path / "faces.csv")
    assert data.labels.tolist() == [3, 4, 0] and (data.pixels == 7).all() and not data.left_out()
    assert data.usage.tolist() == ["Training", "PublicTest", "PrivateTest"] and not data.remarks


def test_other_labels_are_left_out_counted_and_keep_the_numbers_of_the_rows(tmp_path):
    rows = [("7", "Training"), ("3", "Training"), ("contempt", "PublicTest"), ("4", "PublicTest"), ("7.0", "Training")]
    data = read(write(tmp_path / "faces.csv", table([*rows, ("", "Training"), ("nan", "Training")])))
    assert data.labels.tolist() == [3, 4] and data.names.tolist() == ["fer0000001.png", "fer0000003.png"]
    assert dict(data.unknown) == {"7": 2, "contempt": 1, "(empty)": 1, "nan": 1}
    assert "7 (2 pictures)" in data.left_out()[0]
    assert read(tmp_path / "faces.csv").unknown == data.unknown  # from the cache, too
    with pytest.raises(DatasetError, match=r"No label in other\.csv.*7 \(1 picture\).*--classes") as caught:
        read(write(tmp_path / "other.csv", table([("7", "Training")])))
    assert caught.value.details["unknown"] == {"7": 1}


def test_votes_belong_to_their_rows_where_others_are_left_out(tmp_path):
    write(tmp_path / "fer2013.csv", table([("7", "Training"), ("3", "Training"), ("4", "PublicTest")]))
    votes_file(tmp_path / "fer2013new.csv", [[1] * 10, [2] * 10, [3] * 10])
    assert read(tmp_path / "fer2013.csv").votes[:, 0].tolist() == [2, 3]


def test_labels_of_ones_own_are_told_by_classes(tmp_path):
    file = write(tmp_path / "faces.csv", table([("0", "Training"), ("3", "Training"), ("7", "PublicTest")]))
    own = {"0": "neutral", "3": "sad"}  # AffectNet's: FER2013's own numbers no longer hold
    data = read_fer2013(file, quiet=True, classes=own)
    assert data.labels.tolist() == [6, 4] and dict(data.unknown) == {"7": 1}
    assert read_fer2013(file, quiet=True, classes={"7": "disgust"}).labels.tolist() == [0, 3, 1]  # they do beside a 7
    assert read(file).labels.tolist() == [0, 3]  # each from a cache of its own
    with pytest.raises(DatasetError, match="no folder or label '9'.*It has: 0, 3, 7"):
        read_fer2013(file, quiet=True, classes={"9": "sad"})


def test_numbers_of_another_data_set_are_not_silently_fer2013s(tmp_path):
    """RAF-DB's 1 to 7: only 7 gives it away, but 1 to 6 mean something else, too."""
    raf = ["surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"]
    rows = [(str(number), split) for number in range(1, 8) for split in ("Training", "PublicTest")]
    file = write(tmp_path / "raf.csv", table(rows))
    for _ in ("parsed", "from the cache"):
        for classes in ({}, {"7": "neutral"}):
            data = read_fer2013(file, quiet=True, classes=classes)
            assert dict(data.assumed) == {str(number): 2 for number in range(1, 7)}
            (remark,) = data.remarks
            assert "no label 7," in remark and "1 is disgust, 2 is fear" in remark and "6 is neutral" in remark
            assert "0 is" not in remark and "--classes" in remark
    named = {str(number): name for number, name in enumerate(raf, 1)}
    data = read_fer2013(file, quiet=True, classes=named)
    assert not data.assumed and not data.remarks and not data.unknown
    assert [NAMES[label] for label in data.labels[::2]] == raf
    fer2013s = read(write(tmp_path / "own.csv", table([row for row in rows if row[0] != "7"])))
    assert not fer2013s.assumed and not fer2013s.remarks


def test_without_a_validation_split_a_tenth_of_each_class_is_kept_back(tmp_path):
    rows = [(str(index % 2 * 3), "Training") for index in range(40)]
    data = read(write(tmp_path / "faces.csv", table(rows, header=("emotion", "pixels"))))
    held = data.split("validation")
    assert len(held) == 4 and held.counts()["happy"] == held.counts()["angry"] == 2 and data.split_made
    assert "held out" in data.remarks[0]
    again = read_fer2013(tmp_path / "faces.csv", quiet=True, cached=False)
    assert again.usage.tolist() == data.usage.tolist()
    never_split = read(write(tmp_path / "all.csv", table(rows)))  # a column that says Training forty times
    assert never_split.usage.tolist() == data.usage.tolist()


def test_a_table_named_by_a_split_is_that_split(tmp_path):
    rows = [("3", "")] * 10
    for name, usage in (("test.csv", "PrivateTest"), ("my_Val.csv", "PublicTest"), ("train_or_test.csv", None)):
        data = read(write(tmp_path / name, table(rows, header=("emotion", "pixels"))))
        assert set(data.usage) == ({usage} if usage else {"Training", "PublicTest"}), name


def test_more_rows_than_the_limits_allow_are_refused_whatever_their_labels(tmp_path):
    file = write(tmp_path / "faces.csv", table([("7", "Training")] * 3))
    with pytest.raises(DatasetError, match="more than 2 pictures"):
        read_fer2013(file, quiet=True, limits=replace(OWNER, dataset_pictures=2))


def test_parse_pixels_by_hand():
    row = " ".join(map(str, [0, 7, 42, 255] * 576))
    assert parse_pixels([row], [2])[0, 0, :4].tolist() == [0, 7, 42, 255]


def votes_file(path: Path, rows: list[list[int]]) -> None:
    lines = [",".join(["Training", f"fer{i}.png", *map(str, row)]) for i, row in enumerate(rows)]
    write(path, "\n".join([",".join(["Usage", "Image name", *VOTE_NAMES]), *lines]) + "\n")


def test_votes_beside_the_pictures(tmp_path):
    write_csv(tmp_path / "fer2013.csv", [(3, "Training"), (4, "Training")])
    votes_file(tmp_path / "fer2013new.csv", [[1, 6, 0, 0, 1, 0, 0, 0, 2, 0], [0] * 10])
    votes = read(tmp_path / "fer2013.csv").votes
    assert votes.tolist() == [[1, 6, 0, 0, 1, 0, 0, 0, 2, 0], [0] * 10]
    assert np.array_equal(read(tmp_path / "fer2013.csv").votes, votes)  # from the cache too
    # angry, disgust, fear, happy, sad, surprise, neutral: 1, 6 and 1 of the eight votes for our classes
    assert vote_distribution(votes)[0].tolist() == [0.125, 0, 0, 0.75, 0, 0, 0.125]
    assert vote_distribution(votes)[1].tolist() == [0] * 7


def test_votes_of_another_length_are_refused(tmp_path):
    write_csv(tmp_path / "fer2013.csv", [(3, "Training")] * 3)
    votes_file(tmp_path / "fer2013new.csv", [[0] * 10])
    with pytest.raises(DatasetError, match="1 rows"):
        read(tmp_path / "fer2013.csv")


CASES = {
    "csv_plain.csv": (14, {}),
    "csv_blank_last_line.csv": (14, {}),
    "csv_label_7_contempt.csv": (14, {"7": 1}),
    "csv_no_usage.csv": (14, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_field_cases(cases, name):
    count, unknown = CASES[name]
    data = read_fer2013(cases / name, quiet=True, cached=False)
    assert len(data) == count and dict(data.unknown) == unknown
    assert dict(data.assumed) == ({str(number): 2 for number in range(7)} if unknown else {})
    assert set(data.counts().values()) == {2} and len(data.split("validation")) == (7 if "no_usage" in name else 3)


def test_the_real_file(fer2013_csv):
    data = read(fer2013_csv)
    assert (data.usage == "Training").sum() == 28709 and (data.usage == "PublicTest").sum() == 3589
    assert data.votes.shape == (32298, 10)
    assert data.split("PublicTest").counts()["disgust"] == 56
