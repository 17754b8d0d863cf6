"""The session state of live recognition in the visitor's browser: where faces are read, and recordings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from fer.app.session import RecentSlot, Slot
from fer.expressions import COUNT
from fer.limits import limits
from fer.models.card import Card
from fer.records import FaceBox, FaceRecord, Quality

Place = Literal["browser", "server"]
LONGEST_REASON, MOST_REASONS = 160, 8


@dataclass
class BrowserRecording:
    """A browser's recording. id: the browser's name for it. received: rows, without gaps; rows: the valid ones."""

    id: str
    rows: list[FaceRecord] = field(default_factory=list)
    received: int = 0
    done: bool = False


_place: Slot[str] = Slot("live_place", str)
unfit: Slot[str] = Slot("browser_unfit", str)  # why the browser cannot read faces, a key of live_tab.UNFIT
model: Slot[dict[str, object] | None] = Slot("browser_model", lambda: None)  # the model last given to the browser
# Models given to the browser: name and card, by the id that its rows have.
cards: RecentSlot[str, tuple[str, Card]] = RecentSlot("browser_cards", 16)
# The last recording, until the next one begins.
recording: Slot[BrowserRecording | None] = Slot("browser_recording", lambda: None)


def place(default: Place) -> Place:
    """Where the visitor wants live faces to be read."""
    chosen = _place.get()
    return "browser" if chosen == "browser" else "server" if chosen == "server" else default


def choose_place(place: str) -> None:
    _place.set(place)
    unfit.set("")


def give_up(why: str) -> None:
    """The browser cannot read faces, so the server does until the visitor chooses again."""
    unfit.set(why)
    _place.set("server")


def is_recording() -> bool:
    found = recording.get()
    return found is not None and not found.done


def take(batch: object) -> BrowserRecording | None:
    """Add a batch of numbers from the browser, without its invalid rows; what is no batch returns None."""
    try:
        found = _batch(batch)
    except (TypeError, ValueError, KeyError, OverflowError):
        return None
    current = recording.get()
    if current is None or current.id != found.id:
        current = BrowserRecording(found.id)
        recording.set(current)
    if found.first > current.received or current.done:
        return current  # an earlier batch was lost; the browser resends from Python's position
    new = found.rows[current.received - found.first :]
    current.received += len(new)
    current.rows += [row for row in new if row is not None]
    del current.rows[limits().recorded_rows :]
    current.done = found.done
    return current


def leave() -> list[FaceRecord]:
    """End a recording that its browser cannot finish; returns what was received, nothing if there is none."""
    found = recording.get()
    if found is None or found.done:
        return []
    found.done = True
    return found.rows


@dataclass(frozen=True)
class _Batch:
    id: str
    first: int
    rows: list[FaceRecord | None]
    done: bool


def _batch(values: object) -> _Batch:
    if not isinstance(values, dict) or not isinstance(values["rows"], list):
        raise TypeError("no batch")
    if len(values["rows"]) > limits().recorded_rows:
        raise ValueError("too many rows")
    return _Batch(
        str(values["recording"])[:64],
        _whole(values["first"]),
        [_valid_row(row) for row in values["rows"]],
        bool(values["done"]),
    )


def _valid_row(values: object) -> FaceRecord | None:
    """None keeps the place of an invalid row: refusing its batch would have the browser send it forever."""
    try:
        return _row(values)
    except (TypeError, ValueError, KeyError, OverflowError):
        return None


def _row(values: object) -> FaceRecord:
    """The server applies the model's card: the browser is not trusted with thresholds and sets."""
    if not isinstance(values, list):
        raise TypeError("no row")
    time_s, person, probabilities, box, reasons, model = values
    if not (isinstance(probabilities, list) and isinstance(box, list) and isinstance(reasons, list)):
        raise TypeError("no row")
    shares = tuple(map(_number, probabilities))
    if len(shares) != COUNT or not all(0 <= share <= 1 for share in shares):
        raise ValueError("no probabilities")
    if len(reasons) > MOST_REASONS or not all(isinstance(reason, str) for reason in reasons):
        raise ValueError("no reasons")
    x, y, width, height, score = map(_number, box)
    told = tuple(str(reason)[:LONGEST_REASON] for reason in reasons)
    name, card = cards.get()[str(model)]
    face = card.judge(FaceBox(x, y, width, height, score, detector="yunet"), shares, Quality(not told, told))
    return FaceRecord(face, time_s=_number(time_s), person=_whole(person), model=name)


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _whole(value: object) -> int:
    if (number := _number(value)) != int(number) or number < 0:
        raise ValueError("no whole number")
    return int(number)
