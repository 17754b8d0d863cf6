"""Which files a batch reads."""

from __future__ import annotations

from pathlib import Path

from fer.batch.inputs import find_inputs


def test_folders_are_searched_and_named_files_taken_each_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a" / "deep").mkdir(parents=True)
    for name in ("a/2.JPG", "a/1.png", "a/deep/clip.MP4", "a/.hidden.jpg", "a/list.md", "named.xyz"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a")
    paths = [Path("named.xyz"), Path("a"), tmp_path / "a" / "1.png", Path("nowhere.jpg")]
    inputs, skipped = find_inputs(paths)
    assert [each.name for each in inputs] == ["named.xyz", "a/1.png", "a/2.JPG", "a/deep/clip.MP4", "nowhere.jpg"]
    assert all(each.path == tmp_path / each.name for each in inputs) and "not a photo or video: 1 .md" in skipped
    assert [each.is_video for each in inputs] == [False, False, False, True, False]
