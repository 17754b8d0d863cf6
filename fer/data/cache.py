"""Cache a data set that took long to make, without pickle; if a file is damaged, the data is read again."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fer.data.dataset import Dataset
from fer.data.labels import SPLITS
from fer.locations import cache_folder

LISTS = ("unreadable", "faceless", "others", "unplaced", "remarks")


def file_of(kind: str, *what: object) -> Path:
    """The cache file of a data set; `what` identifies it among others of its kind."""
    digest = hashlib.sha256(json.dumps([str(part) for part in what]).encode()).hexdigest()[:24]
    return cache_folder() / f"{kind}-{digest}.npz"


def load(file: Path) -> Dataset | None:
    """The cached data set, or None if it is missing or damaged."""
    if not file.is_file():
        return None
    try:
        with np.load(file, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            lists = {name: tuple(facts.get(name, ())) for name in LISTS}  # older caches lack some
            names = np.array(facts["names"], dtype=object) if facts["names"] else None
            return Dataset(
                arrays["pixels"],
                arrays["labels"],
                np.array(SPLITS)[arrays["usage"]],
                arrays.get("votes"),
                facts["name"],
                **lists,
                unknown=_counts(facts, "unknown"),
                assumed=_counts(facts, "assumed"),
                names=names,
                split_made=facts["split_made"],
            )
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _counts(facts: dict[str, Any], name: str) -> tuple[tuple[str, int], ...]:
    return tuple((str(label), int(count)) for label, count in facts.get(name, ()))


def save(file: Path, dataset: Dataset) -> None:
    usage = np.select([dataset.usage == split for split in SPLITS], range(len(SPLITS))).astype(np.uint8)
    facts = {name: getattr(dataset, name) for name in ("name", *LISTS, "unknown", "assumed", "split_made")}
    facts["names"] = None if dataset.names is None else dataset.names.tolist()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".saving-") as folder:
            whole = Path(folder) / file.name
            write = partial(
                np.savez, whole, pixels=dataset.pixels, labels=dataset.labels, usage=usage, facts=json.dumps(facts)
            )
            if dataset.votes is None:
                write()
            else:
                write(votes=dataset.votes)
            os.replace(whole, file)
    except OSError:
        pass  # on a read-only or full disk, the next load is merely slower


def content_key(*files: Path) -> str:
    """A digest of the files' bytes, so that a changed file never matches an old cache."""
    digest = hashlib.sha256()
    for file in files:
        with open(file, "rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:32]
