"""Every command in README.md, EXPERIMENTS.md, SECURITY.md and docs/*.md: run with small inputs, or named below with
the reason why it is not; every link and picture, and every Python block.

A new command is run as it stands if RUN knows its beginning: what it names in capitals is replaced by PLACES, what is
optional is taken, of alternatives the first; LIMITS make it short. Else it needs a line in NAMED, or its test fails.
"""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer import locations
from fer.cli import main
from fer.models import graph, weights
from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory
from fer.training.worker import train
from fer.vision.images import read_image
from fer.vision.video import VideoWriter
from tests.conftest import ROOT, YUNET, write_csv

PAGES = [
    *(ROOT / name for name in ("README.md", "EXPERIMENTS.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
ELSEWHERE = {  # the pages whose Python another test runs
    "api.md": "tests/service/test_examples.py",
    "batch.md": "tests/service/test_examples.py",
    "contributing.md": "tests/test_contributing.py",
}
SHELL = ("", "bash", "sh", "shell", "console")
BEGINNINGS = (
    "python ",
    "python3 ",
    ".venv/",
    "make ",
    "torchrun ",
    "docker ",
    "pip ",
    "streamlit ",
    "git ",
    "npm ",
    "source ",
    "sudo ",
    "SITE=",
    "FER_TOKEN=",
    "deploy/",
)
PLACES = {
    "PHOTO_OR_FOLDER...": "photos",
    "PHOTO": "photo.jpg",
    "DIR": "maps",
    "OUT.html": "out.html",
    "VIDEO": "video.mp4",
    "RUN": "runs/first",
    "FOLDER": "photos",
    "NAMES": "mini_xception",
    "/shared": "shared",
}

# What is run: how it begins, and what makes it short, put in place of its own value or added.
SHORT = {
    "--epochs": "1",
    "--precision": "no",
    "--batch-size": "16",
    "--threads": "1",
    "--limit": "64",
    "--ferplus-weight": "0",
}  # the small CSV has no votes
RUN = {
    r"python -m fer predict": {},
    r"python -m fer evaluate": {},
    r"python -m fer summary": {},
    r"python -m fer explain": {"--methods": "grad_cam", "--model": "mini_xception"},
    r"python -m fer video": {},
    r"python -m fer batch .*--out DIR \[": {"--workers": "1"},
    r"python -m fer export": {},
    r"python -m fer train --resume": {},
    r"python -m fer train .*--search": {**SHORT, "--search": "2"},
    r"python -m fer train(?!.*--processes)": SHORT,
    r"python -m fer tools ship-weights": {},
    r"python -m (fer tools model-cards|tests\.command_line)": {"--folder": "."},
    r"python -m fer tools faithfulness": {"--faces": "1", "--model": "mini_xception", "--out": "table.json"},
    r"python -m fer tools crop-measurement": {"--pictures": "6"},
    r"python -m fer tools detected-crops": {"--limit": "6"},
    r"python -m fer tools detection-benchmark": {},
    r"python -m fer tools robustness-table": {},
    r"python -c": {},
}

# What is not run: how it begins, and why. Its flags are looked up all the same: in --help, in make's dry run, by
# torchrun's own parser.
NAMED = {
    r"make (app|test|lint|clean)": "installs and never ends, or would run this test; make's dry run takes it",
    r"pip install (--extra-index-url \S+ )?(\.|'\.\[)": "installs; tests/test_package.py builds the wheel and runs it",
    r"git show [0-9a-f]+:": "reads the history, which a shallow clone lacks",
    r"python3 -m venv \.venv$": "makes the environment that this test runs in",
    r"pip install (pandas|httpx websockets)$": "installs what an example of the page imports",
    r"\.venv/bin/python -m pip install": "installs; the files that it names are looked up",
    r"\.venv/bin/python -m streamlit run": "tests/browser starts the app so",
    r"\.venv/bin/python -m ruff format \.$": "changes the checkout; make lint checks it",
    r"\.venv/bin/python -m pytest": "is how this test is run; the files that it names are looked up",
    r"source \.venv/bin/activate$": "a shell's own word",
    r"torchrun": "needs two machines; tests/training/test_processes.py runs two processes on one",
    r"python -m fer train .*--processes 2": "tests/training/test_processes.py runs two processes",
    r"python -m fer benchmark": "takes minutes",
    r"python -m fer serve": "never ends; tests/service serves",
    r"python -m fer batch .*--ray": "starts a cluster; tests/batch/test_ray.py does, with two machines",
    r"ray (start|stop)": "needs several machines; see tests/batch/test_ray.py",
    r"curl ": "needs the service; tests/service/test_examples.py runs it",
    r"schemathesis run": "takes minutes; tests/service/test_description.py sends fewer",
    r"python -m tests\.load\.": "takes minutes; tests/service/test_load.py runs it for seconds",
    r"python -m fer$": "named for its script, fer",
    r"python -m tests\.test_architecture$": "prints the graph that the tests of that file draw",
    r"python -m tests\.load$": "takes a quarter of an hour; tests/load/test_load.py sends two visitors",
    r"python -m tests\.load\.in_browser$": "takes a minute; tests/load/test_load.py sends one such visitor",
    r"python -m tests\.browser\.measure_explain": "takes a minute or two; test_explain.py makes the same visit",
    r"python -m fer tools fills": "takes minutes; tests/tools/test_fills.py runs its parts on a few faces",
    r"python -m tests\.browser\.measure_live": "takes a quarter of an hour; test_live.py streams too",
    r"python -m tests\.fuzz\.long$": "takes a quarter of an hour; tests/fuzz/test_fuzz.py runs it with few inputs",
    r"(\w+=\S+ )*docker (build|compose|run --rm) ": "needs a container engine; see tests/test_deploy.py",
    r"deploy/huggingface/make_space\.sh": "tests/test_deploy.py makes a Space",
    r"hf upload": "needs an account; tests/test_deploy.py makes the folder",
    r"sudo .*deploy/rehearse\.py": "installs everything, as root",
    r"python -m fer tools batch-benchmark": "takes minutes; make test-all runs it",
    r"python -m fer tools training-benchmark": "takes minutes; tests/tools runs it with few steps",
    r"python -m fer tools ship-weights RUN RUN$": "mentioned; it is run with one run",
    r"python -m fer (train|explain|tools|summary two_layers)$": "mentioned; test_contributing.py runs more",
}
# What the shipped weights were trained by, once: hours, with their own data.
RECORDS = re.compile(r"<!-- written: cards -->.*?<!-- end -->", re.DOTALL)


def commands(page: Path) -> list[str]:
    """The commands of a page: those of its indented and shell blocks, and those between backticks in its text."""
    text = RECORDS.sub("", page.read_text(encoding="utf-8"))
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    shell = [block for language, block in fenced if language in SHELL]
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    blocks = [
        *shell,
        *(
            "\n".join(re.findall(r"^    (.*)", block, re.MULTILINE))
            for block in re.findall(r"(?:^    .*\n?)+", text, re.MULTILINE)
        ),
    ]
    lines = [re.sub(r"\s+#\s.*", "", line) for block in blocks for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    prose = re.sub(r"^    .*", "", text, flags=re.MULTILINE)
    inline = [" ".join(words.split()) for words in re.findall(r"`([^`]+)`", prose)]
    return [line.strip() for line in lines if line.strip()] + [
        words for words in inline if words.startswith(BEGINNINGS) and " " in words
    ]


def named_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


ALL = {command: named_of(page) for page in reversed(PAGES) for command in commands(page)}  # and the first page with it


def is_named(command: str) -> bool:
    return any(re.match(rule, command) for rule in NAMED)


def words_of(command: str) -> list[str]:
    """The command as its arguments: the optional ones taken, of alternatives the first, capitals replaced."""
    for name, place in PLACES.items():
        command = re.sub(rf"(?<![A-Z_\w]){re.escape(name)}(?![A-Z_\w])", place, command)
    if " -c " not in command:
        command = command.replace("[", "").replace("]", "")
    return [word.split("|")[0] if re.fullmatch(r"[\w|]+", word) else word for word in shlex.split(command)]


def shortened(command: str) -> tuple[str, ...]:
    """The arguments with which a command is run here."""
    words = words_of(command)
    for flag, value in next(limits for rule, limits in RUN.items() if re.match(rule, command)).items():
        if flag in words:
            words[words.index(flag) + 1] = value
        else:
            words += [flag, value]
    return tuple(words)


def to_run() -> dict[tuple[str, ...], str]:
    """What is run, as arguments, and the command it comes from; the same arguments in another order once only."""
    found: dict[tuple[str, ...], tuple[tuple[str, ...], str]] = {}
    for command in reversed(ALL):
        if not is_named(command) and any(re.match(rule, command) for rule in RUN):
            words = shortened(command)
            found.setdefault(tuple(sorted(words)), (words, command))
    return dict(found.values())


TO_RUN = to_run()


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, small_faces) -> Path:
    """A folder in which the pages' commands find what they name."""
    place = tmp_path_factory.mktemp("workplace")
    shutil.copy(small_faces, place / "fer2013.csv")
    for folder in ("docs", "examples", "recipes"):
        shutil.copytree(ROOT / folder, place / folder)
    sample = ROOT / "fer" / "app" / "samples" / "astronaut.jpg"
    shutil.copy(sample, place / "photo.jpg")
    (place / "photos").mkdir()
    shutil.copy(sample, place / "photos" / "photo.jpg")
    (place / "photos" / "faces.json").write_text(json.dumps({"photo.jpg": {"faces": [[170, 70, 110, 130]]}}))
    photo = read_image(sample)
    with open(place / "video.mp4", "wb") as file, VideoWriter(file, 320, 320, 10) as writer:
        for index in range(5):
            writer.write(cv2.resize(photo, (320, 320)), index / 10)
    for split, count in (("train", 12), ("validation", 4)):
        for index in range(7 * count):
            name = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")[index % 7]
            file = place / "my_faces" / split / name / f"{index}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), np.random.default_rng(index).integers(0, 255, (48, 48), np.uint8))
    for name in ("first", "mine"):  # stopped after their first epoch of two
        run = RunDirectory.create(
            place / "runs" / name, TrainConfig(data=str(place / "fer2013.csv"), epochs=2, batch_size=16, threads=1)
        )
        assert train(run, on_epoch=lambda record, run=run: run.request("stop")) == "stopped"
    return place


@pytest.fixture(scope="module")
def small_faces(tmp_path_factory) -> Path:
    """A small fer2013.csv; its first Training pictures are a real face, for what looks for one."""
    file = tmp_path_factory.mktemp("data") / "fer2013.csv"
    usages = ["Training"] * 98 + ["PublicTest"] * 35 + ["PrivateTest"] * 14
    write_csv(file, [(index % 7, usage) for index, usage in enumerate(usages)])
    gray = cv2.cvtColor(read_image(ROOT / "fer" / "app" / "samples" / "astronaut.jpg"), cv2.COLOR_RGB2GRAY)
    lines = file.read_text().splitlines()
    for index in range(98):
        face = cv2.resize(gray[60 + index % 3 : 220, 145:305], (48, 48), interpolation=cv2.INTER_AREA)
        lines[1 + index] = f"{index % 7},{' '.join(map(str, face.ravel()))},Training"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def here(workplace, tmp_path, monkeypatch) -> Path:
    """A copy of the workplace, as the current folder; what is shipped goes to a copy of weights/."""
    place = tmp_path / "here"
    shutil.copytree(workplace, place)
    shutil.copytree(locations.weights_folder(), place / "weights")
    for module in (locations, weights, graph):
        monkeypatch.setattr(module, "weights_folder", lambda: place / "weights")
    monkeypatch.setenv("FER_RUNS", str(place / "runs"))
    monkeypatch.chdir(place)
    return place


def python_m(words: list[str], monkeypatch) -> None:
    """`python -m module ...` in this process."""
    module, *arguments = words
    if module == "fer":
        assert main(arguments) == 0
        return
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    runpy.run_module(module, run_name="__main__")


def written_by(words: list[str]) -> list[Path]:
    """The files and folders that a command is to write."""
    flags = ("--out", "--report", "--csv")
    return [Path(words[index + 1]) for index, word in enumerate(words) if word in flags]


@pytest.mark.parametrize("words", TO_RUN, ids=TO_RUN.values())
def test_the_command_runs(here, words, monkeypatch, capsys):
    if words[3:5] in (["tools", "crop-measurement"], ["tools", "detected-crops"]) and not YUNET.is_file():
        pytest.skip("the YuNet file is not at hand (FER_SHARED)")
    if words[1] == "-c":
        exec(words[2])  # noqa: S102  the page's own code
        assert (here / "shared" / "runs" / "big" / "config.json").is_file()
        return
    if "train" in words and "--resume" not in words:
        shutil.rmtree(here / "runs")  # a run's folder must be new
        (here / "runs").mkdir()
    python_m(words[2:], monkeypatch)
    printed = capsys.readouterr().out
    assert all(path.exists() and (path.is_dir() or path.stat().st_size) for path in written_by(words))
    if "--json" in words:
        assert json.loads(printed if printed.startswith("{\n") else printed.splitlines()[0])
    if "--resume" in words:
        assert len(RunDirectory.open(Path(words[words.index("--resume") + 1])).records()) == 2


@pytest.mark.parametrize("command", ALL)
def test_every_command_is_run_or_named_and_its_flags_exist(command, capsys, monkeypatch):
    assert is_named(command) or any(re.match(rule, command) for rule in RUN), (
        f"nothing runs {command!r} of {ALL[command]}: add it to RUN or, with the reason, to NAMED"
    )
    words = words_of(command)
    if words[0] == "make":
        if shutil.which("make") is None:
            pytest.skip("make is not installed")
        assert subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, check=False).returncode == 0
    elif words[0] == "torchrun":
        from torch.distributed.run import get_args_parser

        taken = get_args_parser().parse_args(words[1:])
        assert taken.module and taken.training_script == "fer.training.worker"
    elif words[0].startswith(".venv/"):
        assert all((ROOT / word).exists() for word in words if re.search(r"\.(py|txt)$", word))
    elif words[1:2] == ["-m"] and words[2].startswith("fer"):
        flags = {word for word in words[3:] if word.startswith("--")} - {"--config"}
        if flags and words[3:5] != ["tools", "training-benchmark"]:
            with pytest.raises(SystemExit):
                own = 5 if words[3] == "tools" else 4 if words[2] == "fer" else 3
                python_m([*words[2:own], "--help"], monkeypatch)
            shown = capsys.readouterr().out
            assert not [flag for flag in flags if flag not in shown]


def test_a_command_that_nothing_knows_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "Text `python -m fer.nowhere` and\n\n    docker run x \\\n      --flag   # why\n\n"
        "```bash\nmake app\n```\n\n```python\nnot = shell\n```\n"
    )
    found = commands(page)
    assert found == ["make app", "docker run x --flag", "python -m fer.nowhere"]
    assert [one for one in found if not is_named(one) and not any(re.match(rule, one) for rule in RUN)] == found[1:]


def python_of(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", filter(python_of, PAGES), ids=named_of)
def test_the_python_of_a_page_runs(here, page, capsys):
    if page.name in ELSEWHERE:
        pytest.skip(f"{ELSEWHERE[page.name]} runs it")
    for code in python_of(page):
        exec(compile(code, page.name, "exec"), {})  # noqa: S102  the page's own code
        assert capsys.readouterr().out.strip()


def test_the_first_example_tells_the_samples_expression(here, capsys):
    (code,) = python_of(ROOT / "README.md")
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out.startswith("happy happy 9")


def test_the_readme_fits_a_screen_or_two():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 180 and len(text.split()) <= 1400


def headings(page: Path) -> set[str]:
    """The names by which GitHub links to a page's headings."""
    lines = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def test_all_pages_are_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index] == ["README.md"]


@pytest.mark.parametrize("page", PAGES, ids=named_of)
def test_links_and_pictures_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target, heading in re.findall(r"\]\(([^)#]*?)(?:#([^)]*))?\)", text):
        if target.startswith("https://"):
            continue
        place = page.parent / target if target else page
        assert place.exists(), target
        assert not heading or heading in headings(place), f"{target}#{heading}"


def test_every_picture_is_shown_somewhere():
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = [path.name for path in (ROOT / "docs" / "screenshots").iterdir()]
    assert [name for name in pictures if f"screenshots/{name}" not in shown] == []


def test_the_words_of_training_and_evaluate_are_explained():
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8"), re.MULTILINE)
    explained = {word for row in rows for word in row.split(", ")}
    assert {"epoch", "batch", "learning rate", "loss", "log loss", "nat", "standardized", "views"} <= explained
