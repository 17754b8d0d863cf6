"""What all tests share: a cache of their own, drawn data, and the real data where it is at hand.

FER_SHARED names the folder with data/fer2013, data/photos and models; without it those tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("FER_SHARED", ROOT.parent / "shared"))
YUNET = SHARED / "models" / "face_detection_yunet_2023mar.onnx"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """One of two workers drives the browser, which comes first; the other has the rest, a file at a time."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "browser" if file.startswith(("tests/browser/", "tests/load/")) else file

    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads or fills the user's cache, and none asks the network for a file."""
    from fer.fetched_file import FetchedFile
    from fer.vision import yunet_file

    folder = tmp_path_factory.getbasetemp() / "cache"
    folder.mkdir(exist_ok=True)
    if YUNET.is_file() and not (folder / yunet_file.NAME).exists():
        shutil.copy(YUNET, folder / yunet_file.NAME)
    monkeypatch.setenv("FER_CACHE", str(folder))
    monkeypatch.setattr(FetchedFile, "_download", lambda file, folder=None: None)


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """A machine that has no YuNet and cannot fetch it."""
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "empty-cache"))
    monkeypatch.delenv("FER_YUNET", raising=False)


@pytest.fixture
def yunet_needed():
    if not YUNET.is_file():
        pytest.skip("the YuNet file is not at hand (FER_SHARED)")


@pytest.fixture(scope="session")
def photos() -> Path:
    """Three photographs with 32 annotated faces."""
    folder = SHARED / "data" / "photos"
    if not folder.is_dir():
        pytest.skip("the annotated photographs are not at hand (FER_SHARED)")
    return folder


@pytest.fixture(scope="session")
def cases() -> Path:
    """Small inputs of kinds that people reported to tools like this one."""
    folder = SHARED / "cases"
    if not folder.is_dir():
        pytest.skip("the field cases are not at hand (FER_SHARED)")
    return folder


@pytest.fixture(scope="session")
def fer2013_csv(tmp_path_factory) -> Path:
    """FER2013's Training and PublicTest parts, written once a session (275 MB in the temporary folder)."""
    unpack = SHARED / "data" / "fer2013" / "unpack.py"
    if not unpack.is_file():
        pytest.skip("FER2013 is not at hand (FER_SHARED)")
    out = tmp_path_factory.mktemp("fer2013")
    subprocess.run([sys.executable, str(unpack), str(out)], check=True)
    yield out / "fer2013.csv"
    shutil.rmtree(out, ignore_errors=True)


@pytest.fixture
def sample() -> Path:
    return ROOT / "fer" / "app" / "samples" / "astronaut.jpg"


def write_csv(path: Path, rows: list[tuple[int, str]], seed: int = 0) -> np.ndarray:
    """A small fer2013.csv of (label, usage) rows with a bright bar at the label's height; returns its pixels."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 80, (len(rows), 48, 48), dtype=np.uint8)
    with open(path, "w") as file:
        file.write("emotion,pixels,Usage\n")
        for picture, (label, usage) in zip(pixels, rows):
            picture[4 + 6 * label : 8 + 6 * label] += 150
            file.write(f"{label},{' '.join(map(str, picture.ravel()))},{usage}\n")
    return pixels


@pytest.fixture
def small_csv(tmp_path) -> Path:
    """280 learnable pictures: 224 to train on, 28 each for validation and test."""
    usages = ["Training"] * 224 + ["PublicTest"] * 28 + ["PrivateTest"] * 28
    write_csv(tmp_path / "fer2013.csv", [(index % 7, usage) for index, usage in enumerate(usages)])
    return tmp_path / "fer2013.csv"
