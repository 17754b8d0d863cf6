"""The photos of folders come one by one in order; what is none is counted and named."""

from __future__ import annotations

from pathlib import Path

from fer.data.photo_files import PhotoFiles


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_every_kind_of_picture_in_order_and_the_rest_counted(tmp_path):
    pictures = ["a/1.JPE", "a/2.tiff", "a.heic", "b/c/3.jfif", "d.AVIF", "e.TIF", "f.png"]
    others = ["a/notes.txt", "b/film.mp4", "b/c/film.MP4", "z"]
    junk = [".hidden.png", "a/._1.jpg", "Thumbs.db", ".DS_Store", "__MACOSX/1.png", "desktop.ini", ".git/x.png"]
    make(tmp_path, *pictures, *others, *junk)
    photos = PhotoFiles([tmp_path, tmp_path / "z", Path("nowhere.jpg")])
    found = [path.relative_to(tmp_path).as_posix() if path.is_absolute() else str(path) for path in photos]
    assert found == ["a/1.JPE", "a/2.tiff", "a.heic", "b/c/3.jfif", "d.AVIF", "e.TIF", "f.png", "z", "nowhere.jpg"]
    assert photos.found == 9 and photos.skipped == {".mp4": 2, ".txt": 1, "without an ending": 1}
    assert photos.words().startswith("4 files were skipped") and "2 .mp4" in photos.words()


def test_nothing_skipped_is_nothing_said(tmp_path):
    make(tmp_path, "1.png")
    photos = PhotoFiles([tmp_path])
    assert len(list(photos)) == 1 and photos.words() == ""
    make(tmp_path, "1.txt")
    list(photos)
    assert photos.words() == "1 file was skipped because it is not a picture: 1 .txt (1.txt)."


def test_links_to_folders_are_not_followed_and_files_are(tmp_path):
    make(tmp_path, "in/1.png", "out/2.png")
    (tmp_path / "in" / "round").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "2.png").symlink_to(tmp_path / "out" / "2.png")
    assert [path.name for path in PhotoFiles([tmp_path / "in"])] == ["1.png", "2.png"]


def test_a_folder_is_walked_as_its_photos_are_asked_for(tmp_path):
    make(tmp_path, "a/1.png", "b/2.png")
    photos = iter(PhotoFiles([tmp_path]))
    assert next(photos).name == "1.png"
    make(tmp_path, "b/3.png")
    assert [path.name for path in photos] == ["2.png", "3.png"]
