"""A file is written whole or not at all, whatever name stands in it and whatever it is."""

from __future__ import annotations

import os
import threading

import pytest

from fer.files import replace_file, replacing


def test_a_name_that_is_not_utf8_stands_in_a_text_as_an_escape(tmp_path):
    replace_file(tmp_path / "a.txt", f"ü {os.fsdecode(bytes([255]))}.jpg")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xbc \\udcff.jpg"


def test_what_fails_leaves_the_old_file(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyError), replacing(tmp_path / "a") as file:
        file.write(b"new")
        raise KeyError
    assert (tmp_path / "a").read_text() == "old" and os.listdir(tmp_path) == ["a"]


def test_a_link_stays_and_leads_to_the_new_file(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for text in ("first", "second"):
        replace_file(tmp_path / "link", text)
        assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == text


def test_a_pipe_is_written_to_and_stays(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    replace_file(tmp_path / "pipe", "rows")
    reader.join()
    assert read == [b"rows"] and (tmp_path / "pipe").is_fifo() and os.listdir(tmp_path) == ["pipe"]
