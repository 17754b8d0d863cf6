"""What file and folder names mean: splits and classes in any order, what is ignored, what is left out and said."""

from __future__ import annotations

import pytest

from fer.data.arrangement import arrange, is_ignored
from fer.data.labels import class_of, format_classes, parse_classes, split_in_file, split_of, words_in
from fer.errors import DatasetError


def found(*files: str, classes: str = "") -> dict[str, tuple[str, str]]:
    entries = arrange(files, "set", parse_classes(classes)).entries
    return {entry.file: (entry.split, entry.expression) for entry in entries}


@pytest.mark.parametrize(
    ("folder", "split", "expression"),
    [
        ("train/happy", "Training", "happy"),
        ("happy/train", "Training", "happy"),
        ("Happiness/TEST", "PrivateTest", "happy"),
        ("a/b/VAL/c/Anger/d", "PublicTest", "angry"),
        ("a/Anger/b/validation/c", "PublicTest", "angry"),
        ("PublicTest/sad", "PublicTest", "sad"),
        ("sad/Private Test", "PrivateTest", "sad"),
        ("public/fear", "PublicTest", "fear"),
        ("train_happy", "Training", "happy"),
        ("test set/03 - surprised faces", "PrivateTest", "surprise"),
        ("Training/Training/0_neutral", "Training", "neutral"),
        ("disgust", "Training", "disgust"),
    ],
)
def test_split_and_class_are_found_in_any_order_and_depth(folder, split, expression):
    assert found(f"{folder}/1.png") == {f"{folder}/1.png": (split, expression)}


@pytest.mark.parametrize(
    "folder",
    ["train/happy/test", "test/train/happy", "happy/sad", "happy/train/sad", "train_happy/test", "val_test/sad"],
)
def test_folders_that_contradict_each_other_are_refused_by_name(folder):
    with pytest.raises(DatasetError, match=f"contradict each other: {folder} names"):
        found("train/happy/1.png", f"{folder}/2.png")
    assert found("train/happy/1.png", f"{folder}/notes.txt")  # no picture lies there


def test_pictures_outside_the_splits_count_as_training_and_it_is_said():
    arranged = arrange(["happy/1.png", "happy/test/2.png", "sad/3.png"], "set")
    assert [entry.split for entry in arranged.entries] == ["Training", "PrivateTest", "Training"]
    assert "2 pictures, such as happy/1.png, are in no split folder" in arranged.remarks[0]


def test_the_pictures_own_names_tell_the_split_where_no_folder_does_and_all_do():
    arranged = arrange(["happy/train_1.jpg", "happy/test_2.jpg", "sad/val-3.jpg"], "set")
    assert [entry.split for entry in arranged.entries] == ["PrivateTest", "Training", "PublicTest"]
    assert "file names" in arranged.remarks[0]
    assert set(found("happy/train_1.jpg", "happy/9.jpg").values()) == {("Training", "happy")}
    assert set(found("test/happy/train_1.jpg").values()) == {("PrivateTest", "happy")}


def test_what_nobody_means_is_ignored_and_everything_else_is_told():
    ignored = [
        ".DS_Store",
        "._x.png",
        "__MACOSX/happy/1.png",
        "happy/Thumbs.db",
        "happy/desktop.ini",
        ".gitkeep",
        "README",
        "README.md",
        "readme.txt",
        "LICENSE",
        "licence.txt",
        "LICENSE-2.0",
        ".git/x.png",
        "happy/.hidden/1.png",
        "@eaDir/happy/1.png",
    ]
    assert all(map(is_ignored, ignored)) and not is_ignored("../happy/1.png") and not is_ignored("happy/readme.png")
    arranged = arrange([*ignored, "happy/1.png", "happy/1.txt", "labels.csv", "2.png", "train/3.png"], "set")
    assert arranged.others == ("happy/1.txt", "labels.csv") and arranged.unplaced == ("2.png", "train/3.png")
    assert [entry.file for entry in arranged.entries] == ["happy/1.png"] and not arranged.unknown


@pytest.mark.parametrize(
    ("files", "unknown"),
    [
        (["set/train/contempt/1.png", "set/train/happy/1.png", "set/contempt/val/1.png"], {"contempt": 2}),
        (["happy/a/1.png", "contempt/a/1.png", "contempt/b/1.png"], {"contempt": 2}),
        (["w/happy/1.png", "w/1.png", "w/other/1.png"], {"other": 1}),
    ],
)
def test_other_folders_are_counted_where_a_class_would_stand(files, unknown):
    assert dict(arrange(files, "set").unknown) == unknown


@pytest.mark.parametrize("wrap", ["", "DATASET/", "a/b/"])
def test_numbered_folders_are_refused_by_name_until_they_are_told(wrap):
    files = [f"{wrap}{split}/{number}/{number}.jpg" for split in ("train", "test") for number in (1, 2, 10)]
    with pytest.raises(DatasetError, match=r"It has: 1 \(2 pictures\), 2 \(2 pictures\), 10 \(2 pictures\)") as caught:
        found(*files)
    assert caught.value.details["unknown"] == {"1": 2, "2": 2, "10": 2} and "--classes" in caught.value.message
    told = found(*files, classes="1=surprise, 2 = Fear")
    assert set(told.values()) == {
        ("Training", "surprise"),
        ("Training", "fear"),
        ("PrivateTest", "surprise"),
        ("PrivateTest", "fear"),
    }
    with pytest.raises(DatasetError, match="no folder or label '3'"):
        found(*files, classes="3=sad")


def test_one_folder_alone_stands_for_a_class():
    with pytest.raises(DatasetError) as caught:
        found("a/7/1.png", "a/7/2.png")
    assert caught.value.details["unknown"] == {"7": 2}
    assert found("a/7/1.png", classes="7=neutral") == {"a/7/1.png": ("Training", "neutral")}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", {}),
        ("1=surprise,2=fear", {"1": "surprise", "2": "fear"}),
        (" Class001 = Happiness ", {"class001": "happy"}),
        ('"a,b=c=sad"', {"a,b=c": "sad"}),
    ],
)
def test_names_of_ones_own_are_read_and_written_back(text, names):
    assert parse_classes(text) == names and parse_classes(format_classes(names)) == names


@pytest.mark.parametrize(
    "text",
    ["1", "1=", "=sad", "1=contempt", "1=train", "1=sad,1=happy", "1=sad,,2=fear", "1=sad\r2=fear"],
)
def test_names_that_give_no_class_are_a_sentence(text):
    with pytest.raises(DatasetError, match="--classes"):
        parse_classes(text)


def test_words_by_hand():
    assert words_in("Train_happy") == ({"Training"}, {"happy"}) and words_in("happy hour") == (frozenset(), frozenset())
    assert [split_of(word) for word in ("VAL", "PublicTest", "private", "train set", "x", "")] == [
        "PublicTest",
        "PublicTest",
        "PrivateTest",
        "Training",
        None,
        None,
    ]
    assert class_of("3 - Suprise") == "surprise" and class_of("unhappy") is None and class_of("x" * 999) is None
    assert split_in_file("fer2013_test") == "PrivateTest" and split_in_file("train_test") is None
