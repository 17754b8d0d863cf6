"""Folders by class, zips by strangers, and the report on what is in them."""

from __future__ import annotations

import errno
import io
import os
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer.data import cache, uploads, zips
from fer.data.folders import read_folder
from fer.data.read import read_dataset
from fer.data.report import report_on, samples
from fer.data.synthetic import draw_face, read_synthetic
from fer.data.zips import read_zip
from fer.errors import DatasetError
from fer.expressions import INDEX, NAMES
from fer.limits import OPEN


def png(value: int = 0, side: int = 48) -> bytes:
    picture = np.full((side, side), value % 256, np.uint8)
    picture[:8, :8] = 255 - picture[:8, :8]
    return cv2.imencode(".png", picture)[1].tobytes()


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file


def test_synonyms_of_splits_and_classes_are_known(tmp_path):
    write(
        tmp_path,
        {
            "Train/anger/1.png": png(1),
            "Train/Happiness/2.png": png(2),
            "val/Sadness/3.png": png(3),
            "test/surprised/4.png": png(4),
            "Train/contempt/5.png": png(5),
            "Train/.hidden/6.png": png(6),
        },
    )
    dataset = read_folder(tmp_path, quiet=True)
    assert list(zip(dataset.usage, dataset.labels, dataset.pixels[:, 20, 20], strict=True)) == [
        ("Training", INDEX["happy"], 2),
        ("Training", INDEX["angry"], 1),
        ("PrivateTest", INDEX["surprise"], 4),
        ("PublicTest", INDEX["sad"], 3),
    ] or sorted(dataset.pixels[:, 20, 20]) == [1, 2, 3, 4]
    by_value = dict(zip(dataset.pixels[:, 20, 20].tolist(), zip(dataset.usage, dataset.labels)))
    assert by_value[1] == ("Training", INDEX["angry"]) and by_value[2] == ("Training", INDEX["happy"])
    assert by_value[3] == ("PublicTest", INDEX["sad"]) and by_value[4] == ("PrivateTest", INDEX["surprise"])
    assert dict(dataset.unknown) == {"contempt": 1} and "contempt (1 picture)" in dataset.left_out()[0]


def test_without_a_validation_split_a_tenth_is_kept_back(tmp_path):
    write(tmp_path, {f"wrapped/{name}/{i}.png": png(i) for name in ("happy", "sad") for i in range(20)})
    dataset = read_dataset(tmp_path, quiet=True)
    assert (dataset.usage == "PublicTest").sum() == 4 and (dataset.usage == "Training").sum() == 36
    assert dataset.split("validation").counts()["happy"] == 2
    assert (read_dataset(tmp_path, quiet=True).usage == dataset.usage).all()  # from the cache
    write(tmp_path, {"wrapped/sad/new.png": png(77)})
    assert len(read_dataset(tmp_path, quiet=True)) == 41  # a change is seen


def test_large_pictures_are_searched_for_a_face_and_small_ones_are_not(tmp_path, sample):
    photo = sample.read_bytes()
    files = {
        "train/happy/photo.jpg": photo,
        "train/sad/crop.png": png(9),
        "train/sad/empty.png": png(9, 300),
        "train/fear/torn.png": png(9)[:60],
        "train/fear/text.png": b"hello",
        "train/fear/good.png": png(3),
    }
    write(tmp_path, files)
    dataset = read_folder(tmp_path, quiet=True)
    assert len(dataset) == 3 and [Path(name).name for name in dataset.faceless] == ["empty.png"]
    assert sorted(Path(name).name for name in dataset.unreadable) == ["text.png", "torn.png"]
    crop = read_folder(tmp_path, "crop", quiet=True)
    assert len(crop) == 4 and not crop.faceless
    found = dataset.pixels[dataset.labels == INDEX["happy"]][0]
    whole = crop.pixels[crop.labels == INDEX["happy"]][0]
    assert not np.array_equal(found, whole)
    detect = read_folder(tmp_path, "detect", quiet=True)
    assert len(detect) == 1 and len(detect.faceless) == 3


@pytest.mark.parametrize("files", [{}, {"a/b.png": b"x"}, {"train/happy/x.txt": b"x"}, {"train/happy/x.png": b"x"}])
def test_a_folder_without_usable_pictures_is_refused_with_a_sentence(tmp_path, files):
    with pytest.raises(DatasetError, match="Expected|crop|--classes"):
        read_dataset(write(tmp_path, files), quiet=True)


def test_a_zip_of_class_folders_is_read_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nothing here"))
    file = zipped(
        {
            "set/train/happy/1.png": png(1),
            "set/train/sad/2.png": png(2),
            "set/val/sad/3.png": png(3),
            "__MACOSX/set/._1.png": b"junk",
            "set/.DS_Store": b"junk",
        }
    )
    dataset = read_zip(file, quiet=True, cached=False)
    assert len(dataset) == 3 and not dataset.left_out()
    (tmp_path / "set.zip").write_bytes(file.getvalue())
    assert len(read_dataset(tmp_path / "set.zip", quiet=True)) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["set.zip"]


def same(first, second) -> bool:
    equal = all(
        (getattr(first, name) == getattr(second, name)).all() for name in ("pixels", "labels", "usage", "names")
    )
    return equal and first.left_out() == second.left_out() and first.remarks == second.remarks


def test_a_zip_and_its_folder_give_the_same_answer(tmp_path):
    files = {f"set/happy/train/{i}.png": png(i) for i in range(9)} | {f"set/sad/test/{i}.png": png(i) for i in range(3)}
    files |= {
        "README.txt": b"about",
        "set/LICENSE": b"free",
        "set/happy/Thumbs.db": b"junk",
        "set/happy/train/._1.png": b"junk",
        "set/happy/.gitkeep": b"",
        "set/happy/train/torn.png": b"torn",
        "set/happy/labels.csv": b"1,2",
        "set/run.exe": b"MZ",
        "set/contempt/test/1.png": png(1),
        "set/stray.png": png(1),
    }
    folder, whole = read_folder(write(tmp_path / "set", files), quiet=True), zipped(files)
    zip_itself = read_zip(whole, quiet=True, cached=False)
    assert same(folder, zip_itself)
    assert zip_itself.others == ("set/happy/labels.csv", "set/run.exe") and zip_itself.unplaced == ("set/stray.png",)
    assert zip_itself.unknown == (("contempt", 1),) and zip_itself.unreadable == ("set/happy/train/torn.png",)
    assert len(zip_itself.left_out()) == 4 and "labels.csv" in zip_itself.left_out()[-1]


def test_a_renamed_zip_is_called_by_its_new_name(tmp_path):
    files = {f"{name}/{i}.png": png(i) for name in ("happy", "sad") for i in range(3)}
    for name in ("alice.zip", "bob.zip"):  # the second comes from the cache
        (tmp_path / name).write_bytes(zipped(files).getvalue())
        assert read_dataset(tmp_path / name, quiet=True).name == name


def test_a_windows_zip_is_read_as_any_other(tmp_path):
    folders = {"train\\": b"", "train\\happy\\": b""}
    pictures = {f"train\\{name}\\{i}.png": png(i) for name in ("happy", "sad") for i in range(3)}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (folders | pictures).items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, content)
    dataset = read_zip(file, quiet=True, cached=False)
    assert len(dataset) == 6 and dataset.names[0] == "train/happy/0.png" and not dataset.left_out()


ZIPS = {
    "zip_class_then_split.zip": {"Training": 7, "PublicTest": 7, "PrivateTest": 14},
    "zip_windows_folders.zip": {"Training": 14, "PublicTest": 7},
    "zip_with_readme.zip": {"Training": 14, "PublicTest": 7},
}


@pytest.mark.parametrize("name", ZIPS)
def test_the_field_cases(cases, tmp_path, name):
    dataset = read_dataset(cases / name, quiet=True)
    assert {split: len(dataset.split(split)) for split in set(dataset.usage)} == ZIPS[name] and not dataset.left_out()
    folders = {path.parts[-2] for path in map(Path, dataset.names[dataset.usage == "PrivateTest"])}
    assert folders <= {"test"}
    with zipfile.ZipFile(cases / name) as archive:
        files = {info.filename.replace("\\", "/"): archive.read(info) for info in archive.infolist()}
    files = {file: content for file, content in files.items() if not file.endswith("/")}
    assert same(dataset, read_folder(write(tmp_path, files), quiet=True))


def test_a_zip_may_hold_the_table_itself(small_csv):
    file = zipped({"fer2013/fer2013.csv": small_csv.read_bytes(), "fer2013/README": b"about"})
    dataset = read_zip(file, quiet=True, cached=False)
    assert len(dataset) == 280 and dataset.name == "fer2013.csv"


def test_a_table_that_is_damaged_in_its_zip_is_told(small_csv):
    whole = zipped({"f\u00e9r.csv": small_csv.read_bytes()}).getvalue()
    name = "f\u00e9r.csv".encode()
    with pytest.raises(DatasetError, match="is damaged inside"):  # the name of its own header is no UTF-8
        read_zip(io.BytesIO(whole.replace(name, name.replace(b"\xc3", b"\xff"), 1)), quiet=True, cached=False)


def test_a_picture_that_is_damaged_in_its_zip_stops_no_other():
    file = zipped({"happy/1.png": png(1), "happy/2.png": png(2)}, zipfile.ZIP_STORED)
    data = file.getvalue().replace(png(2), png(2)[:-40] + bytes(40), 1)
    dataset = read_zip(io.BytesIO(data), quiet=True, cached=False)
    assert dataset.unreadable == ("happy/2.png",) and len(dataset) == 1


def bomb() -> io.BytesIO:
    return zipped({"happy/bomb.png": b"\x89PNG" + bytes(20 * 2**20)})


def lying_zip() -> io.BytesIO:
    """Its table of contents says 100 bytes; there are a million."""
    file = zipped({"happy/a.png": b"\x89PNG" + bytes(10**6)})
    data = bytearray(file.getvalue())
    central = data.rindex(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 100)
    local = data.index(b"PK\x03\x04")
    data[local + 22 : local + 26] = struct.pack("<I", 100)
    return io.BytesIO(bytes(data))


def link() -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("happy/link.png")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return file


def with_nul(name: str) -> io.BytesIO:
    """Python's zipfile shows a name up to its NUL only."""
    return io.BytesIO(zipped({name + "X../../2.png": png()}).getvalue().replace(b"X../", b"\0../"))


REFUSED = {
    "a bomb": (bomb, "times its size"),
    "a lying table": (lying_zip, "No picture"),
    "a path upwards": (lambda: zipped({"../happy/1.png": png()}), "outside"),
    "a path upwards, Windows": (lambda: zipped({"..\\..\\1.png": png()}), "outside"),
    "an absolute path": (lambda: zipped({"/happy/1.png": png()}), "outside"),
    "a drive": (lambda: zipped({"C:/happy/1.png": png()}), "outside"),
    "a link": (link, "link"),
    "a nested archive": (lambda: zipped({"happy/1.png": png(), "more.zip": b"PK"}), "another archive"),
    "a program": (lambda: zipped({"happy/run.exe": b"MZ"}), "no pictures.*run.exe"),
    "a program named like a picture": (lambda: zipped({"happy/run.png": b"MZ" * 99}), "No picture"),
    "a zip inside a picture's name": (lambda: zipped({"happy/x.png": zipped({"a": b"b"}).getvalue()}), "No picture"),
    "a table that is a bomb": (lambda: zipped({"a.csv": b"emotion,pixels\n" + bytes(20 * 2**20)}), "times its size"),
    "a path down and up": (lambda: zipped({"happy/../../1.png": png()}), "outside"),
    "a path up by mixed slashes": (lambda: zipped({"happy\\../..\\1.png": png()}), "outside"),
    "a network share": (lambda: zipped({"\\\\server\\1.png": png()}), "outside"),
    "a stream of a file": (lambda: zipped({"happy/1.png:2.png": png()}), "outside"),
    "a name cut by a NUL": (lambda: with_nul("happy/1.png"), "outside"),
    "what is to be ignored, but leads up": (lambda: zipped({"__MACOSX/../../1.png": png()}), "no files"),
    "one good and one bad": (lambda: zipped({"happy/1.png": png(), "happy/../../../2.png": png()}), "outside"),
    "nothing": (lambda: zipped({}), "no files"),
    "no zip": (lambda: io.BytesIO(b"hello"), "damaged or incomplete"),
    "half a zip": (lambda: io.BytesIO(zipped({"happy/1.png": png()}).getvalue()[:80]), "damaged or incomplete"),
}


@pytest.mark.parametrize("make, words", REFUSED.values(), ids=REFUSED)
def test_dangerous_zips_are_refused_and_leave_nothing(monkeypatch, tmp_path, make, words):
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "a" / "b" / "c" / "cache"))  # room to see what leaves it
    with pytest.raises(DatasetError, match=words):
        read_zip(make(), quiet=True)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["a link", "a path upwards", "no zip", "a bomb", "nothing"])
def test_a_dangerous_upload_is_not_kept(monkeypatch, tmp_path, name):
    monkeypatch.setenv("FER_CACHE", str(tmp_path))
    make, words = REFUSED[name]
    with pytest.raises(DatasetError, match=words):
        uploads.keep(make(), "mine.zip", OPEN)
    assert not list(tmp_path.iterdir())


def test_an_upload_is_kept_once_under_its_digest_and_read_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_CACHE", str(tmp_path))
    file = zipped({f"{name}/{i}.png": png(i) for name in ("happy", "1") for i in range(3)})
    kept = uploads.keep(file, "Mine.ZIP", OPEN)
    assert kept == uploads.keep(file, "other.zip", OPEN) and kept.read_bytes() == file.getvalue()
    assert kept.parent.parent == uploads.uploads_folder() and uploads.is_upload(kept)
    for classes, count in (("", 3), ("1=sad", 6)):
        from_memory = uploads.read_upload(file, "mine.zip", OPEN, classes=classes)
        assert len(from_memory) == count and same(from_memory, read_dataset(kept, quiet=True, classes=classes))
    assert [path.name for path in tmp_path.iterdir()] == ["uploads"]  # no parsed copy


def test_an_upload_that_meets_a_full_disk_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_CACHE", str(tmp_path))

    def fill(source, target):
        target.write(source.read(100))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(uploads.shutil, "copyfileobj", fill)
    with pytest.raises(DatasetError, match="No space left"):
        uploads.keep(zipped({"happy/1.png": png()}), "mine.zip", OPEN)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_all_stored_uploads_together_are_bounded(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_CACHE", str(tmp_path))
    first, second = (zipped({"happy/1.png": png(value)}) for value in (1, 2))
    limits = replace(OPEN, kept_upload_bytes=len(first.getvalue()) + len(second.getvalue()) - 1)
    kept = uploads.keep(first, "first.zip", limits)
    with pytest.raises(DatasetError, match="no longer fits.*give a path"):
        uploads.keep(second, "second.zip", limits)
    assert uploads.keep(first, "again.zip", limits) == kept  # it takes no more room
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]
    uploads.keep(second, "second.zip", replace(limits, kept_upload_bytes=limits.kept_upload_bytes + 1))


def test_too_many_and_too_much_is_refused_unread(tmp_path):
    three, one = zipped({f"happy/{i}.png": png(i) for i in range(3)}), zipped({"happy/1.png": png()})
    for file, limits, words in (
        (three, replace(OPEN, archive_files=2), "the limit is 2"),
        (one, replace(OPEN, archive_bytes=10), "would unpack"),
        (three, replace(OPEN, dataset_pictures=2), "more than 2 pictures"),
    ):
        with pytest.raises(DatasetError, match=words):
            read_zip(file, quiet=True, cached=False, limits=limits)
    with pytest.raises(DatasetError, match="the limit is"):
        uploads.keep(one, "a.zip", replace(OPEN, dataset_bytes=10))
    large = read_zip(
        zipped({"sad/1.png": png(), "sad/2.bmp": bmp(200)}), cached=False, limits=replace(OPEN, photo_bytes=9_999)
    )
    assert large.unreadable == ("sad/2.bmp",) and len(large) == 1  # the others are read
    files = {"sad/1.png": png(), "sad/2.png": png(0, 60)}
    small = replace(OPEN, photo_pixels=48 * 48)
    for data in (
        read_zip(zipped(files), cached=False, limits=small),
        read_folder(write(tmp_path / "a", files), limits=small),
    ):
        assert data.unreadable == ("sad/2.png",) and len(data) == 1
    (tmp_path / "a").rename(tmp_path / ".a")
    write(tmp_path, {f"happy/{i}.png": png(i) for i in range(3)})
    for most, words in ((2, "more than 2 pictures"), (1, "more than 2 files")):
        with pytest.raises(DatasetError, match=words):
            read_folder(tmp_path, quiet=True, limits=replace(OPEN, dataset_pictures=most))


def bmp(side: int) -> bytes:
    return cv2.imencode(".bmp", np.zeros((side, side), np.uint8))[1].tobytes()


def test_a_table_of_contents_too_long_is_refused_before_it_is_read(monkeypatch):
    file = zipped({f"happy{i}/": b"" for i in range(5)})
    monkeypatch.setattr(zips.zipfile, "ZipFile", None)
    with pytest.raises(DatasetError, match="lists more than 4"):
        read_zip(file, limits=replace(OPEN, archive_files=2))


def test_the_report_counts_what_is_wrong(tmp_path):
    files = {f"train/happy/{i}.png": png(i) for i in range(30)} | {f"train/sad/{i}.png": png(100 + i) for i in range(5)}
    files |= {
        "train/happy/again.png": png(3),
        "val/happy/leak.png": png(4),
        "val/sad/own.png": png(200),
        "train/sad/torn.png": b"x",
    }
    report = report_on(read_folder(write(tmp_path, files), quiet=True))
    assert report.counts["Training"]["happy"] == 31 and report.counts["PublicTest"]["sad"] == 1
    assert report.duplicates == 1 and report.leaked == 1 and len(report.left_out) == 1
    assert report.imbalanced and report.imbalance == pytest.approx(31 / 5)
    words = " ".join(report.findings())
    assert "6 times as many happy as sad" in words and "torn.png" in words and "disgust" in words


def test_drawn_faces_are_seeded_balanced_and_clean():
    dataset = read_synthetic()
    assert set(dataset.split("train").counts().values()) == {300}
    report = report_on(dataset)
    assert not report.findings() and report.duplicates == report.leaked == 0
    assert samples(dataset, 3, 8).shape == (8, 48, 48)
    one, same, other = (draw_face("happy", np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert one.shape == (48, 48) and one.dtype == np.uint8


@pytest.mark.parametrize("name", NAMES)
def test_drawn_faces_differ_where_the_expression_moves_them(name):
    """The mean face of an expression is darkest or brightest where its action units are."""
    dataset = read_synthetic()
    mean = dataset.pixels[dataset.labels == INDEX[name]].mean(0)
    neutral = dataset.pixels[dataset.labels == INDEX["neutral"]].mean(0)
    difference = np.abs(mean - neutral)
    if name == "surprise":
        assert difference[34:44, 18:30].mean() > 2 * difference[:10].mean()  # the open mouth
    elif name != "neutral":
        assert difference[10:42, 10:38].mean() > 1


def test_a_damaged_cache_is_only_a_cache(tmp_path):
    dataset = read_synthetic()
    file = tmp_path / "kept.npz"
    cache.save(file, dataset)
    assert len(cache.load(file)) == len(dataset)
    file.write_bytes(file.read_bytes()[:1000])
    assert cache.load(file) is None


def test_a_save_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def full_disk(file, **_arrays):
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.np, "savez", full_disk)
    cache.save(tmp_path / "kept.npz", read_synthetic())
    assert not list(tmp_path.iterdir())


def test_folders_of_one_name_and_layout_are_told_apart(tmp_path):
    for place, value in (("a", 40), ("b", 200)):
        picture = cv2.imencode(".bmp", np.full((48, 48), value, np.uint8))[1].tobytes()  # all of one size
        write(tmp_path / place / "faces", {f"train/happy/{i}.bmp": picture for i in range(3)})
        for file in (tmp_path / place).rglob("*.bmp"):
            os.utime(file, (1, 1))
    first, second = (read_folder(tmp_path / place / "faces", quiet=True).pixels for place in ("a", "b"))
    assert set(first.ravel()) == {40} and set(second.ravel()) == {200}
