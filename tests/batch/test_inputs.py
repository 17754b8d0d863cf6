"""Which files a batch reads."""

from __future__ import annotations

from pathlib import Path

from fer.batch.inputs import find_inputs, skipped_in_words


def test_folders_are_searched_and_named_files_taken_each_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a" / "deep").mkdir(parents=True)
    for name in ("a/2.JPG", "a/1.png", "a/deep/clip.MP4", "a/.hidden.jpg", "a/readme.md", "named.xyz"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a")
    paths = [Path("named.xyz"), Path("a"), tmp_path / "a" / "1.png", Path("nowhere.jpg")]
    inputs, skipped = find_inputs(paths)
    assert [each.name for each in inputs] == ["named.xyz", "a/1.png", "a/2.JPG", "a/deep/clip.MP4", "nowhere.jpg"]
    assert all(each.path == tmp_path / each.name for each in inputs) and skipped == ["a/readme.md"]
    assert [each.is_video for each in inputs] == [False, False, False, True, False]


def test_what_a_batch_writes_is_not_read_again(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"")
    assert find_inputs([tmp_path], left_out=tmp_path / "out") == ([], [])


def test_skipped_files_are_counted_and_named():
    assert skipped_in_words([]) == ""
    assert skipped_in_words(["a.txt"]).startswith("1 file is neither") and "a.txt." in skipped_in_words(["a.txt"])
    words = skipped_in_words([f"{number}.txt" for number in range(13)])
    assert words.startswith("13 files are") and "9.txt and 3 more" in words
