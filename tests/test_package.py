"""The package: its dependencies and the exact pins agree, its wheel holds all, and works anywhere without extras."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import fer
from fer.errors import EXTRAS
from fer.models.weights import shipped_names
from fer.vision.images import read_image
from fer.vision.video import VideoWriter
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IN_THE_APP = ("app", "train")  # the extras that requirements.txt brings with the base
BESIDE_IT = ("ray", "serve")  # those that requirements-dev.txt pins


def requirements(lines: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(one.name): one for one in map(Requirement, lines)}


def pins(file: str = "requirements.txt") -> dict[str, Requirement]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return requirements([line for line in lines if line and not line.startswith(("#", "-r "))])


def extras(names: tuple[str, ...]) -> list[str]:
    return [line for extra in names for line in PROJECT["optional-dependencies"][extra]]


def ranges() -> dict[str, Requirement]:
    return requirements([*PROJECT["dependencies"], *extras(IN_THE_APP)])


def test_what_is_pinned_is_what_the_package_depends_on():
    assert pins().keys() == ranges().keys()


@pytest.mark.parametrize("name", pins())
def test_a_pin_is_exact_and_within_the_range(name):
    (pin,) = pins()[name].specifier
    assert pin.operator == "==" and not pin.version.endswith("*")
    assert ranges()[name].specifier.contains(pin.version)


@pytest.mark.parametrize("line", extras(BESIDE_IT))
def test_the_other_extras_are_pinned_for_the_tests(line):
    taken = Requirement(line)
    pin = pins("requirements-dev.txt")[canonicalize_name(taken.name)]
    (specifier,) = pin.specifier
    assert specifier.operator == "==" and taken.specifier.contains(specifier.version) and pin.extras == taken.extras


@pytest.mark.parametrize("extra", (*IN_THE_APP, *BESIDE_IT))
def test_a_missing_part_is_known_by_the_extra_that_brings_it(extra):
    brought = requirements(PROJECT["optional-dependencies"][extra])
    assert {canonicalize_name(module) for module in EXTRAS[extra]} == brought.keys()


def test_the_command_is_a_function():
    entry = importlib.metadata.EntryPoint("fer", PROJECT["scripts"]["fer"], "console_scripts")
    assert callable(entry.load())


def test_what_is_installed_is_this_version():
    try:
        version = importlib.metadata.version(PROJECT["name"])
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("runs from a checkout")
    assert version == fer.__version__


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The wheel that `pip install .` builds, without the network."""
    pytest.importorskip("hatchling", reason="requirements-dev.txt is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        yield archive


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("installed")
    wheel.extractall(folder)
    return folder


def test_the_wheel_has_the_one_version_and_all_dependencies(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(name).decode())
    assert (metadata["Name"], metadata["Version"]) == (PROJECT["name"], fer.__version__)
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    told = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    base = {canonicalize_name(one.name) for one in told if one.marker is None}
    assert base == requirements(PROJECT["dependencies"]).keys()
    assert set(metadata.get_all("Provides-Extra")) == PROJECT["optional-dependencies"].keys()


def test_the_wheel_holds_what_comes_with_the_code(wheel):
    held = set(wheel.namelist())
    weights = {f"fer/weights/{file.name}" for file in (ROOT / "weights").iterdir()}
    assert {f"fer/weights/{name}{end}" for name in shipped_names() for end in (".onnx", ".json")} <= weights
    pages = {f"fer/app/entry/pages/{file.name}" for file in (ROOT / "pages").glob("*.py")}
    samples = {f"fer/app/samples/{file.name}" for file in (ROOT / "fer" / "app" / "samples").iterdir()}
    modules = {str(file.relative_to(ROOT)) for file in (ROOT / "fer").rglob("*.py")}
    others = {"fer/py.typed", "fer/app/entry/streamlit_app.py", "fer/app/entry/.streamlit/config.toml"}
    assert not (weights | pages | samples | modules | others) - held
    assert not {name for name in held if "__pycache__" in name or not name.startswith(("fer/", "fer_studio-"))}


def test_the_wheel_reads_a_photo_and_a_video_from_any_folder_without_extras(installed, tmp_path, sample):
    with open(tmp_path / "in.mp4", "wb") as file, VideoWriter(file, 512, 512, 10) as writer:
        for index in range(3):
            writer.write(read_image(sample), index / 10)
    done = elsewhere(
        installed,
        tmp_path,
        f"""
from fer.locations import app_folder, runs_folder, weights_folder
assert app_folder() == PLACE / "fer" / "app" / "entry" and (app_folder() / "streamlit_app.py").is_file()
assert weights_folder() == PLACE / "fer" / "weights" and PLACE not in runs_folder().parents
from fer.cli import main
assert main(["predict", {str(sample)!r}, "--detector", "hog"]) == 0
assert main(["video", "in.mp4", "--out", "out.mp4", "--detector", "hog"]) == 0
""",
    )
    assert done.returncode == 0, done.stderr
    assert "happy" in done.stdout and (tmp_path / "out.mp4").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["app"], "app"),
        (["summary", "mini_xception"], "train"),
        (["serve"], "serve"),
        (["batch", "x.jpg", "--out", "out", "--ray", "local", "--detector", "none"], "ray"),
    ],
)
def test_the_wheel_says_which_extra_is_missing(installed, tmp_path, arguments, extra):
    done = elsewhere(installed, tmp_path, f"from fer.cli import main; sys.exit(main({arguments!r}))")
    assert done.returncode == 1 and f"pip install '.[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


def elsewhere(installed: Path, folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a folder that is no checkout, with the unpacked wheel and without what the extras bring."""
    block = f"""
import sys
from pathlib import Path
from importlib.machinery import PathFinder
class WithoutExtras(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in {sum(EXTRAS.values(), ())!r} else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutExtras
PLACE = Path({str(installed)!r})
import fer
assert Path(fer.__file__).parent == PLACE / "fer"
"""
    settings = {name: value for name, value in os.environ.items() if name != "FER_RUNS"}
    settings |= {"PYTHONPATH": str(installed), "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", block + code], cwd=folder, env=settings, capture_output=True, text=True, check=False
    )
