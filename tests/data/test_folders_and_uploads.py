"""Folders by class, zips by strangers, and the report on what is in them."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer.data import cache, uploads
from fer.data.folders import read_folder
from fer.data.read import read_dataset
from fer.data.report import report_on, samples
from fer.data.synthetic import draw_face, read_synthetic
from fer.data.uploads import unpack_zip
from fer.errors import DatasetError
from fer.expressions import INDEX, NAMES


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
    assert any("contempt (1 pictures)" in remark for remark in dataset.remarks)


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
    with pytest.raises(DatasetError, match="Expected|crop"):
        read_dataset(write(tmp_path, files), quiet=True)


def test_a_zip_of_class_folders_is_unpacked_once_and_read(tmp_path):
    file = zipped(
        {
            "set/train/happy/1.png": png(1),
            "set/train/sad/2.png": png(2),
            "set/val/sad/3.png": png(3),
            "__MACOSX/set/._1.png": b"junk",
            "set/.DS_Store": b"junk",
        }
    )
    folder = unpack_zip(file)
    assert folder.parent == uploads.uploads_folder() and unpack_zip(file) == folder
    assert len(read_dataset(folder, quiet=True)) == 3


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
    "a bomb": (bomb, "-fold"),
    "a lying table": (lying_zip, "larger than its zip says|no whole zip"),
    "a path upwards": (lambda: zipped({"../happy/1.png": png()}), "outside"),
    "a path upwards, Windows": (lambda: zipped({"..\\..\\1.png": png()}), "outside"),
    "an absolute path": (lambda: zipped({"/happy/1.png": png()}), "outside"),
    "a drive": (lambda: zipped({"C:/happy/1.png": png()}), "outside"),
    "a link": (link, "link"),
    "a nested archive": (lambda: zipped({"happy/1.png": png(), "more.zip": b"PK"}), "another archive"),
    "a program": (lambda: zipped({"happy/run.exe": b"MZ"}), "no picture"),
    "a program named like a picture": (lambda: zipped({"happy/run.png": b"MZ" * 99}), "but is none"),
    "a zip inside a picture's name": (lambda: zipped({"happy/x.png": zipped({"a": b"b"}).getvalue()}), "but is none"),
    "a path down and up": (lambda: zipped({"happy/../../1.png": png()}), "outside"),
    "a path up by mixed slashes": (lambda: zipped({"happy\\../..\\1.png": png()}), "outside"),
    "a network share": (lambda: zipped({"\\\\server\\1.png": png()}), "outside"),
    "a stream of a file": (lambda: zipped({"happy/1.png:2.png": png()}), "outside"),
    "a name cut by a NUL": (lambda: with_nul("happy/1.png"), "outside"),
    "what is to be ignored, but leads up": (lambda: zipped({"__MACOSX/../../1.png": png()}), "no files"),
    "one good and one bad": (lambda: zipped({"happy/1.png": png(), "happy/../../../2.png": png()}), "outside"),
    "nothing": (lambda: zipped({}), "no files"),
    "no zip": (lambda: io.BytesIO(b"hello"), "no whole zip"),
    "half a zip": (lambda: io.BytesIO(zipped({"happy/1.png": png()}).getvalue()[:80]), "no whole zip"),
}


@pytest.mark.parametrize("make, words", REFUSED.values(), ids=REFUSED)
def test_dangerous_zips_are_refused_and_leave_nothing(monkeypatch, tmp_path, make, words):
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "a" / "b" / "c" / "cache"))  # room to see what leaves it
    with pytest.raises(DatasetError, match=words):
        unpack_zip(make())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not list(uploads.uploads_folder().glob("*")) if uploads.uploads_folder().exists() else True


def test_too_many_and_too_much_is_refused_unread(monkeypatch):
    monkeypatch.setattr(uploads, "MAX_FILES", 2)
    with pytest.raises(DatasetError, match="at most 2"):
        unpack_zip(zipped({f"happy/{i}.png": png(i) for i in range(3)}))
    monkeypatch.setattr(uploads, "MAX_TOTAL", 10)
    with pytest.raises(DatasetError, match="would unpack"):
        unpack_zip(zipped({"happy/1.png": png()}))


def test_a_table_of_contents_too_long_is_refused_before_it_is_read(monkeypatch):
    file = zipped({f"happy{i}/": b"" for i in range(5)})
    monkeypatch.setattr(uploads, "MAX_FILES", 2)
    monkeypatch.setattr(uploads.zipfile, "ZipFile", None)
    with pytest.raises(DatasetError, match="lists more than 4"):
        unpack_zip(file)


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
