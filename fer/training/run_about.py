"""A run's title, and what was known when it started: about.json, written only at the start and by a rename.

The directory keeps its name, which addresses and settings refer to. Knows nothing of PyTorch.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from fer.data.read import SYNTHETIC
from fer.data.uploads import is_upload
from fer.errors import RunError
from fer.files import replace_file
from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory, bad_name
from fer.wording import date_and_time

LONGEST = 80  # characters of a title
TITLE = re.compile(rf"\w[\w .,:()_-]{{0,{LONGEST - 1}}}")
LONGEST_DATA = 48  # maximum characters of the data's name in a title
AUTOMATIC_ID = re.compile(r"(\d{8}-\d{6})-(.+)")  # as made by `new_run_id`


@dataclass(frozen=True)
class About:
    """title: the run's displayed name. data: the upload's file name. expected_s: the estimated duration.

    Empty or 0 if unknown.
    """

    title: str = ""
    data: str = ""
    expected_s: float = 0.0


def read_about(run: RunDirectory) -> About:
    """Values that are missing or of the wrong type become empty."""
    try:
        values = json.loads((run.path / "about.json").read_text(encoding="utf-8"))
        title, data, expected_s = values.get("title"), values.get("data"), values.get("expected_s")
    except (OSError, ValueError, AttributeError, RecursionError):
        return About()
    return About(
        title if isinstance(title, str) and TITLE.fullmatch(title) else "",
        data[:200] if isinstance(data, str) else "",
        float(expected_s) if type(expected_s) in (int, float) and 0 <= expected_s < 2**53 else 0.0,
    )


def write_about(run: RunDirectory, about: About) -> None:
    """Raises RunError if the file cannot be written."""
    try:
        replace_file(run.path / "about.json", json.dumps(asdict(about), ensure_ascii=False) + "\n")
    except OSError as error:
        raise RunError(f"The run's name cannot be saved: {error.strerror}.") from None


def title_of(run: RunDirectory) -> str:
    """The run's displayed name: the given title, else its data, date and model, else its folder's name.

    Two runs may have the same, such as a copied directory: see `titles_of`.
    """
    if title := read_about(run).title:
        return title
    if not (made := AUTOMATIC_ID.fullmatch(run.id)):
        return run.id
    try:
        began, config = datetime.strptime(made[1], "%Y%m%d-%H%M%S"), run.config
    except (ValueError, RunError):
        return run.id
    # All that is in the id, since nobody chose a title: seconds, and such as mini-xception-search-03.
    rest = f", {date_and_time(began, seconds=True)}, {made[2].replace('_', '-')}"
    return f"{_data_name(data_words(config), max(LONGEST - len(rest), 1))}{rest}"


def titles_of(runs: Iterable[RunDirectory]) -> dict[str, str]:
    """The titles by the runs' ids, each different, as lists to choose from need them."""
    return distinct({run.id: title_of(run) for run in runs})


def distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Names by a run's id or a model's specification: those that several share get the id added."""
    times = Counter(names.values())
    return {key: name if times[name] == 1 else f"{name} [{Path(key).name}]" for key, name in names.items()}


def data_words(config: TrainConfig, upload: str = "") -> str:
    """The displayed name of a run's data. upload: an upload's file name, if it may be shown."""
    if config.data == SYNTHETIC:
        return "Synthetic faces"
    return (upload or "Uploaded data") if is_upload(config.data) else Path(config.data).name


def default_title(data: str, began: datetime) -> str:
    """`Synthetic faces, Nov 25, 1:44 PM`: a run's title until it is renamed."""
    return f"{_data_name(data)}, {date_and_time(began)}"


def _data_name(data: str, longest: int = LONGEST_DATA) -> str:
    words = re.sub(r"[^\w .,:()_-]", "_", data).strip()
    return (words if words and words[0].isalnum() else f"Data {words}")[: min(longest, LONGEST_DATA)].strip()


def checked_title(title: str) -> str:
    """The title without surrounding spaces. Raises RunError if it is not a valid name."""
    if not isinstance(title, str) or not TITLE.fullmatch(title.strip()):
        raise bad_name(title)
    return title.strip()
